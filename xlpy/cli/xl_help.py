"""The option texts of xl's own help, as recorded from it; scripts and eyes know them by heart.

A command that isn't here gets its text made from the options in its row; xl says nothing of any for ``top``.
"""

from __future__ import annotations

RECORDED: dict[str, str] = {
    "cpupool-create": (
        "-h, --help                   Print this help.\n"
        "-f FILE, --defconfig=FILE    Use the given configuration file.\n"
        "-n, --dryrun                 Dry run - prints the resulting configuration.\n"
        "                              (deprecated in favour of global -N option).\n"
        "\n"
        "See the xlcpupool.cfg(5) manpage for more information."
    ),
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
    "psr-cat-set": (
        "-s <socket>       Specify the socket to process, otherwise all sockets are processed\n"
        "-l <level>        Specify the cache level to process, otherwise L3 cache is processed\n"
        "-c                Set code CBM if CDP is supported\n"
        "-d                Set data CBM if CDP is supported\n"
    ),
    "save": (
        "-h  Print this help.\n"
        "-c  Leave domain running after creating the snapshot.\n"
        "-p  Leave domain paused after creating the snapshot.\n"
        "-D  Store the domain id in the configuration."
    ),
    "sched-credit2": (
        "-d DOMAIN, --domain=DOMAIN     Domain to modify\n"
        "-w WEIGHT, --weight=WEIGHT     Weight (int)\n"
        "-c CAP,    --cap=CAP           Cap (int)\n"
        "-s         --schedparam        Query / modify scheduler parameters\n"
        "-r RLIMIT, --ratelimit_us=RLIMIT Set the scheduling rate limit, in microseconds\n"
        "-p CPUPOOL, --cpupool=CPUPOOL  Restrict output to CPUPOOL"
    ),
    "shutdown": (
        "-a, --all               Shutdown all guest domains.\n"
        "-h                      Print this help.\n"
        "-F                      Fallback to ACPI power event for HVM guests with\n"
        "                        no PV drivers.\n"
        "-w, --wait              Wait for guest(s) to shutdown.\n"
    ),
    "top": "",
    "vcpu-pin": (
        "-f, --force        undo an override pinning done by the kernel\n"
        "--ignore-global-affinity-masks Ignore global masks in xl.conf"
    ),
}
