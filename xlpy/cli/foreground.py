"""Staying with a domain until it has ended for good: ``xl create -F`` (the monitor loop of create_domain)."""

from __future__ import annotations

import time

from xlpy.cli.waiting import wait_for_end
from xlpy.errors import DomainNotFound, XlError
from xlpy.model.domain import ActionOnShutdown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.session import Session
    from xlpy.model.domain_config import DomainConfig

RESTART_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.05
_RESTARTS = (
    ActionOnShutdown.RESTART,
    ActionOnShutdown.RESTART_RENAME,
    ActionOnShutdown.COREDUMP_RESTART,
    ActionOnShutdown.SOFT_RESET,
)


def stay(session: Session, domid: int, config: DomainConfig) -> None:
    """Return when the domain is gone, or preserved after its end. A restarted domain is followed.

    Raises XlError when a domain that was to be restarted doesn't come back.
    """
    while True:
        session.note(f"Waiting for domain {config.c_info.name} (domid {domid}) to die")
        end = wait_for_end(session, (domid,))
        action = config.action_on(end.reason)
        if action is None:
            session.note(f"Domain {domid} has been destroyed.")
            return
        session.note(f"Domain {domid} has shut down, reason {end.reason.value}; action: {action.value}")
        if action is ActionOnShutdown.PRESERVE:
            return
        if action not in _RESTARTS:
            wait_for_end(session, (domid,), destroyed=True)
            return
        domid = _successor(session, domid, config)


def _successor(session: Session, domid: int, config: DomainConfig) -> int:
    """The domid of the domain that takes the ended one's place."""
    give_up_s = time.monotonic() + RESTART_PATIENCE_S
    while time.monotonic() < give_up_s:
        try:
            found = session.host.find_domain(config.c_info.uuid or config.c_info.name or "")
        except DomainNotFound:
            found = None
        if found is not None and found.domid != domid:
            return found.domid
        time.sleep(_LOOK_EVERY_S)
    raise XlError(
        f"domain {config.c_info.name!r} has not come back after its restart",
        "xlpy events tells what happened to it",
    )
