"""Following a domain through its restarts."""

from __future__ import annotations

import pytest
from sample_configs import tiny

from xlpy.cli import foreground
from xlpy.cli.foreground import stay
from xlpy.cli.session import Session
from xlpy.engine.base import Engine
from xlpy.errors import DomainNotFound, XlError
from xlpy.model.domain import ActionOnShutdown, DomainEnd, DomainInfo, ShutdownReason

UUID = "c6dd8a6e-9a7c-4f1e-8a43-2b2f0b7f1c11"
WEB = tiny("web", UUID)


class Restless(Engine):
    """A host on which the domain ends for these reasons and is back after ``absences`` looks."""

    def __init__(self, reasons: list[ShutdownReason], absences: int) -> None:
        self.reasons = reasons
        self.absences = absences
        self.domid = 5
        self.waited: list[tuple[int, bool]] = []

    def wait_domain_end(self, domids: tuple[int, ...], destroyed: bool = False) -> DomainEnd:
        self.waited.append((domids[0], destroyed))
        reason = self.reasons[0] if destroyed else self.reasons.pop(0)
        return DomainEnd(domid=domids[0], reason=reason, destroyed=destroyed)

    def find_domain(self, reference: str) -> DomainInfo:
        assert reference == UUID
        if self.absences:
            self.absences -= 1
            raise DomainNotFound("between two lives")
        self.domid += 1
        return DomainInfo(domid=self.domid, uuid=UUID, name="web")


def session(host: Engine) -> Session:
    return Session("xlpy", lambda address: host)


def test_restarts_are_followed() -> None:
    host = Restless([ShutdownReason.REBOOT, ShutdownReason.REBOOT, ShutdownReason.UNKNOWN], absences=2)
    stay(session(host), 5, WEB)
    assert host.waited == [(5, False), (6, False), (7, False)]


def test_a_domain_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground, "RESTART_PATIENCE_S", 0.1)
    host = Restless([ShutdownReason.REBOOT], absences=1_000_000)
    with pytest.raises(XlError, match="has not come back"):
        stay(session(host), 5, WEB)


@pytest.mark.parametrize("reason", list(ShutdownReason))
def test_every_reason_has_its_rule(reason: ShutdownReason) -> None:
    rules = {
        f"on_{name}": ActionOnShutdown.PRESERVE
        for name in ("poweroff", "reboot", "crash", "watchdog", "soft_reset")
    }
    expected = None if reason.value in ("suspend", "unknown") else ActionOnShutdown.PRESERVE
    assert WEB.replace(**rules).action_on(reason) is expected
