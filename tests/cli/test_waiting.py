"""Waiting outlives a restart of xlpyd."""

from __future__ import annotations

import pytest

from xlpy.cli import waiting
from xlpy.cli.session import Session
from xlpy.cli.waiting import wait_for_end
from xlpy.engine.base import Engine
from xlpy.errors import ConnectError, Interrupted, XlError
from xlpy.model.domain import DomainEnd, ShutdownReason

END = DomainEnd(domid=7, reason=ShutdownReason.POWEROFF)


class Flaky(Engine):
    """Answers with these, one after the other, and with the last one for ever."""

    def __init__(self, *answers: XlError | DomainEnd) -> None:
        self.answers = list(answers)

    def wait_domain_end(self, domids: tuple[int, ...], destroyed: bool = False) -> DomainEnd:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, XlError):
            raise answer
        return answer


def wait(host: Engine) -> DomainEnd:
    return wait_for_end(Session("xlpy", lambda address: host), (7,))


def test_a_restart_of_xlpyd_is_waited_out() -> None:
    assert wait(Flaky(Interrupted("lost"), ConnectError("not yet"), END)) == END


def test_a_host_that_never_answered_is_an_error_at_once() -> None:
    with pytest.raises(ConnectError):
        wait(Flaky(ConnectError("nobody there")))


def test_a_host_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOST_HOST_PATIENCE_S", 0.2)
    with pytest.raises(ConnectError):
        wait(Flaky(Interrupted("lost"), ConnectError("still away")))


def test_what_the_host_refuses_is_said() -> None:
    with pytest.raises(XlError, match="no such domain"):
        wait(Flaky(XlError("no such domain")))
