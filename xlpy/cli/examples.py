"""What the help shows commands to be good for: command lines, and what they do."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "create": (
        ("xlpy create web.cfg", "make the domain of this file and let it run"),
        ("xlpy create -c web.cfg memory=1024", "with more memory than the file says, and its console here"),
        ("xlpy create -n web.cfg", "only show what would be made"),
        ("xlpy -H xen1 create web.cfg", "on another host"),
    ),
    "list": (
        ("xlpy list -v web", "one domain, with its UUID"),
        ("xlpy -H all list --sort=-memory_kib", "the domains of all hosts, the largest first"),
        ("xlpy list --filter 'state = running and name =~ ^web'", "some of them"),
        ("xlpy list -o json", "for a program to read"),
    ),
    "shutdown": (
        ("xlpy shutdown -w web", "and wait until it has"),
        ("xlpy shutdown -a --timeout 60 --then destroy", "all guests; those that don't end are ended"),
        ("xlpy -H @rack1 shutdown -a --plan", "what would be shut down where"),
    ),
    "reboot": (("xlpy reboot -w web", "and wait until the old one has stopped"),),
    "destroy": (("xlpy destroy web@xen1", "as pulling the plug, on another host"),),
    "console": (
        ("xlpy console web", "Ctrl-] leaves it"),
        ("xlpy console -e ^a web", "Ctrl-A leaves it"),
        ("xlpy console --dump web", "what it has said so far"),
    ),
    "vncviewer": (("xlpy -H xen1 vncviewer --port=5910 web", "for a viewer of your own, at 127.0.0.1:5910"),),
    "save": (
        ("xlpy save web web.save", "the domain is gone afterwards"),
        ("xlpy save -c web web.save", "it runs on"),
    ),
    "restore": (("xlpy restore -p web.save", "and leave it paused"),),
    "migrate": (
        ("xlpy migrate --check web xen2", "whether anything is in the way"),
        ("xlpy migrate web xen2", "while it runs"),
        ("xlpy migrate --with-disks web xen2", "where the hosts share no storage"),
        ("xlpy migrate --xl web xen2", "to a host that has xl alone"),
    ),
    "wait": (
        ("xlpy wait --timeout 60 web console 'login:'", "until it is up"),
        ("xlpy wait web gone", "until it has ended and is cleared away"),
    ),
    "events": (
        ("xlpy events -n 20", "the last ones"),
        ("xlpy -H all events --follow -o json", "those of all hosts as they come, a line each"),
    ),
    "mem-set": (("xlpy mem-set web 512m", "shrink or grow a running domain"),),
    "vcpu-pin": (
        ("xlpy vcpu-pin web all 2-3", "all its vcpus run on these two pcpus"),
        ("xlpy vcpu-pin web 0 - 4-7", "vcpu 0 prefers these, and may run where it could before"),
    ),
    "block-attach": (("xlpy block-attach web /srv/data.qcow2,qcow2,xvdb,w", "one more disk"),),
    "block-detach": (("xlpy block-detach web xvdb", "once the guest lets go of it"),),
    "network-attach": (("xlpy network-attach web bridge=xenbr1 model=virtio", "one more card"),),
    "cd-insert": (("xlpy cd-insert win hdc /srv/drivers.iso", "into the drive that it has as hdc"),),
    "sched-credit2": (("xlpy sched-credit2 -d web -w 512", "twice the share of others"),),
    "top": (
        ("xlpy -H all top --sort=-memory_kib", "all hosts on one screen, the largest first"),
        ("xlpy top -b -i 1 -o json", "figures for a program"),
    ),
    "define": (("xlpy define web.cfg", "remember it; 'xlpy start web' starts it"),),
    "autostart": (("xlpy autostart --order 1 --delay 10 db", "start it with its host"),),
    "host add": (
        ("xlpy host add xen1", "a name that ssh knows"),
        ("xlpy host add xen2 root@192.0.2.2 --group rack1", "under a name of your own, in a group"),
    ),
    "host check": (("xlpy host check @rack1", "what is there, and what is wrong"),),
    "config check": (("xlpy config check /etc/xen/*.cfg", "before it matters"),),
    "config show": (("xlpy config show web.cfg", "all settings, and where each comes from"),),
    "config diff": (("xlpy config diff web.cfg web", "what changing the running domain would take"),),
    "config convert": (("xlpy config convert web.xml", "what libvirt has, as a file for xlpy create"),),
    "completion": (("source <(xlpy completion bash)", "in ~/.bashrc"),),
    "lab up": (
        ("xlpy lab up", "a real Xen host to try things on: xlpy -H lab1 list"),
        ("xlpy lab up lab1 lab2", "two, to migrate between"),
    ),
    "schema": (("xlpy schema domain", "what 'xlpy list -o json' prints"),),
}  # fmt: skip
"""By command, in the order of their use."""
