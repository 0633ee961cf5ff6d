"""Commands on managed domains, which are remembered whether they run or not."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import flag, value

ROWS = (
    Command(
        "define", "managed:define", "<ConfigFile> [options] [vars]",
        "Remember a domain and its configuration; it is started by start, or with its host",
        value("-f --defconfig", "FILE", "Use the given configuration file."),
        value("--set", "NAME=VALUE", "Value of ${NAME} in an extended file; may be given several times."),
        modifies=True, own=True,
    ),
    Command(
        "undefine", "managed:undefine", "<Name>...", "Forget managed domains; those that run go on",
        needs=1, modifies=True, loses=True, own=True,
    ),
    Command(
        "start", "managed:start", "[options] <Name>", "Start a managed domain",
        flag("-c", "Connect to the console before the domain starts to run."),
        flag("-e", "Leave the domain alone when it ends."),
        flag("-F", "Stay in the foreground until the domain is gone."),
        flag("-p", "Leave the domain paused."),
        flag("-V --vncviewer", "Connect to the VNC display after the domain is started."),
        flag("-A --vncviewer-autopass", "Pass VNC password to viewer via stdin."),
        needs=1, modifies=True, own=True,
    ),
    Command(
        "edit", "edit:edit", "<Name>", "Change the configuration of a managed domain in $EDITOR",
        needs=1, modifies=True, own=True,
    ),
    Command(
        "autostart", "managed:autostart", "[options] [<Name>...]",
        "Start managed domains when their host has started; without a name, show them",
        value("--order", "NUMBER", "Lower numbers start first; 0 if not given."),
        value("--delay", "SECONDS", "Start it so long after the one before."),
        flag("--off", "Don't start it with the host any more."),
        modifies=True, own=True,
    ),
    Command(
        "config log", "managed:log", "<Name> [<Version>]",
        "Show which configurations a managed domain has had, or the text of one of them",
        needs=1, own=True,
    ),
    Command(
        "config restore", "managed:restore", "<Name> <Version>",
        "Make an older configuration of a managed domain the newest again",
        needs=2, modifies=True, own=True,
    ),
)  # fmt: skip
