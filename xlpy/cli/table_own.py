"""Commands that xl doesn't have, and help."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import flag, value

_SET = value("--set", "NAME=VALUE", "Value of ${NAME} in an extended file; may be given several times.")

ROWS = (
    Command(
        "help", "help:help_command", "[options] [command]", "Show what a command does and its options",
        flag("--long", "All commands, not only the usual ones; of one command, the global options, too."),
    ),
    Command(
        "completion", "completion_command:completion", "<bash|zsh|fish>",
        "Print what a shell must read to complete command lines, as in: source <(xlpy completion bash)",
        needs=1, own=True,
    ),
    Command(
        "events", "events:events", "[options] [Domain]", "Show what happened on the host: who asked what, and the result",
        value("--after", "ID", "Show events after this one only."),
        value("-n --lines", "COUNT", "Show the last COUNT events only."),
        flag("-F --follow", "Go on and show new events as they come."),
        own=True,
    ),
    Command(
        "schema", "schema:schema", "[<Kind>]", "Show the JSON schema of a kind of row, or which kinds there are", own=True
    ),
    Command(
        "wait", "wait:wait", "[options] <Domain> running|paused|shutdown|gone|console [<Text>]",
        "Wait until a domain is in a state, or its console has said a text",
        value("--timeout", "SECONDS", "Wait no longer than this; exit status 1 then."),
        needs=2, own=True,
    ),
    Command(
        "host list", "host_inventory:list_hosts", "[<Host|@Group>...]", "List the hosts of the inventory",
        own=True,
    ),
    Command(
        "host show", "host_inventory:show", "<Host>...", "Show all that the inventory says of hosts, defaults included",
        needs=1, own=True,
    ),
    Command(
        "host add", "host_inventory:add", "[options] <Name> [<Address>]",
        "Try to reach a host, agree on its host key, and write it into the inventory;\n"
        "for one that is there already only its host key is asked about",
        value("--user", "LOGIN", "Log in as this user."),
        value("--port", "PORT", "Port of its sshd."),
        value("--identity-file", "FILE", "Private key to log in with."),
        value("--known-hosts-file", "FILE", "Where its host key is looked up and written to."),
        value("--proxy-jump", "HOST", "Go through this host, or several with commas between."),
        value("--group", "NAMES", "Groups it belongs to, with commas between; may be given several times."),
        value("--label", "NAME=VALUE", "Something to note about it; may be given several times."),
        value("--python", "PROGRAM", "The interpreter there."),
        flag("--sudo", "Become root there by sudo -n."),
        value("--socket", "PATH", "Socket of xlpyd there, where it is not in its usual place."),
        value("--state-dir", "DIR", "Where xlpyd there keeps its records."),
        value("--fingerprint", "SHA256:...", "Take the host key if it has this fingerprint, and no other one."),
        flag("--accept-new", "Take the host key that it shows, whosever it is."),
        flag("--no-connect", "Only write it down."),
        needs=1, modifies=True, own=True,
    ),
    Command(
        "host remove", "host_inventory:remove", "<Host>...", "Take hosts out of the inventory; nothing is done to them",
        needs=1, modifies=True, own=True,
    ),
    Command(
        "host check", "host_check:check", "[<Host|@Group>...]",
        "Log in to hosts, all of the inventory by default, and say what is there and what is wrong",
        own=True,
    ),
    Command(
        "host ping", "host_check:ping", "[options] [<Host|@Group>...]",
        "Measure how long connecting to hosts and asking them takes",
        value("-n --count", "COUNT", "Questions to each of them; 3 if not given."),
        own=True,
    ),
    Command(
        "host install", "host_install:install", "<Host|@Group>...",
        "Install xlpyd on hosts for good, with its service, or another version of it; domains run on",
        needs=1, modifies=True, own=True,
    ),
    Command(
        "host uninstall", "host_install:uninstall", "[options] <Host|@Group>...",
        "Remove an xlpyd that was so installed from hosts, with every trace",
        flag("-f --force", "Even where there are domains: they run on."),
        needs=1, modifies=True, loses=True, own=True,
    ),
    Command(
        "host restart", "host_install:restart", "[options] <Host|@Group>...",
        "Replace the xlpyd that runs on hosts by the installed one, else by one of this version; domains run on",
        flag("-f --force", "Even while it moves or saves a domain, which is broken off then."),
        needs=1, modifies=True, loses=True, own=True,
    ),
    Command(
        "broker status", "broker:status", "",
        "Show the process that keeps your connections to hosts behind SSH, and the connections",
        own=True,
    ),
    Command(
        "broker stop", "broker:stop", "[options]",
        "Let the broker end as soon as nobody uses its connections; the next command that needs one starts another",
        flag("-f --force", "End it at once, and break what is under way."),
        modifies=True, loses=True, own=True,
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
        needs=1, modifies=True, own=True,
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
        "config export", "config_export:export", "[options] <Domain> [File]",
        "Write the configuration of a domain, as it is now, to a file that xl reads, too",
        flag("--force", "Write over a file that is there already."),
        needs=1, modifies=True, loses=True, own=True,
    ),
    Command(
        "config convert", "config_convert:convert", "[options] <File>",
        "Convert libvirt's domain XML to a configuration file, or the other way round",
        flag("--lossy", "Go on without what the other form cannot say; it is named on standard error."), _SET,
        needs=1, own=True,
    ),
)  # fmt: skip
