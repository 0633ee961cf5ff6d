"""Commands on the hypervisor itself."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import flag, value

ROWS = (
    Command(
        "debug-keys", "hypervisor:debug_keys", "<Keys>",
        "Send debug keys to Xen",
        needs=1, modifies=True,
    ),
    Command(
        "set-parameters", "hypervisor:set_parameters", "<Params>",
        "Set hypervisor parameters",
        needs=1, modifies=True,
    ),
    Command(
        "cpupool-destroy", "cpupool_change:cpupool_destroy", "<CPU Pool>",
        "Deactivates a CPU pool",
        needs=1, modifies=True, loses=True,
    ),
    Command(
        "cpupool-rename", "cpupool_change:cpupool_rename", "<CPU Pool> <new name>",
        "Renames a CPU pool",
        needs=2, modifies=True,
    ),
    Command(
        "cpupool-cpu-add", "cpupool_change:cpupool_cpu_add", "<CPU Pool> <CPU nr>|node:<node nr>",
        "Adds a CPU to a CPU pool",
        needs=2, modifies=True,
    ),
    Command(
        "cpupool-cpu-remove", "cpupool_change:cpupool_cpu_remove", "<CPU Pool> <CPU nr>|node:<node nr>",
        "Removes a CPU from a CPU pool",
        needs=2, modifies=True,
    ),
    Command(
        "cpupool-migrate", "cpupool_change:cpupool_migrate", "<Domain> <CPU Pool>",
        "Moves a domain into a CPU pool",
        needs=2, modifies=True,
    ),
    Command(
        "cpupool-numa-split", "cpupool_change:cpupool_numa_split", "",
        "Splits up the machine into one CPU pool per NUMA node",
        modifies=True,
    ),
    Command(
        "devd", "devd:devd", "[options]", "Daemon that listens for devices and launches backends",
        flag("-F", "Run in the foreground."),
        value("-p --pidfile", "FILE", "Write the daemon's process id there."),
        modifies=True,
    ),
    Command(
        "getenforce", "hypervisor:getenforce", "",
        "Returns the current enforcing mode of the Flask Xen security module",
    ),
    Command(
        "setenforce", "hypervisor:setenforce", "<1|0|Enforcing|Permissive>",
        "Sets the current enforcing mode of the Flask Xen security module",
        modifies=True,
    ),
    Command(
        "loadpolicy", "hypervisor:loadpolicy", "<policy file>",
        "Loads a new policy into the Flask Xen security module",
        modifies=True,
    ),
    Command(
        "psr-hwinfo", "psr:psr_hwinfo", "[options]",
        "Show hardware information for Platform Shared Resource",
        flag("-m --cmt", "Show Cache Monitoring Technology (CMT) hardware info"),
        flag("-a --cat", "Show Cache Allocation Technology (CAT) hardware info"),
        flag("-b --mba", "Show Memory Bandwidth Allocation (MBA) hardware info"),
        modifies=True,
    ),
    Command(
        "psr-cmt-attach", "psr:psr_cmt_attach", "<Domain>",
        "Attach Cache Monitoring Technology service to a domain",
        needs=1, modifies=True,
    ),
    Command(
        "psr-cmt-detach", "psr:psr_cmt_detach", "<Domain>",
        "Detach Cache Monitoring Technology service from a domain",
        needs=1, modifies=True,
    ),
    Command(
        "psr-cmt-show", "psr:psr_cmt_show", "<PSR-CMT-Type> <Domain>",
        "Show Cache Monitoring Technology information",
        needs=1, modifies=True,
    ),
    Command(
        "psr-cat-set", "psr:psr_cat_set", "[options] <Domain> <CBM>",
        "Set cache capacity bitmasks(CBM) for a domain",
        value("-s --socket", "SOCKETS", "Sockets to change, e.g. 0,2-3; all if not given."),
        value("-l --level", "LEVEL", "Level of the cache, 2 or 3."),
        flag("-c --code", "The share of code."),
        flag("-d --data", "The share of data."),
        needs=2, modifies=True,
    ),
    Command(
        "psr-cat-show", "psr:psr_cat_show", "[options] <Domain>",
        "Show Cache Allocation Technology information",
        value("-l --level", "LEVEL", "Level of the cache, 2 or 3."),
        modifies=True,
    ),
    Command(
        "psr-mba-set", "psr:psr_mba_set", "[options] <Domain> <THRTL>",
        "Set throttling value (THRTL) for a domain",
        value("-s --socket", "SOCKETS", "Sockets to change, e.g. 0,2-3; all if not given."),
        needs=2, modifies=True,
    ),
    Command(
        "psr-mba-show", "psr:psr_mba_show", "<Domain>",
        "Show Memory Bandwidth Allocation information",
        modifies=True,
    ),
    Command(
        "xenstore-quota-get", "hypervisor:quota_get", "<Domain>|-g",
        "List global or domain specific Xenstore quotas",
        flag("-g", "The global quotas."),
    ),
    Command(
        "xenstore-quota-set", "hypervisor:quota_set", "<Domain>|-g <quota>=<val>...",
        "Set global or domain specific Xenstore quotas",
        flag("-g", "The global quotas."),
        modifies=True,
    ),
    Command(
        "dt-overlay", "hypervisor:dt_overlay", "<operation=add|remove> <.dtbo> OR <operation=attach> <.dtbo> <Domain>",
        "Add a device tree overlay to Xen's device tree or remove it, or attach its devices to a domain",
        modifies=True,
    ),
)  # fmt: skip
