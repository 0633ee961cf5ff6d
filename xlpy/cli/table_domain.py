"""Commands on the life and the state of domains."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import flag, optional_value, value

_MASKS = "Ignore global masks in xl.conf."
_VIEWER = (
    flag("-V --vncviewer", "Connect to the VNC display after the domain is created."),
    flag("-A --vncviewer-autopass", "Pass VNC password to viewer via stdin."),
)
_SET = value("--set", "NAME=VALUE", "Value of ${NAME} in an extended file; may be given several times.")

ROWS = (
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
        flag("--all", "Managed domains that don't run, too."),
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
        value("--then", "destroy", "What to do with those that have not ended at the timeout."),
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
        value("--reconnect-timeout", "SECONDS", "Try this long to reconnect to a lost host; 60 if not given."),
        needs=1,
    ),
    Command(
        "vncviewer", "vnc:vncviewer", "[options] <Domain>", "Attach to domain's VNC server.",
        flag("-a --autopass --vncviewer-autopass", "Pass VNC password to viewer via stdin."),
        optional_value("--port", "PORT", "Start no viewer; let any connect to this port here, or to a free one."),
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
        value("-s", "SSHCOMMAND", "With what the source's host reaches the other, instead of ssh; '': HOST is a command."),
        flag("-e", "Leave the domain alone when it ends on the other host."),
        flag("--debug", "Say everything about the transfer."),
        flag("-p", "Leave the domain paused on the other host."),
        flag("-D", "Keep the domain id."),
        flag("--live", "Migrate while the domain runs, as is done anyway.", hidden=True),
        flag("--check", "Only look at both hosts, and show everything that would make it fail."),
        flag("--with-disks", "Copy the domain's disks along while it runs."),
        flag("--direct", "Send the state from host to host, over the source's own ssh."),
        value("--direct-address", "ADDRESS", "How the source's host calls the other: [USER@]HOST[:PORT]."),
        value("--target", "HOST", "With -s '': the host that the command leads to."),
        value("--bandwidth --bwlimit", "BYTES", "Send no more than this per second (letters k, m, g)."),
        value("--downtime", "MS", "Downtime to aim at first."),
        value("--max-downtime", "MS", "Most downtime to accept when it doesn't converge."),
        flag("--list", "Show the migrations that are not over on this host."),
        flag("--resume", "After a broken migration: let the domain go on where it belongs, by its target's word."),
        flag("--abort", "Break a migration off; after a broken one: keep the domain here, if its target lets it go."),
        flag("--force", "With --resume: the target is lost for good, do not ask it."),
        modifies=True,
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
        "suspend", "misc:suspend", "<Domain>",
        "Suspend a domain to RAM",
        needs=1, modifies=True,
    ),
    Command(
        "resume", "misc:resume", "<Domain>",
        "Resume a domain from RAM",
        needs=1, modifies=True,
    ),
    Command(
        "dump-core", "misc:dump_core", "<Domain> <filename>", "Core dump a domain", needs=2, modifies=True
    ),
    Command(
        "button-press", "misc:button_press", "<Domain> <Button>", "Indicate an ACPI button press to the domain",
        needs=2, modifies=True,
    ),
    Command("vm-list", "listing:vm_list", "", "List guest domains, excluding dom0, stubdoms, etc."),
    Command("domid", "listing:domid", "<DomainName>", "Convert a domain name to domain id", needs=1),
    Command("domname", "listing:domname", "<DomainId>", "Convert a domain id to domain name", needs=1),
    Command("rename", "lifecycle:rename", "<Domain> <NewDomainName>", "Rename a domain", needs=2, modifies=True),
    Command(
        "trigger", "misc:trigger", "<Domain> <nmi|reset|init|power|sleep|s3resume> [<VCPU>]",
        "Send a trigger to a domain", needs=2, modifies=True,
    ),
    Command("sysrq", "misc:sysrq", "<Domain> <letter>", "Send a sysrq to a domain", needs=2, modifies=True),
    Command(
        "uptime", "listing:uptime", "[-s] [Domain]", "Print uptime for all/some domains",
        flag("-s", "One short line per domain."),
    ),
    Command(
        "qemu-monitor-command", "misc:qemu_monitor_command", "<Domain> <Command>",
        "Issue a qemu monitor command to the device model of a domain", needs=2, modifies=True,
    ),
)  # fmt: skip
