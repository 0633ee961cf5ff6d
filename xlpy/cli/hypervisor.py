"""What is said to the hypervisor itself: debug-keys, set-parameters, Flask, xenstore quotas, dt-overlay (xl_misc.c, xl_flask.c)."""

from __future__ import annotations

import os

from xlpy.cli.failure import worded_as_xl
from xlpy.errors import NotSupported, UsageError, XlError, file_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

_FLASK_DISABLED_STATUS = 255
_QUOTA_LIMIT = 1 << 32


def debug_keys(session: Session, args: Arguments) -> None:
    """Press keys on the hypervisor's console; ``dmesg`` has the answer (libxl_send_debug_keys)."""
    with worded_as_xl(session, f"cannot send debug keys: {args.rest[0]}"):
        session.host.send_debug_keys(args.rest[0])


def set_parameters(session: Session, args: Arguments) -> None:
    """Change parameters of the hypervisor's command line at run time (libxl_set_parameters)."""
    with worded_as_xl(session, f"cannot set parameters: {args.rest[0]}"):
        session.host.set_hypervisor_parameters(args.rest[0])


def getenforce(session: Session, args: Arguments) -> int:
    """Flask's mode; as xl has it the exit status tells it, too: 1 enforcing, 0 permissive, 255 disabled."""
    from xlpy.render.hypervisor import flask_kind

    enforcing = session.host.flask_enforcing()
    session.show(flask_kind(), [enforcing])
    return _FLASK_DISABLED_STATUS if enforcing is None else int(enforcing)


def setenforce(session: Session, args: Arguments) -> int | None:
    """Change Flask's mode (libxl_flask_setenforce)."""
    modes = {"0": False, "permissive": False, "1": True, "enforcing": True}
    mode = modes.get(args.rest[0].lower()) if args.rest else None
    if mode is None:
        return _wrong_usage(session, "setenforce", "setenforce needs a mode", "1, 0, Enforcing or Permissive")
    if session.host.flask_enforcing() is None:
        raise NotSupported("Flask XSM disabled", exit_status=_FLASK_DISABLED_STATUS)
    session.host.set_flask_enforcing(mode)
    return None


def loadpolicy(session: Session, args: Arguments) -> int | None:
    """Load a Flask policy; the file is one of this machine's, wherever the host is (libxl_flask_loadpolicy)."""
    if not args.rest:
        return _wrong_usage(session, "loadpolicy", "loadpolicy needs a file", "usage: xlpy loadpolicy FILE")
    path = args.rest[0]
    session.host.load_flask_policy(
        _open(path, f"Error occurred opening policy file '{path}'", _FLASK_DISABLED_STATUS)
    )
    print("Successfully loaded policy.")
    return None


def quota_get(session: Session, args: Arguments) -> None:
    """The xenstore quotas of a domain, or with -g the global ones (libxl_xs_quota_domain_get)."""
    from xlpy.render.hypervisor import quota_kind

    domid = _quota_domid(session, args)
    session.show(quota_kind(), session.host.xenstore_quotas(domid).items())


def quota_set(session: Session, args: Arguments) -> None:
    """Change xenstore quotas (libxl_xs_quota_domain_set)."""
    domid = _quota_domid(session, args)
    words = args.rest if args.flag("g") else args.rest[1:]
    if not words:
        raise UsageError("no quota is given", "write QUOTA=VALUE")
    quotas = dict(_quota(word) for word in words)
    with worded_as_xl(session, "Quota could not be set."):
        session.host.set_xenstore_quotas(quotas, domid)


def dt_overlay(session: Session, args: Arguments) -> None:
    """Add, remove or attach a device tree overlay (libxl_dt_overlay, libxl_dt_overlay_domain)."""
    if len(args.rest) < 2:
        raise UsageError("dt-overlay needs what to do and a file", "add, remove or attach; a .dtbo file")
    action, path = args.rest[:2]
    if action not in ("add", "remove", "attach"):
        raise XlError("Invalid dt overlay operation", "add, remove or attach")
    domid = None
    if action == "attach":
        if len(args.rest) < 3:
            raise XlError("Missing domain ID", "usage: xlpy dt-overlay attach FILE DOMAIN")
        domid = session.domid(args.rest[2])
    stream = _open(path, f"failed to read the overlay device tree file {path}")
    session.host.apply_dt_overlay(action, stream, domid)


def _quota_domid(session: Session, args: Arguments) -> int | None:
    if args.flag("g"):
        return None
    if not args.rest:
        raise XlError('Domain or "-g" must be specified.')
    return session.domid(args.rest[0])


def _quota(word: str) -> tuple[str, int]:
    name, equals, text = word.partition("=")
    if not equals:
        raise XlError(f'Quota specification "{word}" lacks "=".')
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value < _QUOTA_LIMIT:
        raise XlError(f'Quota specification "{word}" uses illegal value "{text}".', "a number below 2**32")
    return name, value


def _open(path: str, problem: str, exit_status: int = 1) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise XlError(
            f"{problem}: {error.strerror}", file_hint(path, error), exit_status=exit_status
        ) from error


def _wrong_usage(session: Session, command: str, problem: str, hint: str) -> int:
    """What xl does then: the command's help on stdout, and this exit status. Raises UsageError otherwise."""
    if not session.xl:
        raise UsageError(problem, hint)
    from xlpy.cli.commands import require_command
    from xlpy.cli.help import print_help

    print_help(session, require_command(command))
    return 2
