"""The option texts of xl's own help, as recorded from it; scripts and eyes know them by heart.

A command that isn't here gets its text made from the options in its row; xl says nothing of any for ``top``.
"""

from __future__ import annotations

RECORDED: dict[str, str | None] = {
    "block-detach": "-f, --force        do not wait for the domain to release the device",
    "button-press": "<Button> may be 'power' or 'sleep'.",
    "claims": "",
    "config-update": (
        "-h                      Print this help.\n"
        "-f FILE, --defconfig=FILE\n"
        "                     Use the given configuration file.\n"
        "-d                      Enable debug messages.\n"
    ),
    "console": None,
    "cpupool-create": (
        "-h, --help                   Print this help.\n"
        "-f FILE, --defconfig=FILE    Use the given configuration file.\n"
        "-n, --dryrun                 Dry run - prints the resulting configuration.\n"
        "                              (deprecated in favour of global -N option).\n"
        "\n"
        "See the xlcpupool.cfg(5) manpage for more information."
    ),
    "cpupool-list": "-c, --cpus                     Output list of CPUs used by a pool",
    "create": (
        "-c                      Connect to the console after the domain is created.\n"
        "-d                      Enable debug messages.\n"
        "-e                      Do not wait in the background for the death of the domain.\n"
        "-F                      Run in foreground until death of the domain.\n"
        "-f FILE, --defconfig=FILE\n"
        "                     Use the given configuration file.\n"
        "-h                      Print this help.\n"
        "-n, --dryrun            Dry run - prints the resulting configuration\n"
        "                         (deprecated in favour of global -N option).\n"
        "-p                      Leave the domain paused after it is created.\n"
        "-q, --quiet             Quiet.\n"
        "-V, --vncviewer         Connect to the VNC display after the domain is created.\n"
        "-A, --vncviewer-autopass\n"
        "                        Pass VNC password to viewer via stdin.\n"
        "--ignore-global-affinity-masks Ignore global masks in xl.conf."
    ),
    "destroy": (
        "-f                      Permit destroying domain 0, which will only succeed\n"
        "                        when run from disaggregated toolstack domain with a\n"
        "                        hardware domain distinct from domain 0."
    ),
    "devd": (
        "-F                      Run in the foreground.\n"
        "-p, --pidfile [FILE]    Write PID to pidfile when daemonizing."
    ),
    "dmesg": "  -c                        Clear dmesg buffer as well as printing it",
    "info": None,
    "list": (
        "-l, --long              Output all VM details\n"
        "-v, --verbose           Prints out UUIDs and security context\n"
        "-Z, --context           Prints out security context\n"
        "-c, --cpupool           Prints the cpupool the domain is in\n"
        "-n, --numa              Prints out NUMA node affinity"
    ),
    "migrate": (
        "-h              Print this help.\n"
        "-C <config>     Send <config> instead of config file from creation.\n"
        "-s <sshcommand> Use <sshcommand> instead of ssh.  String will be passed\n"
        "                to sh. If empty, run <host> instead of ssh <host> xl\n"
        "                migrate-receive [-d -e]\n"
        "-e              Do not wait in the background (on <host>) for the death\n"
        "                of the domain.\n"
        "--debug         Print huge (!) amount of debug during the migration process.\n"
        "-p              Do not unpause domain after migrating it.\n"
        "-D              Preserve the domain id"
    ),
    "migrate-receive": None,
    "pci-assignable-add": (
        "-n NAME, --name=NAME    Name the assignable device.\n-h                      Print this help.\n"
    ),
    "pci-assignable-list": (
        "-h                      Print this help.\n"
        "-n, --show-names        Display assignable device names where\n"
        "                        supplied.\n"
    ),
    "pci-assignable-remove": (
        "-h                      Print this help.\n"
        "-r                      Attempt to re-assign the device to the\n"
        "                        original driver."
    ),
    "psr-cat-set": (
        "-s <socket>       Specify the socket to process, otherwise all sockets are processed\n"
        "-l <level>        Specify the cache level to process, otherwise L3 cache is processed\n"
        "-c                Set code CBM if CDP is supported\n"
        "-d                Set data CBM if CDP is supported\n"
    ),
    "psr-cat-show": "-l <level>        Specify the cache level to process, otherwise L3 cache is processed\n",
    "psr-cmt-show": (
        "Available monitor types:\n"
        '"cache-occupancy":         Show L3 cache occupancy(KB)\n'
        '"total-mem-bandwidth":     Show total memory bandwidth(KB/s)\n'
        '"local-mem-bandwidth":     Show local memory bandwidth(KB/s)\n'
    ),
    "psr-hwinfo": (
        "-m, --cmt       Show Cache Monitoring Technology (CMT) hardware info\n"
        "-a, --cat       Show Cache Allocation Technology (CAT) hardware info\n"
        "-b, --mba       Show Memory Bandwidth Allocation (MBA) hardware info\n"
    ),
    "psr-mba-set": "-s <socket>       Specify the socket to process, otherwise all sockets are processed\n",
    "reboot": (
        "-a, --all               Shutdown all guest domains.\n"
        "-h                      Print this help.\n"
        "-F                      Fallback to ACPI reset event for HVM guests with\n"
        "                        no PV drivers.\n"
        "-w, --wait              Wait for guest(s) to reboot.\n"
    ),
    "remus": (
        "-i MS                   Checkpoint domain memory every MS milliseconds (def. 200ms).\n"
        "-u                      Disable memory checkpoint compression.\n"
        "-s <sshcommand>         Use <sshcommand> instead of ssh.  String will be passed\n"
        "                        to sh. If empty, run <host> instead of \n"
        "                        ssh <host> xl migrate-receive -r [-e]\n"
        "-e                      Do not wait in the background (on <host>) for the death\n"
        "                        of the domain.\n"
        "-N <netbufscript>       Use netbufscript to setup network buffering instead of the\n"
        "                        default script (/etc/xen/scripts/remus-netbuf-setup).\n"
        "-F                      Enable unsafe configurations [-b|-n|-d flags]. Use this option\n"
        "                        with caution as failover may not work as intended.\n"
        "-b                      Replicate memory checkpoints to /dev/null (blackhole).\n"
        "                        Works only in unsafe mode.\n"
        "-n                      Disable network output buffering. Works only in unsafe mode.\n"
        "-d                      Disable disk replication. Works only in unsafe mode.\n"
        "-c                      Enable COLO HA. It is conflict with -i and -b, and memory\n"
        "                        checkpoint must be disabled.\n"
        "-p                      Use COLO userspace proxy."
    ),
    "restore": (
        "-h                       Print this help.\n"
        "-p                       Do not unpause domain after restoring it.\n"
        "-e                       Do not wait in the background for the death of the domain.\n"
        "-d                       Enable debug messages.\n"
        "-V, --vncviewer          Connect to the VNC display after the domain is created.\n"
        "-A, --vncviewer-autopass Pass VNC password to viewer via stdin."
    ),
    "save": (
        "-h  Print this help.\n"
        "-c  Leave domain running after creating the snapshot.\n"
        "-p  Leave domain paused after creating the snapshot.\n"
        "-D  Store the domain id in the configuration."
    ),
    "sched-credit": (
        "-d DOMAIN, --domain=DOMAIN        Domain to modify\n"
        "-w WEIGHT, --weight=WEIGHT        Weight (int)\n"
        "-c CAP, --cap=CAP                 Cap (int)\n"
        "-s         --schedparam           Query / modify scheduler parameters\n"
        "-t TSLICE, --tslice_ms=TSLICE     Set the timeslice, in milliseconds\n"
        "-r RLIMIT, --ratelimit_us=RLIMIT  Set the scheduling rate limit, in microseconds\n"
        "-m DLY, --migration_delay_us=DLY  Set the migration delay, in microseconds\n"
        "-p CPUPOOL, --cpupool=CPUPOOL     Restrict output to CPUPOOL"
    ),
    "sched-credit2": (
        "-d DOMAIN, --domain=DOMAIN     Domain to modify\n"
        "-w WEIGHT, --weight=WEIGHT     Weight (int)\n"
        "-c CAP,    --cap=CAP           Cap (int)\n"
        "-s         --schedparam        Query / modify scheduler parameters\n"
        "-r RLIMIT, --ratelimit_us=RLIMIT Set the scheduling rate limit, in microseconds\n"
        "-p CPUPOOL, --cpupool=CPUPOOL  Restrict output to CPUPOOL"
    ),
    "sched-rtds": (
        "-d DOMAIN, --domain=DOMAIN     Domain to modify\n"
        "-v VCPUID/all, --vcpuid=VCPUID/all    VCPU to modify or output;\n"
        "               Using '-v all' to modify/output all vcpus\n"
        "-p PERIOD, --period=PERIOD     Period (us)\n"
        "-b BUDGET, --budget=BUDGET     Budget (us)\n"
        "-e Extratime, --extratime=Extratime Extratime (1=yes, 0=no)\n"
    ),
    "shutdown": (
        "-a, --all               Shutdown all guest domains.\n"
        "-h                      Print this help.\n"
        "-F                      Fallback to ACPI power event for HVM guests with\n"
        "                        no PV drivers.\n"
        "-w, --wait              Wait for guest(s) to shutdown.\n"
    ),
    "top": None,
    "uptime": None,
    "vcpu-pin": (
        "-f, --force        undo an override pinning done by the kernel\n"
        "--ignore-global-affinity-masks Ignore global masks in xl.conf"
    ),
    "vcpu-set": "-i, --ignore-host  Don't limit the vCPU based on the host CPU count",
    "vdispl-attach": (
        "    BackAlloc  - set to 1 to if backend allocates display buffers\n"
        "    Connectors - list of connector's description in ID:WxH format,\n"
        "                 where: ID - unique connector ID, W - connector width,\n"
        "                 H - connector height: connectors='id0:800x600;id1:1024x768'\n"
    ),
    "vncviewer": None,
}

# What xl shows for the arguments, where it is not that: some have their options there.
USAGES: dict[str, str] = {
    "console": (
        "[options] <Domain>\n"
        "-t <type>       console type, pv , serial or vuart\n"
        "-n <number>     console number"
    ),
    "info": "-n, --numa         List host NUMA topology information",
    "vncviewer": (
        "[options] <Domain>\n"
        "--autopass               Pass VNC password to viewer via stdin and\n"
        "                         -autopass\n"
        "--vncviewer-autopass     (consistency alias for --autopass)"
    ),
}
