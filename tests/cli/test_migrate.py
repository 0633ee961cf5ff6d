"""migrate: limits, the two hosts, and settling what was cut off."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Call, Result
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from recorded import GPV, GUESTS, populate

from xlpy.cli.commands import require_command
from xlpy.cli.main import run
from xlpy.cli.migrate import limits_of
from xlpy.cli.options import parse
from xlpy.client.host import Host
from xlpy.errors import Aborted, EngineError, UsageError
from xlpy.model.migration import Finding, MigrationLimits, Peer


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


THERE = ("-H", "unix:///other", "migrate")


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


def test_another_configuration_goes_along_with_its_text(
    between: Call, other_agent: InProcessHost, tmp_path: Path
) -> None:
    config = tmp_path / "gpv.cfg"
    lines = (
        "# as it is to be there",
        'name = "gpv"',
        f'uuid = "{GPV.uuid}"',
        'kernel = "/k"',
        'on_crash = "preserve"',
    )
    config.write_text("\n".join(lines))
    result = between("migrate", "-C", str(config), "gpv", "unix:///other")
    assert (result.err, result.status) == ("", 0)
    (record,) = other_agent.supervisor.store.records()
    assert record.config_text == config.read_text()
    assert record.config.on_crash is not None
    assert record.config.on_crash.value == "preserve"


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


@pytest.fixture
def sent(agent: InProcessHost, other_agent: InProcessHost) -> str:
    """gpv stands still after its state has been sent to the other host, by a client that is lost; its transfer's id."""
    client = agent.connect()
    transfer_id = client.describe_domain(GPV.domid).transfer_id or ""
    peer = Peer(name="unix:///other", instance=other_agent.supervisor.instance)
    with open(os.devnull, "wb") as nowhere:
        client.save_domain(GPV.domid, os.dup(nowhere.fileno()), peer=peer)
    client.close()
    eventually(lambda: not agent.supervisor.list_transfers()[0].led)
    return transfer_id


def test_what_waits_for_whom(sent: str, between: Call) -> None:
    assert between("list", "gpv", "--columns", "activity,peer", "--no-headers").out.split() == [
        "sent",
        "unix:///other",
    ]
    assert "(sent to unix:///other)" in between("list", "gpv", "-o", "table", "--columns", "state").out
    shown = between("migrate", "--list", "gpv", "-o", "json").out
    assert json.loads(shown)["rows"] == [
        {
            "name": "gpv",
            "domid": GPV.domid,
            "uuid": GPV.uuid,
            "side": "source",
            "state": "sent",
            "peer": "unix:///other",
            "led": False,
            "transfer_id": sent,
        }
    ]
    plain = between("migrate", "--list").out.splitlines()
    assert plain[1].split() == ["gpv", str(GPV.domid), "source", "sent", "lost", "unix:///other"]
    assert between("migrate", "--list", "hvm").out.splitlines()[1:] == []


@pytest.mark.parametrize("option", ["--resume", "--abort"])
@pytest.mark.parametrize("where", [[], ["unix:///other"]])
def test_settling_what_was_not_accepted(
    option: str, where: list[str], sent: str, between: Call, fake: FakeEngine
) -> None:
    result = between("-v", "migrate", option, "gpv", *where)
    assert (result.status, result.out) == (0, "")
    assert "gpv goes on at" in result.err
    assert not fake.guests[GPV.domid].info.paused
    assert between("migrate", "--list").out.splitlines()[1:] == []


@pytest.mark.parametrize(("option", "status"), [("--resume", 0), ("--abort", 1)])
def test_settling_what_was_accepted(
    option: str, status: int, sent: str, between: Call, fake: FakeEngine, other_agent: InProcessHost
) -> None:
    other_agent.supervisor.store._set_outcome(sent, "accepted")
    result = between("migrate", option, "gpv")
    assert result.status == status
    assert ("too late to abort: gpv has been taken by its target" in result.err) is (option == "--abort")
    assert "gpv" not in names(fake)


def test_settling_without_the_target(
    sent: str, between: Call, other_agent: InProcessHost, fake: FakeEngine
) -> None:
    other_agent.kill()
    result = between("migrate", "--resume", "gpv")
    assert result.status == 1
    assert result.err.startswith(
        "xlpy: unix:///other has the say in what becomes of gpv, and cannot be asked"
    )
    assert "xlpy migrate --resume --force gpv" in result.err
    assert "gpv stands still" not in result.out
    assert fake.guests[GPV.domid].saved
    assert between("migrate", "--resume", "--force", "gpv").status == 0
    assert not fake.guests[GPV.domid].saved


def test_calling_off_at_the_target_what_is_still_arriving(
    other_agent: InProcessHost, between: Call, host: Host
) -> None:
    """It is no domain there yet."""
    saved = host.describe_domain(GPV.domid).replace(sender="a")
    reader, writer = socket.socketpair()
    client = other_agent.connect()
    call = client.begin("restore_domain", saved=saved, stream=reader.detach())
    eventually(lambda: bool(other_agent.supervisor.list_transfers()))
    listed = between(*THERE, "--list", "gpv").out.splitlines()[1]
    assert listed.split()[2:] == ["target", "incoming", "there", "a"]
    assert between(*THERE, "--abort", "gpv").status == 0
    with pytest.raises(Aborted, match="called off by another client"):
        call.result()
    writer.close()
    client.close()
    assert other_agent.supervisor.store.records() == []
    assert between(*THERE, "--list", "gpv").out.splitlines()[1:] == []


def test_a_look_before(between: Call, other: FakeEngine, fake: FakeEngine) -> None:
    assert between("migrate", "--check", "gpv", "unix:///other").out == ""
    other.add(GPV.replace(domid=7))
    other.findings = (
        Finding(severity="warning", code="program-version", text="QEMU is older here"),
        Finding(severity="error", code="no-memory", text="64 MiB needed, 1 MiB left", hint="shut one down"),
    )
    result = between("migrate", "--check", "gpv", "unix:///other", "-o", "json")
    assert result.status == 1
    rows = json.loads(result.out)["rows"]
    assert [(row["host"], row["severity"], row["code"]) for row in rows] == [
        ("unix:///other", "warning", "program-version"),
        ("unix:///other", "error", "no-memory"),
    ]
    plain = between("migrate", "--check", "gpv", "unix:///other").out.splitlines()
    assert plain[1] == "unix:///other: error: 64 MiB needed, 1 MiB left (shut one down)"
    assert names(fake).count("gpv") == 1


def test_warnings_hold_nothing_up(between: Call, other: FakeEngine, fake: FakeEngine) -> None:
    other.findings = (Finding(severity="warning", code="vcpus", text="it has 8 vcpus, this host 2"),)
    result = between("migrate", "gpv", "unix:///other")
    assert (result.status, result.err) == (0, "xlpy: unix:///other: it has 8 vcpus, this host 2\n")
    assert "gpv" in names(other)


def test_a_migration_that_cannot_work_is_refused_with_all_reasons(
    between: Call, other: FakeEngine, fake: FakeEngine
) -> None:
    other.findings = (
        Finding(severity="error", code="config", text="disk xvda: no such file: /x", hint="copy it"),
        Finding(severity="error", code="no-memory", text="64 MiB needed, 1 MiB left"),
    )
    result = between("migrate", "gpv", "unix:///other")
    assert result.status == 1
    assert "the migration cannot work for 2 reasons, the domain runs on at" in result.err
    assert "unix:///other: disk xvda: no such file: /x (copy it)" in result.err
    assert "unix:///other: 64 MiB needed, 1 MiB left" in result.err
    assert not fake.guests[GPV.domid].saved


def limits(*words: str) -> MigrationLimits:
    return limits_of(parse(words, require_command("migrate").options))


def test_limits() -> None:
    assert limits() == MigrationLimits()
    assert limits("--bandwidth=10m").bandwidth_bytes_per_s == 10 << 20
    assert limits("--bandwidth", "512").bandwidth_bytes_per_s == 512
    assert limits("--bwlimit=10MiB/s").bandwidth_bytes_per_s == 10 << 20
    assert limits("--bwlimit=3k").bandwidth_bytes_per_s == 3 << 10
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
        ["--bwlimit=10tib"],
        ["--bwlimit=b"],
        ["--downtime=0"],
        ["--downtime=-1"],
        ["--downtime=9", "--max-downtime=3"],
    ],
)
def test_senseless_limits(words: list[str]) -> None:
    with pytest.raises(UsageError):
        limits(*words)
