"""pause, unpause, destroy, shutdown, reboot, rename."""

from __future__ import annotations

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPAUSED, GPV, GPVH, GUESTS, Recording, populate

from xlpy.errors import InvalidState
from xlpy.model.domain import ShutdownReason


@pytest.fixture(autouse=True)
def guests(fake: FakeEngine) -> None:
    populate(fake, *GUESTS)


@pytest.mark.parametrize(
    "name",
    ["e-pause", "e-destroy", "e-destroy-dom0", "e-shutdown", "destroy", "rename", "e-console", "e-config"],
)
def test_as_recorded(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.status) == (recording.out, recording.status)
    assert result.err.split() == recording.err.split()


def test_a_name_in_use_is_refused_in_xls_words(xl: Call, call: Call) -> None:
    recording = Recording("e-rename-dup")
    result = xl(*recording.words)
    assert result.status == recording.status
    assert recording.err.splitlines()[-1] in result.err.splitlines()
    assert "gpvh" in call(*recording.words).err


def test_a_domid_that_is_not_there(xl: Call) -> None:
    recording = Recording("e-reboot")
    result = xl(*recording.words)
    assert result.status == recording.status
    assert {"Rebooting domain 99", "reboot failed (rc=-3)"} <= set(result.err.splitlines())
    assert xl(*Recording("e-unpause").words).status == 1  # where xl exits 0 although it failed


def test_pause_and_unpause(call: Call, fake: FakeEngine) -> None:
    assert call("pause", "gpv").status == 0
    assert fake.guests[GPV.domid].info.paused
    assert call("unpause", str(GPV.domid)).status == 0
    assert not fake.guests[GPV.domid].info.paused


def test_several_domains_at_once_and_one_failure(call: Call, fake: FakeEngine) -> None:
    result = call("pause", "gpv", "nosuch", GPVH.uuid)
    assert result.status == 1
    assert "nosuch is an invalid domain identifier" in result.err
    assert fake.guests[GPV.domid].info.paused
    assert fake.guests[GPVH.domid].info.paused


def test_xl_looks_at_the_first_name_only(xl: Call, fake: FakeEngine) -> None:
    assert xl("destroy", "gpv", "gpvh").status == 0
    assert GPV.domid not in fake.guests
    assert GPVH.domid in fake.guests


@pytest.mark.parametrize("reference", ["99", "nosuch", ""])
def test_unknown_domains_fail(reference: str, call: Call) -> None:
    result = call("unpause", reference)
    assert result.status == 1
    assert f"{reference} is an invalid domain identifier" in result.err


@pytest.mark.parametrize(("command", "doing"), [("shutdown", "Shutting down"), ("reboot", "Rebooting")])
def test_asking_a_guest(command: str, doing: str, xl: Call, fake: FakeEngine) -> None:
    result = xl(command, "-F", "gpv")
    assert (result.out, result.err, result.status) == ("", f"{doing} domain 11\n", 0)
    assert (f"{command}_domain", 11, True) in fake.requests


def test_asking_all_goes_on_after_a_failure(call: Call, fake: FakeEngine) -> None:
    fake.fail_next("shutdown_domain", InvalidState("domain 11 has no power button"))
    result = call("shutdown", "-a")
    assert result.status == 1
    assert "domain 11 has no power button" in result.err
    assert [request[1] for request in fake.requests] == [12, 14, 17]  # 15 and 16 have ended


def test_waiting_as_recorded(xl: Call, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording("shutdown-w")

    def crash(domid: int, acpi_fallback: bool = False) -> None:  # as the recorded guest did
        fake.end(domid, ShutdownReason.CRASH)

    monkeypatch.setattr(fake, "shutdown_domain", crash)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_waiting_no_longer_than_the_timeout(call: Call) -> None:
    result = call("shutdown", "-w", "--timeout", "0.2", "gpv")
    assert result.status == 1
    assert "after 0.2 s these domains have not ended: 11" in result.err
    assert call("list", "gpv").status == 0


@pytest.mark.parametrize("timeout", ["-1", "soon", "nan", "0"])
def test_senseless_timeouts(timeout: str, call: Call) -> None:
    assert call("shutdown", "-w", f"--timeout={timeout}", "gpv").status == 2


def test_quiet_says_nothing_but_errors(call: Call) -> None:
    assert call("-q", "shutdown", "gpv").err == ""
    assert call("shutdown", "gpaused", "-q").err == ""
    assert call("shutdown", "-q", "nosuch").err != ""


def test_rename(call: Call, fake: FakeEngine) -> None:
    assert call("rename", "gpaused", "gnew").status == 0
    assert fake.guests[GPAUSED.domid].info.name == "gnew"
