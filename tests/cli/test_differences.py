"""What xlpy(1) says under DIFFERENCES FROM XL, shown as xl: each entry has a test here or names the one elsewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, GPVH, populate
from source_tree import ROOT

from xlpy.errors import EngineError

SHOWN_BY = {
    "Failures that xl reports as success": ("test_differences.py::test_a_failure_is_a_failure",),
    "Two domains of one UUID": ("../agent/test_supervisor.py::test_name_and_uuid_are_unique",),
    "One failure spares nobody": ("test_differences.py::test_one_failure_spares_nobody",),
    "Dry runs": ("test_differences.py::test_a_dry_run_changes_no_cd",),
    "Names": ("test_differences.py::test_a_uuid_is_a_name_and_nothing_is_none",),
    "Numbers": ("test_differences.py::test_letters_are_no_number",),
    "Options that xl takes no notice of": ("test_differences.py::test_options_count",),
    "Help": ("test_commands.py::test_help_of_every_command_needs_no_host",),
    "Saving and dumping": (
        "test_differences.py::test_a_failed_save_keeps_the_older_file",
        "test_differences.py::test_nothing_is_left_of_a_failed_dump",
    ),
    "Processes and logs": ("../agent/test_supervisor.py::test_events_tell_who_did_what_and_how_it_went",),
    "Messages": ("../engine/libxl/test_libxl_said.py::test_the_telling_line_is_the_message",),
    "Engines": ("../agent/test_devd.py::test_without_xen_engine_and_operation_are_named",),
}


@pytest.fixture
def lab(fake: FakeEngine) -> FakeEngine:
    """The fake engine with the domains gpv and gpvh."""
    populate(fake, GPV, GPVH)
    return fake


def refuse(*args: object, **kwargs: object) -> None:
    raise EngineError("it cannot be done")


def test_the_page_tells_of_what_is_shown() -> None:
    page = (ROOT / "man/xlpy.1").read_text()
    section = page.partition(".Sh DIFFERENCES FROM XL\n")[2].partition("\n.Sh ")[0]
    assert re.findall(r"^\.It (.*)$", section, re.MULTILINE) == list(SHOWN_BY)


@pytest.mark.parametrize("entry", sorted({entry for entries in SHOWN_BY.values() for entry in entries}))
def test_there_is_such_a_test(entry: str) -> None:
    path, _, name = entry.partition("::")
    tree = ast.parse((Path(__file__).parent / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        ("pause_domain", "pause gpv"),
        ("unpause_domain", "unpause gpv"),
        ("suspend_to_ram", "suspend gpv"),
        ("resume_from_ram", "resume gpv"),
        ("send_trigger", "trigger gpv nmi"),
        ("send_trigger", "button-press gpv power"),
        ("send_sysrq", "sysrq gpv h"),
        ("host_info", "info"),
        ("add_cpupool_cpus", "cpupool-cpu-add Pool-0 1"),
        ("remove_cpupool_cpus", "cpupool-cpu-remove Pool-0 1"),
        ("set_vcpu_affinity", "vcpu-pin gpv all all"),
    ],
)
def test_a_failure_is_a_failure(
    operation: str, line: str, xl: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, operation, refuse)
    result = xl(*line.split())
    assert result.status == 1
    assert "it cannot be done" in result.err


@pytest.mark.parametrize("command", ["shutdown", "reboot"])
def test_one_failure_spares_nobody(
    command: str, xl: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ask(domid: int, acpi_fallback: bool = False) -> None:
        asked.append(domid)
        if len(asked) == 1:
            raise EngineError("it cannot be asked")

    monkeypatch.setattr(lab, f"{command}_domain", ask)
    assert xl(command, "-a").status == 1
    assert asked == sorted([GPV.domid, GPVH.domid])


def test_a_dry_run_changes_no_cd(
    xl: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lab, "insert_cdrom", refuse)
    (tmp_path / "cd.iso").write_bytes(b"")
    for words in (("cd-insert", "gpv", "hdc", str(tmp_path / "cd.iso")), ("cd-eject", "gpv", "hdc")):
        result = xl("-N", *words)
        assert (result.status, result.err) == (0, "")


def test_a_uuid_is_a_name_and_nothing_is_none(xl: Call, lab: FakeEngine) -> None:
    result = xl("list", GPV.uuid)
    assert result.err == "", result
    assert result.out.splitlines()[1].startswith("gpv ")
    result = xl("shutdown", "")
    assert (result.status, lab.requests) == (1, [])
    assert result.err == " is an invalid domain identifier (rc=-6)\n"


@pytest.mark.parametrize("line", ["sched-credit2 -d gpv -w much", "network-detach gpv junk"])
def test_letters_are_no_number(line: str, xl: Call, lab: FakeEngine) -> None:
    before = lab.list_nics(GPV.domid), lab.domain_info(GPV.domid), lab.sched_params(GPV.domid)
    assert xl(*line.split()).status in (1, 2)
    assert (lab.list_nics(GPV.domid), lab.domain_info(GPV.domid), lab.sched_params(GPV.domid)) == before


def test_a_failed_save_keeps_the_older_file(
    xl: Call, lab: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "gpv.save"
    older.write_text("of yesterday")
    lab.fail_next("save_domain", EngineError("the disk is on fire"))
    assert xl("save", "gpv", str(older)).status == 1
    assert older.read_text() == "of yesterday"


def test_nothing_is_left_of_a_failed_dump(xl: Call, lab: FakeEngine, tmp_path: Path) -> None:
    lab.fail_next("dump_core", EngineError("p2m_size < nr_pages"))
    result = xl("dump-core", "gpv", str(tmp_path / "core"))
    assert (result.err.splitlines()[0], result.status) == ("core dump failed (rc=-3)", 1)
    assert not [path.name for path in tmp_path.iterdir() if "core" in path.name]


def test_options_count(xl: Call, lab: FakeEngine) -> None:
    result = xl("sched-rtds", "-c", "no-such-pool")
    assert result.status == 1
    assert "no-such-pool" in result.err
    assert xl("sched-credit2", "-r", "1000").status == 1


def test_capitals_do_not_matter_in_a_trigger(xl: Call, lab: FakeEngine) -> None:
    assert xl("trigger", "gpv", "NMI").status == 0
    assert lab.requests == [("send_trigger", GPV.domid, "nmi", 0)]
