"""The table of commands, in xl's order (xl_cmdtable.c), and looking them up.

To add a command: one row here, and the function its ``handler`` names (``module:function`` under ``xlpy.cli``):

    def frobnicate(session: Session, args: Arguments) -> int | None:
        '''What it does and the libxl call or man page it follows.'''

It reads ``args`` (``args.flag("force")``, ``args.value("domain")``, ``args.rest``), asks ``session.host``, shows rows by
``session.show(kind, rows)`` and speaks to the user by ``session.say``. It returns the exit status, None being 0;
what goes wrong is an XlError. It isn't imported before the command runs. Names of xl that this release lacks are
in ``commands_absent``.
"""

from __future__ import annotations

from xlpy.cli.options import Option, flag, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

    Handler = Callable[[Session, Arguments], int | None]


class Command:
    """One command: how it is called, who carries it out, what it may do.

    ``needs`` is how many arguments it takes at least, ``usage`` and ``summary`` are xl's words. ``own`` marks what
    xl doesn't have. ``handler`` is None for a command of xl's that this release lacks.
    """

    __slots__ = ("dry_run", "handler", "modifies", "name", "needs", "options", "own", "summary", "usage")

    def __init__(
        self,
        name: str,
        handler: str | None,
        usage: str,
        summary: str,
        *options: Option,
        needs: int = 0,
        modifies: bool = False,
        dry_run: bool = False,
        own: bool = False,
    ) -> None:
        self.name = name
        self.handler = handler
        self.usage = usage
        self.summary = summary
        self.options = options
        self.needs = needs
        self.modifies = modifies
        self.dry_run = dry_run
        self.own = own

    def load(self) -> Handler:
        """The function that carries the command out; its module is imported now."""
        from importlib import import_module

        if self.handler is None:
            raise LookupError(self.name)
        module, _, function = self.handler.partition(":")
        handler: Handler = getattr(import_module(f"xlpy.cli.{module}"), function)
        return handler


_SIZE = "<MemMB['b'[bytes]|'k'[KB]|'m'[MB]|'g'[GB]|'t'[TB]]>"
_MASKS = "Ignore global masks in xl.conf."
_VIEWER = (
    flag("-V --vncviewer", "Connect to the VNC display after the domain is created."),
    flag("-A --vncviewer-autopass", "Pass VNC password to viewer via stdin."),
)
_SET = value("--set", "NAME=VALUE", "Value of ${NAME} in an extended file; may be given several times.")

_ROWS = (
    Command(
        "create", "create:create", "<ConfigFile> [options] [vars]", "Create a domain from config file <filename>",
        flag("-c", "Connect to the console before the domain starts to run."),
        flag("-d", "Enable debug messages."),
        flag("-e", "Leave the domain alone when it ends."),
        flag("-F", "Stay in the foreground until the domain is gone."),
        value("-f --defconfig", "FILE", "Use the given configuration file."),
        flag("-n --dryrun", "Print the resulting configuration and do nothing."),
        flag("-p", "Leave the domain paused after it is created."),
        flag("-q --quiet", "Quiet."),
        *_VIEWER,
        flag("-i --ignore-global-affinity-masks", _MASKS),
        flag("--strict", "Refuse a configuration that holds anything without effect."),
        _SET,
        modifies=True, dry_run=True,
    ),
    Command(
        "config-update", "create:config_update", "<Domain> <ConfigFile> [options] [vars]",
        "Update a running domain's saved configuration, used when rebuilding the domain after reboot.\n"
        "WARNING: xl now has better capability to manage domain configuration, avoid using this command when possible",
        value("-f --defconfig", "FILE", "Use the given configuration file."),
        flag("-d", "Enable debug messages."),
        flag("-q", "Quiet."),
        _SET,
        needs=1, modifies=True, dry_run=True,
    ),
    Command(
        "list", "listing:list_domains", "[options] [Domain]\n", "List information about all/some domains",
        flag("-l --long", "Output all VM details"),
        flag("-v --verbose", "Prints out UUIDs and security context"),
        flag("-Z --context", "Prints out security context"),
        flag("-c --cpupool", "Prints the cpupool the domain is in"),
        flag("-n --numa", "Prints out NUMA node affinity"),
    ),
    Command(
        "destroy", "lifecycle:destroy", "[options] <Domain>\n", "Terminate a domain immediately",
        flag("-f", "Permit destroying domain 0."),
        needs=1, modifies=True,
    ),
    Command(
        "shutdown", "lifecycle:shutdown", "[options] <-a|Domain>", "Issue a shutdown signal to a domain",
        flag("-a --all", "Shut down all guests."),
        flag("-F", "Press the ACPI power button of a guest without PV drivers."),
        flag("-w --wait", "Wait until they have shut down; given twice, until they are gone."),
        value("--timeout", "SECONDS", "Wait no longer than this."),
        modifies=True,
    ),
    Command(
        "reboot", "lifecycle:reboot", "[options] <-a|Domain>", "Issue a reboot signal to a domain",
        flag("-a --all", "Reboot all guests."),
        flag("-F", "Press the ACPI reset button of a guest without PV drivers."),
        flag("-w --wait", "Wait until they have shut down; given twice, until they are gone."),
        value("--timeout", "SECONDS", "Wait no longer than this."),
        modifies=True,
    ),
    Command("pause", "lifecycle:pause", "<Domain>", "Pause execution of a domain", needs=1, modifies=True),
    Command("unpause", "lifecycle:unpause", "<Domain>", "Unpause a paused domain", needs=1, modifies=True),
    Command(
        "console", "console:console", "[options] <Domain>", "Attach to domain's console",
        value("-t --type", "TYPE", "Kind of console: pv or serial."),
        value("-n --num", "NUMBER", "Number of the console."),
        value("-e --escape", "CHAR", "Character that leaves the console, ^X for a Ctrl key; ^] if not given."),
        flag("--no-input", "Show what the domain says and send it nothing."),
        flag("--dump", "Print what the domain has said so far and leave."),
        needs=1,
    ),
    Command(
        "vncviewer", "vnc:vncviewer", "[options] <Domain>", "Attach to domain's VNC server.",
        flag("-a --autopass --vncviewer-autopass", "Pass VNC password to viewer via stdin."),
        needs=1,
    ),
    Command(
        "save", "saverestore:save", "[options] <Domain> <CheckpointFile> [<ConfigFile>]",
        "Save a domain state to restore later",
        flag("-c", "Leave domain running after creating the snapshot."),
        flag("-p", "Leave domain paused after creating the snapshot."),
        flag("-D", "Store the domain id in the configuration."),
        needs=2, modifies=True,
    ),
    Command(
        "migrate", "migrate:migrate", "[options] <Domain> <host>", "Migrate a domain to another host",
        value("-C", "CONFIG", "Send this configuration instead of the one the domain was made from."),
        value("-s", "SSHCOMMAND", "Program to reach the host with, instead of ssh."),
        flag("-e", "Leave the domain alone when it ends on the other host."),
        flag("--debug", "Say everything about the transfer."),
        flag("-p", "Leave the domain paused on the other host."),
        flag("-D", "Keep the domain id."),
        flag("--live", "Migrate while the domain runs, as is done anyway.", hidden=True),
        value("--bandwidth", "BYTES", "Send no more than this per second (letters k, m, g)."),
        value("--downtime", "MS", "Downtime to aim at first."),
        value("--max-downtime", "MS", "Most downtime to accept when it doesn't converge."),
        flag("--resume", "After a broken migration: let the domain that stands still here go on."),
        flag("--abort", "After a broken migration: give up the copy on this host."),
        needs=1, modifies=True,
    ),
    Command(
        "restore", "saverestore:restore", "[options] [<ConfigFile>] <CheckpointFile>",
        "Restore a domain from a saved state",
        flag("-p", "Do not unpause domain after restoring it."),
        flag("-e", "Leave the domain alone when it ends."),
        flag("-d", "Enable debug messages."),
        *_VIEWER,
        flag("-c", "Connect to the console.", hidden=True),
        flag("-F", "Stay in the foreground until the domain is gone.", hidden=True),
        needs=1, modifies=True,
    ),
    Command(
        "dump-core", "misc:dump_core", "<Domain> <filename>", "Core dump a domain", needs=2, modifies=True
    ),
    Command(
        "cd-insert", "block:cd_insert", "<Domain> <VirtualDevice> <path>", "Insert a cdrom into a guest's cd drive",
        needs=3, modifies=True, dry_run=True,
    ),
    Command(
        "cd-eject", "block:cd_eject", "<Domain> <VirtualDevice>", "Eject a cdrom from a guest's cd drive",
        needs=2, modifies=True, dry_run=True,
    ),
    Command(
        "mem-max", "memory:mem_max", f"<Domain> {_SIZE}", "Set the maximum amount reservation for a domain",
        needs=2, modifies=True,
    ),
    Command(
        "mem-set", "memory:mem_set", f"<Domain> {_SIZE}", "Set the current memory usage for a domain",
        needs=2, modifies=True,
    ),
    Command(
        "button-press", "misc:button_press", "<Domain> <Button>", "Indicate an ACPI button press to the domain",
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
    Command("vm-list", "listing:vm_list", "", "List guest domains, excluding dom0, stubdoms, etc."),
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
        "sched-rtds", "sched:sched_rtds",
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
    Command("domid", "listing:domid", "<DomainName>", "Convert a domain name to domain id", needs=1),
    Command("domname", "listing:domname", "<DomainId>", "Convert a domain id to domain name", needs=1),
    Command("rename", "lifecycle:rename", "<Domain> <NewDomainName>", "Rename a domain", needs=2, modifies=True),
    Command(
        "trigger", "misc:trigger", "<Domain> <nmi|reset|init|power|sleep|s3resume> [<VCPU>]",
        "Send a trigger to a domain", needs=2, modifies=True,
    ),
    Command("sysrq", "misc:sysrq", "<Domain> <letter>", "Send a sysrq to a domain", needs=2, modifies=True),
    Command(
        "dmesg", "host:dmesg", "[-c]", "Read and/or clear dmesg buffer",
        flag("-c --clear", "Clear the buffer after printing it."),
    ),
    Command(
        "top", "top:top", "", "Monitor a host and the domains in real time",
        flag("-b --batch", "Print plain text, screen after screen."),
        value("-d --delay", "SECONDS", "Time between two screens."),
        value("-i --iterations", "COUNT", "Leave after this many screens."),
    ),
    Command(
        "network-attach", "network:network_attach",
        "<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] [backend=<BackDomain>] "
        "[vifname=<name>] [rate=<rate>] [model=<model>] [accel=<accel>] [mtu=<mtu>]",
        "Create a new virtual network device", needs=1, modifies=True, dry_run=True,
    ),
    Command(
        "network-list", "network:network_list", "<Domain(s)>", "List virtual network interfaces for a domain", needs=1
    ),
    Command(
        "network-detach", "network:network_detach", "<Domain> <DevId|mac>",
        "Destroy a domain's virtual network device", needs=2, modifies=True,
    ),
    Command(
        "block-attach", "block:block_attach", "<Domain> <disk-spec-component(s)>...",
        "Create a new virtual block device", needs=2, modifies=True, dry_run=True,
    ),
    Command("block-list", "block:block_list", "<Domain(s)>", "List virtual block devices for a domain", needs=1),
    Command(
        "block-detach", "block:block_detach", "[option] <Domain> <DevId>", "Destroy a domain's virtual block device",
        flag("-f --force", "Don't wait for the domain to release the device."),
        needs=2, modifies=True,
    ),
    Command(
        "uptime", "listing:uptime", "[-s] [Domain]", "Print uptime for all/some domains",
        flag("-s", "One short line per domain."),
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
    Command(
        "qemu-monitor-command", "misc:qemu_monitor_command", "<Domain> <Command>",
        "Issue a qemu monitor command to the device model of a domain", needs=2, modifies=True,
    ),
    Command("help", "help:help_command", "[command]", "Show what a command does and its options"),
    Command(
        "events", "events:events", "[options] [Domain]", "Show what happened on the host: who asked what, and the result",
        value("--after", "ID", "Show events after this one only."),
        value("-n --lines", "COUNT", "Show the last COUNT events only."),
        flag("-F --follow", "Go on and show new events as they come."),
        own=True,
    ),
    Command(
        "config check", "config_check:check", "[options] <ConfigFile>...",
        "Report all that is wrong with configuration files; exit status 1 if anything is",
        flag("--strict", "Call what has no effect an error, not a warning."), _SET,
        needs=1, own=True,
    ),
    Command(
        "config fmt", "config_fmt:fmt", "[options] <ConfigFile>...",
        "Bring configuration files into their canonical layout; - formats standard input to standard output",
        flag("--check", "Change nothing; name the files that would change, exit status 1 if there are any."),
        needs=1, own=True,
    ),
    Command(
        "config show", "config_show:show", "[options] <ConfigFile> [vars]",
        "Show all settings of a configuration file with defaults, and where each comes from",
        flag("--plain", "Print an extended file as one that xl can read."), _SET,
        needs=1, own=True,
    ),
    Command(
        "config diff", "config_diff:diff", "[options] <ConfigFile> <Domain|ConfigFile>",
        "Show in what a configuration differs from a domain or another file, and how to apply it",
        _SET,
        needs=2, own=True,
    ),
    Command(
        "config convert", "config_convert:convert", "[options] <File>",
        "Convert libvirt's domain XML to a configuration file, or the other way round",
        flag("--lossy", "Go on without what the other form cannot say; it is named on standard error."), _SET,
        needs=1, own=True,
    ),
)  # fmt: skip

COMMANDS: dict[str, Command] = {row.name: row for row in _ROWS}
"""What this release can do, by name."""


def subcommands(name: str) -> list[str]:
    """The second words of the commands whose first word this is."""
    return [row.split()[1] for row in COMMANDS if row.startswith(f"{name} ")]


def find_command(name: str) -> Command | None:
    """The command of exactly this name, be it one that this release lacks; None when xl doesn't know it either."""
    command = COMMANDS.get(name)
    if command is None:
        from xlpy.cli.commands_absent import ABSENT

        command = ABSENT.get(name)
    return command


def find_xl_command(beginning: str) -> Command | None:
    """xl's lookup: a command's name or an unambiguous beginning of one; None for no or several (cmdtable_lookup)."""
    command = find_command(beginning)
    if command is not None:
        return command
    matching = [command for command in xl_commands() if command.name.startswith(beginning)]
    return matching[0] if len(matching) == 1 else None


def xl_commands() -> list[Command]:
    """All commands that xl has on x86, in the order of its help."""
    from xlpy.cli.commands_absent import ABSENT, ORDER

    return [COMMANDS.get(name) or ABSENT[name] for name in ORDER]
