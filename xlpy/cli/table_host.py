"""Commands on memory, vcpus, schedulers and the host itself."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import flag, value

_SIZE = "<MemMB['b'[bytes]|'k'[KB]|'m'[MB]|'g'[GB]|'t'[TB]]>"
_MASKS = "Ignore global masks in xl.conf."

ROWS = (
    Command(
        "mem-max", "memory:mem_max", f"<Domain> {_SIZE}", "Set the maximum amount reservation for a domain",
        needs=2, modifies=True,
    ),
    Command(
        "mem-set", "memory:mem_set", f"<Domain> {_SIZE}", "Set the current memory usage for a domain",
        needs=2, modifies=True,
    ),
    Command("vcpu-list", "vcpu:vcpu_list", "[Domain, ...]", "List the VCPUs for all/some domains"),
    Command(
        "vcpu-pin", "vcpu:vcpu_pin", "[option] <Domain> <VCPU|all> <Hard affinity|-|all> <Soft affinity|-|all>",
        "Set which CPUs a VCPU can use",
        flag("-f --force", "Undo a pinning that the guest's kernel overrode."),
        flag("-i --ignore-global-affinity-masks", _MASKS),
        needs=3, modifies=True, dry_run=True,
    ),
    Command(
        "vcpu-set", "vcpu:vcpu_set", "[option] <Domain> <vCPUs>",
        "Set the number of active VCPUs allowed for the domain",
        flag("-i --ignore-host", "Allow more VCPUs than the host has CPUs."),
        needs=2, modifies=True,
    ),
    Command(
        "info", "host:info", "", "Get information about Xen host",
        flag("-n --numa", "List host NUMA topology information"),
        flag("-x --xenstore", "Show the features of xenstore.", hidden=True),
    ),
    Command("sharing", "memory:sharing", "[Domain]", "Get information about page sharing"),
    Command(
        "sched-credit", "sched:sched_credit",
        "[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]] [-s [-t TSLICE] [-r RATELIMIT]] [-p CPUPOOL]",
        "Get/set credit scheduler parameters",
        value("-d --domain", "DOMAIN", "Domain to modify"),
        value("-w --weight", "WEIGHT", "Weight (int)"),
        value("-c --cap", "CAP", "Cap (int)"),
        flag("-s --schedparam", "Query / modify scheduler parameters"),
        value("-t --tslice_ms", "TSLICE", "Set the timeslice, in milliseconds"),
        value("-r --ratelimit_us", "RLIMIT", "Set the scheduling rate limit, in microseconds"),
        value("-m --migration_delay_us", "DLY", "Set the migration delay, in microseconds"),
        value("-p --cpupool", "CPUPOOL", "Restrict output to CPUPOOL"),
        modifies=True,
    ),
    Command(
        "sched-credit2", "sched:sched_credit2", "[-d <Domain> [-w[=WEIGHT]]] [-p CPUPOOL]",
        "Get/set credit2 scheduler parameters",
        value("-d --domain", "DOMAIN", "Domain to modify"),
        value("-w --weight", "WEIGHT", "Weight (int)"),
        value("-c --cap", "CAP", "Cap (int)"),
        flag("-s --schedparam", "Query / modify scheduler parameters"),
        value("-r --ratelimit_us", "RLIMIT", "Set the scheduling rate limit, in microseconds"),
        value("-p --cpupool", "CPUPOOL", "Restrict output to CPUPOOL"),
        modifies=True,
    ),
    Command(
        "sched-rtds", "sched_rtds:sched_rtds",
        "[-d <Domain> [-v[=VCPUID/all]] [-p[=PERIOD]] [-b[=BUDGET]] [-e[=Extratime]]]",
        "Get/set rtds scheduler parameters",
        value("-d --domain", "DOMAIN", "Domain to modify"),
        value("-v --vcpuid", "VCPUID", "VCPU to modify or output, or all"),
        value("-p --period", "PERIOD", "Period (us)"),
        value("-b --budget", "BUDGET", "Budget (us)"),
        value("-e --extratime", "EXTRATIME", "Extratime (1=yes, 0=no)"),
        value("-c --cpupool", "CPUPOOL", "Restrict output to CPUPOOL"),
        modifies=True,
    ),
    Command(
        "dmesg", "host:dmesg", "[-c]", "Read and/or clear dmesg buffer",
        flag("-c --clear", "Clear the buffer after printing it."),
        changes=True,
    ),
    Command(
        "top", "top:top", "", "Monitor a host and the domains in real time",
        flag("-b --batch", "Print plain text, screen after screen."),
        value("-d --delay", "SECONDS", "Time between two screens."),
        value("-i --iterations", "COUNT", "Leave after this many screens."),
    ),
    Command("claims", "memory:claims", "", "List outstanding claim information about all domains"),
    Command(
        "cpupool-create", "cpupool:cpupool_create", "[options] [<ConfigFile>] [Variable=value ...]",
        "Create a new CPU pool",
        value("-f --defconfig", "FILE", "Use the given configuration file."),
        flag("-n --dryrun", "Dry run - prints the resulting configuration."),
        modifies=True, dry_run=True,
    ),
    Command(
        "cpupool-list", "host:cpupool_list", "[-c|--cpus] [<CPU Pool>]", "List CPU pools on host",
        flag("-c --cpus", "Output list of CPUs used by a pool"),
    ),
)  # fmt: skip
