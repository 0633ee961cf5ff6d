"""Waiting for domains to end. It changes nothing, so it may begin anew when xlpyd was restarted meanwhile."""

from __future__ import annotations

import time

from xlpy.errors import ConnectError, Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainEnd

LOST_HOST_PATIENCE_S = 30.0
_TRY_EVERY_S = 0.1


def wait_for_end(session: Session, domids: tuple[int, ...], destroyed: bool = False) -> DomainEnd:
    """``Engine.wait_domain_end``; raises Interrupted or ConnectError only when the host stays away."""
    lost_since_s: float | None = None
    while True:
        try:
            return session.host.wait_domain_end(domids, destroyed)
        except Interrupted:
            lost_since_s = time.monotonic()
        except ConnectError:
            if lost_since_s is None or time.monotonic() - lost_since_s > LOST_HOST_PATIENCE_S:
                raise
        time.sleep(_TRY_EVERY_S)
