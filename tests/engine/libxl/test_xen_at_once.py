"""Many things at once on a real Xen: a call that takes long holds nobody up, and what calls needed is given back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from eventually import eventually
from xen_hosts import XenHost
from xen_rounds import PLACE, install

pytestmark = pytest.mark.xen

GUEST = """\
name = "%s"
type = "pv"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd.img"
memory = 96
"""
# Xen's own script for disks, which waits until it is let go; libxl waits 40 seconds for it.
HELD_SCRIPT = """\
#!/bin/sh
if [ "$1" = add ]; then
    touch /run/held
    until [ -e /run/let-go ]; do sleep 0.1; done
fi
exec /etc/xen/scripts/block "$@"
"""
# Five clients that are connected already ask for it at the same moment; prints what each is told.
DESTROY = """\
import sys
from xlpy.client.host import connect
from xlpy.errors import XlError

hosts = [connect("local") for _ in range(5)]
for domid in map(int, sys.argv[1:]):
    for call in [host.begin("destroy_domain", domid=domid) for host in hosts]:
        try:
            call.result()
            print("done")
        except XlError as error:
            print(type(error).__name__, error)
"""
KEPT_CONTEXTS = 4
LOGS_OF_A_CONTEXT = 2  # libxl's end and ours
CLIENTS = 10


class Dom0:
    """xlpy in a dom0."""

    def __init__(self, host: XenHost) -> None:
        self.host = host

    def begin(self, *words: str) -> subprocess.Popen[str]:
        argv = self.host.argv("env", f"PYTHONPATH={PLACE}", "python3", "-m", "xlpy", *words)
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def xlpy(self, *words: str) -> str:
        return self.host.run("env", f"PYTHONPATH={PLACE}", "python3", "-m", "xlpy", *words).stdout

    def is_there(self, path: str) -> bool:
        return self.host.run("test", "-e", path, check=False).returncode == 0

    def xlpyd(self, what: str) -> int:
        """The number of lines of this shell command about xlpyd, whose directory in /proc is the working directory."""
        return len(self.host.sh(f"cd /proc/$(cat /run/xlpy/xlpyd.lock) && {what}").splitlines())


@pytest.fixture(scope="class")
def dom0(xen_host: XenHost) -> Iterator[Dom0]:
    install(xen_host)
    yield Dom0(xen_host)
    xen_host.sh("touch /run/let-go")


class TestAtOnce:
    def test_a_slow_hotplug_script_holds_up_nobody_else(self, dom0: Dom0) -> None:
        dom0.host.put("/etc/xen/scripts/block-held", HELD_SCRIPT)
        dom0.host.run("chmod", "755", "/etc/xen/scripts/block-held")
        dom0.host.put("/root/quick.cfg", GUEST % "quick")
        disk = 'disk = ["vdev=xvda,access=ro,format=raw,backendtype=phy,script=block-held,target=/srv/guest/data.img"]'
        dom0.host.put("/root/slow.cfg", GUEST % "slow" + disk)
        dom0.xlpy("create", "-p", "/root/quick.cfg")
        with dom0.begin("create", "-p", "/root/slow.cfg") as slow:
            eventually(lambda: dom0.is_there("/run/held"), timeout_s=120)
            listed = dom0.xlpy("list")
            held = slow.poll() is None
            dom0.host.run("touch", "/run/let-go")
            slow.wait(300)  # on a busy machine libxl may have given the script up meanwhile
        assert held, "list was answered when create was over"
        assert {line.split()[0] for line in listed.splitlines()[1:]} == {"Domain-0", "quick", "slow"}
        dom0.host.sh("xl destroy quick; xl destroy slow", check=False)

    def test_one_that_many_destroy_is_destroyed_for_all_of_them(self, dom0: Dom0) -> None:
        """Some come too late to find it; none is told that it can't be destroyed, since it is."""
        dom0.host.put("/root/destroy.py", DESTROY)
        names = ("one", "two", "three")
        for name in names:
            dom0.host.put(f"/root/{name}.cfg", GUEST % name)
            dom0.xlpy("create", "-p", f"/root/{name}.cfg")
        domids = [dom0.host.sh(f"xl domid {name}").strip() for name in names]
        argv = ("env", f"PYTHONPATH={PLACE}", "python3", "/root/destroy.py", *domids)
        said = dom0.host.run(*argv).stdout.splitlines()
        assert len(said) == 5 * len(names)
        assert {line.split()[0] for line in said} <= {"done", "DomainNotFound"}, said
        assert len(dom0.host.sh("xl list").splitlines()) == 2

    def test_what_many_clients_needed_is_given_back(self, dom0: Dom0) -> None:
        dom0.xlpy("list")
        idle_threads = dom0.xlpyd("ls task")
        clients = [dom0.begin("list") for _ in range(CLIENTS)]
        for client in clients:
            with client:
                assert client.wait(300) == 0
        eventually(lambda: dom0.xlpyd("ls task") <= idle_threads, timeout_s=60)
        logs = dom0.xlpyd("readlink fd/* | grep 'libxl log' || true")
        assert LOGS_OF_A_CONTEXT <= logs <= KEPT_CONTEXTS * LOGS_OF_A_CONTEXT
