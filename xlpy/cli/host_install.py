"""xlpyd on hosts: host install, host uninstall, host restart."""

from __future__ import annotations

from xlpy.cli.many_hosts import ask_all, failures, open_parts, overall_status, report_failures
from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.client.host_install import Installed, Removed, Restarted
    from xlpy.client.many import Part


def install(session: Session, args: Arguments) -> int:
    """Install the half of xlpy that hosts need, or upgrade it."""
    from xlpy.client.host_install import install as install_on

    return _on_each(
        session,
        args,
        "install xlpyd for good, or another version of it",
        lambda part: _told(install_on(part.entry)),
    )


def uninstall(session: Session, args: Arguments) -> int:
    """Remove it, with every trace."""
    from xlpy.client.host_install import uninstall as uninstall_from

    force = args.flag("force")
    return _on_each(
        session,
        args,
        "remove xlpyd with every trace",
        lambda part: _told_removed(uninstall_from(part.entry, part.host, force)),
    )


def restart(session: Session, args: Arguments) -> int:
    """Replace the xlpyd that runs there by a new one."""
    from xlpy.client.host_install import restart as restart_on

    force = args.flag("force")
    return _on_each(
        session,
        args,
        "restart xlpyd",
        lambda part: _told_restarted(restart_on(part.entry, part.host, force)),
    )


def _on_each(session: Session, args: Arguments, change: str, work: Callable[[Part], str]) -> int:
    """Do it on every host that is named, and say what became of it."""
    from xlpy.client.resolve import resolve

    entries = resolve(args.rest)
    if session.plan is not None:
        for entry in entries:
            session.rehearses(change, host=entry.name)
        return 0
    parts = open_parts(session, entries)
    for part in parts:
        part.limit_s = session.options.timeout_s  # else the agent there has limits of its own
    ask_all(session, parts, work)
    for part in parts:
        if part.value is not None:
            session.say(f"{part.entry.name}: {part.value}")
    report_failures(session, failures(parts))
    return overall_status(
        [part.error.exit_status if isinstance(part.error, XlError) else 0 for part in parts]
    )


def _told(installed: Installed) -> str:
    if installed.before == installed.version:
        what = f"xlpyd {installed.version} was installed anew"
    elif installed.before is not None:
        what = f"xlpyd {installed.before} was replaced by {installed.version}"
    else:
        what = f"xlpyd {installed.version} was installed as {installed.program}"
    if installed.service:
        return f"{what}; it starts with the host"
    return f"{what}; without systemd there, have the host run {installed.program} when it starts"


def _told_restarted(restarted: Restarted) -> str:
    what = "xlpyd was restarted" if restarted.was_running else "xlpyd was not running, and was started"
    return (
        f"{what}; it is the installed one" if restarted.installed else f"{what} from the code of this version"
    )


def _told_removed(removed: Removed) -> str:
    what = "xlpyd was removed" if removed.was_there else "xlpyd was not installed; what it left was removed"
    if removed.kept is not None:
        return f"{what}; domains run on, their records are in {removed.kept}"
    return what
