"""migrate: limits, the two hosts, and settling what was cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Call, Result
from fake_engine import FakeEngine
from in_process import InProcessHost
from recorded import GPV, GUESTS, populate

from xlpy.cli.commands import require_command
from xlpy.cli.main import run
from xlpy.cli.migrate import limits_of
from xlpy.cli.options import parse
from xlpy.client.host import Host
from xlpy.errors import EngineError, UsageError
from xlpy.model.migration import MigrationLimits


@pytest.fixture(autouse=True)
def guests(fake: FakeEngine) -> None:
    populate(fake, *GUESTS)


@pytest.fixture
def other() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def other_agent(other: FakeEngine, tmp_path: Path) -> Iterator[InProcessHost]:
    agent = InProcessHost(other, tmp_path / "other", "unix:///other")
    yield agent
    agent.close()


@pytest.fixture
def between(
    host: Host, other_agent: InProcessHost, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """``between("migrate", ...)`` knows a second host, unix:///other."""
    there = other_agent.connect()

    def run_words(*words: str, program: str = "xlpy") -> Result:
        capfd.readouterr()
        status = run(words, program, open_host=lambda address: there if address else host)
        captured = capfd.readouterr()
        return Result(status, captured.out, captured.err)

    return run_words


def names(engine: FakeEngine) -> list[str | None]:
    return [guest.info.name for guest in engine.guests.values()]


@pytest.mark.parametrize(("option", "paused"), [([], False), (["-p"], True), (["--live"], False)])
def test_a_domain_moves(
    option: list[str], paused: bool, between: Call, fake: FakeEngine, other: FakeEngine
) -> None:
    result = between("migrate", *option, "gpv", "unix:///other")
    assert (result.out, result.err, result.status) == ("", "", 0)
    assert "gpv" not in names(fake)
    moved = other.guests[max(other.guests)].info
    assert (moved.name, moved.uuid, moved.paused) == ("gpv", GPV.uuid, paused)


def test_xl_says_so(between: Call) -> None:
    assert between("migrate", "gpv", "unix:///other", program="xl").err == "Migration successful.\n"


def test_the_domid_is_kept_when_asked(between: Call, other: FakeEngine) -> None:
    assert between("migrate", "-D", "gpv", "unix:///other").status == 0
    assert other.guests[GPV.domid].info.name == "gpv"


def test_progress(between: Call) -> None:
    assert "migrate gpv: 100%" in between("-v", "migrate", "gpv", "unix:///other").err


def test_a_failure_leaves_it_where_it_is(between: Call, fake: FakeEngine, other: FakeEngine) -> None:
    other.fail_next("restore_domain", EngineError("no room"))
    result = between("migrate", "gpv", "unix:///other")
    assert result.status == 1
    assert "no room" in result.err
    assert not fake.guests[GPV.domid].info.paused
    assert names(other) == ["Domain-0"]


def test_nothing_to_settle(call: Call) -> None:
    for option in ("--resume", "--abort"):
        result = call("migrate", option, "gpv")
        assert result.status == 1
        assert "doesn't stand still after a migration" in result.err
    assert call("migrate", "--resume", "--abort", "gpv").status == 2


@pytest.mark.parametrize("option", ["--resume", "--abort"])
def test_settling_by_hand(option: str, call: Call, agent: InProcessHost, fake: FakeEngine) -> None:
    import os

    client = agent.connect()  # one that sends the domain nowhere and doesn't settle it
    client.describe_domain(GPV.domid)
    with open(os.devnull, "wb") as nowhere:
        client.save_domain(GPV.domid, os.dup(nowhere.fileno()), peer="unix:///nowhere/xlpy.sock")
    assert call("list", "gpv", "--columns", "activity", "--no-headers").out == "sent\n"
    assert call("migrate", option, "gpv").status == 0
    assert ("gpv" in names(fake)) is (option == "--resume")
    if option == "--resume":
        assert not fake.guests[GPV.domid].info.paused


def limits(*words: str) -> MigrationLimits:
    return limits_of(parse(words, require_command("migrate").options))


def test_limits() -> None:
    assert limits() == MigrationLimits()
    assert limits("--bandwidth=10m").bandwidth_bytes_per_s == 10 << 20
    assert limits("--bandwidth", "512").bandwidth_bytes_per_s == 512
    assert limits("--downtime=10", "--max-downtime=100") == MigrationLimits(
        downtime_ms=10, max_downtime_ms=100
    )
    assert limits("--downtime=5000").max_downtime_ms == 5000


@pytest.mark.parametrize(
    "words",
    [
        ["--bandwidth=fast"],
        ["--bandwidth=10x"],
        ["--bandwidth=m"],
        ["--downtime=0"],
        ["--downtime=-1"],
        ["--downtime=9", "--max-downtime=3"],
    ],
)
def test_senseless_limits(words: list[str]) -> None:
    with pytest.raises(UsageError):
        limits(*words)
