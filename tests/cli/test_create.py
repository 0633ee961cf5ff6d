"""create and config-update: from a file to a domain, in xl's words and with xl's exit statuses."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import Recording
from watched_console import watch_console

from xlpy.cli.config_file import disk_with_absolute_path, named_config
from xlpy.cli.options import flag, parse, value
from xlpy.errors import EngineError, NotEnoughMemory
from xlpy.model.domain import ActionOnShutdown, ShutdownReason
from xlpy.model.domain_config import DiskConfig

WEB = """
name = "web"
type = "pvh"
kernel = "vmlinuz"
ramdisk = "/boot/initrd"
memory = 64
vcpus = 2
disk = [ "web.raw,raw,xvda,w" ]
on_crash = "preserve"
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.cfg").write_text(WEB)
    return tmp_path


def test_a_domain_from_a_file(call: Call, fake: FakeEngine, place: Path) -> None:
    result = call("create", "web.cfg")
    assert (result.out, result.err, result.status) == ("", "", 0)
    guest = fake.guests[1]
    assert guest.info.name == "web"
    assert guest.info.running
    assert guest.config is not None
    assert guest.config.b_info.kernel == str(place / "vmlinuz")
    assert guest.config.b_info.ramdisk == "/boot/initrd"
    assert guest.config.disks[0].pdev_path == str(place / "web.raw")
    assert guest.config.on_crash is ActionOnShutdown.PRESERVE


def test_xl_says_what_it_parses(xl: Call) -> None:
    assert xl("create", "web.cfg").err == "Parsing config from web.cfg\n"
    assert xl("create", "-q", "web.cfg", 'name="other"').err == ""


@pytest.mark.parametrize(
    "words", [["-p", "web.cfg"], ["web.cfg", "-p"], ["-f", "web.cfg", "-p"], ["-pfweb.cfg"]]
)
def test_paused_and_where_the_file_may_stand(words: list[str], call: Call, fake: FakeEngine) -> None:
    assert call("create", *words).status == 0
    assert fake.guests[1].info.paused


def test_overrides_win(call: Call, fake: FakeEngine) -> None:
    assert call("create", "web.cfg", 'name="two"', "memory=32;vcpus=1").status == 0
    info = fake.guests[1].info
    assert (info.name, info.current_memory_kib, info.vcpu_online) == ("two", 32 << 10, 1)


def test_standard_input(call: Call, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WEB.encode())))
    assert call("create", "-").status == 0
    assert fake.guests[1].info.name == "web"


@pytest.mark.parametrize("words", [["create", "-n"], ["create", "--dryrun"], ["-N", "create"]])
def test_a_dry_run_prints_libxls_json_and_does_nothing(words: list[str], xl: Call, fake: FakeEngine) -> None:
    result = xl(*words, "web.cfg")
    assert result.status == 0
    config = json.loads(result.out)
    assert config["c_info"]["name"] == "web"
    assert config["b_info"]["kernel"] == "vmlinuz"  # as given: the paths of the host that will run it
    assert list(fake.guests) == [0]


def test_a_dry_run_in_other_forms(call: Call) -> None:
    document = json.loads(call("create", "-n", "web.cfg", "-o", "json").out)
    assert document["schema"] == "xlpy/domain-config/1"
    (row,) = document["rows"]
    assert (row["domid"], row["config"]["c_info"]["name"]) == (None, "web")
    assert "schema: xlpy/domain-config/1\n" in call("create", "-n", "web.cfg", "-o", "yaml").out
    assert call("create", "-n", "web.cfg", "-o", "csv").status == 2


def test_verbose_tells_what_the_engine_does(call: Call) -> None:
    assert call("-v", "create", "web.cfg").err.splitlines() == [
        "Parsing config from web.cfg",
        "domain web has domid 1",
        "  this is no domain but a fake, web",
    ]


def test_debug_prints_the_config_on_stderr(call: Call, fake: FakeEngine) -> None:
    result = call("create", "-d", "web.cfg")
    assert result.out == ""
    assert json.loads(result.err)["c_info"]["name"] == "web"
    assert 1 in fake.guests


def test_a_warning_has_its_place(call: Call, place: Path) -> None:
    (place / "web.cfg").write_text(WEB + "memroy = 3\n")
    assert call("create", "-p", "web.cfg").err.startswith("xlpy: warning: web.cfg:10:1: ")
    assert call("create", "-q", "web.cfg", 'name="b"').err == ""


@pytest.mark.parametrize("name", ["e-create-missing", "e-create-nofile"])
def test_files_that_are_not_there_as_recorded(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


TROUBLE = {
    "e-syntax": ("e1.cfg", 'name = "x\n'),
    "e-syntax2": ("e2.cfg", 'name="x" junk\n'),
    "e-noname": ("e4.cfg", 'type="pv"\nkernel="/x"\n'),
    "e-unknownkey": ("e3.cfg", 'name="unk"\ntype="pv"\nkernel="/k"\nmemory=80\nfrobnicate=1\n'),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_configs_in_trouble_as_recorded(name: str, xl: Call, place: Path) -> None:
    file, text = TROUBLE[name]
    (place / file).write_text(text)
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.status) == (recording.out, recording.status)
    assert result.err.splitlines()[0] == recording.err.splitlines()[0]


def test_what_the_host_refuses_is_3(call: Call, fake: FakeEngine) -> None:
    for error in (NotEnoughMemory("no memory"), EngineError("no kernel")):
        fake.fail_next("create_domain", error)
        assert call("create", "web.cfg").status == 3
    assert call("create", "web.cfg").status == 0
    assert call("create", "web.cfg").status == Recording("e-dupname").status == 3
    assert [guest.info.name for guest in fake.guests.values()] == ["Domain-0", "web"]


def test_a_second_file_is_a_usage_error(xl: Call, call: Call) -> None:
    result = xl("create", "web.cfg", "more.cfg")
    assert result.status == 2
    assert result.out.startswith("Usage: xl [-vtTfN] create <ConfigFile>")
    assert "'more.cfg' is one argument too many" in call("create", "web.cfg", "more.cfg").err


@pytest.fixture
def ends(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[ShutdownReason]:
    """Reasons for which new domains end as soon as they have started, one after the other."""
    reasons: list[ShutdownReason] = []
    create = fake.create_domain

    def short_life(*args: object, **kwargs: object) -> int:
        domid = create(*args, **kwargs)  # type: ignore[arg-type]
        if reasons:
            fake.end(domid, reasons.pop(0))
        return domid

    monkeypatch.setattr(fake, "create_domain", short_life)
    return reasons


def test_foreground_waits_for_the_end(call: Call, fake: FakeEngine, ends: list[ShutdownReason]) -> None:
    ends.append(ShutdownReason.POWEROFF)
    assert call("create", "-F", "web.cfg").status == 0
    assert list(fake.guests) == [0]


def test_foreground_ends_with_a_preserved_domain(
    call: Call, fake: FakeEngine, ends: list[ShutdownReason]
) -> None:
    ends.append(ShutdownReason.CRASH)
    assert call("create", "-F", "web.cfg").status == 0
    assert fake.guests[1].info.shutdown


def test_nobody_stays_with_a_domain_that_is_left_alone(
    call: Call, fake: FakeEngine, ends: list[ShutdownReason]
) -> None:
    ends.append(ShutdownReason.REBOOT)
    assert call("create", "-F", "-e", "web.cfg").status == 0
    assert fake.guests[1].info.shutdown_reason is ShutdownReason.REBOOT


def test_the_console_is_attached_before_the_domain_runs(
    call: Call, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watch_console(fake, monkeypatch)
    result = call("create", "-c", "web.cfg")
    assert result.status == 0
    assert "guest up" in result.out
    assert seen[:2] == ["console of a paused domain", "unpause"]


def test_config_update(call: Call, xl: Call, fake: FakeEngine) -> None:
    assert call("create", "web.cfg").status == 0
    result = xl("config-update", "web", "web.cfg", "vcpus=4")
    assert result.status == 0
    assert result.err == Recording("config-update").err.replace("dom11", "dom1")
    assert "vcpus=4" not in result.out
    entry = json.loads(xl("-N", "config-update", "web", "web.cfg", "vcpus=8").out)
    assert entry["domid"] is None
    assert entry["config"]["b_info"]["max_vcpus"] == 8
    assert call("config-update", "web").status == 1


def test_what_is_a_file_and_what_an_override() -> None:
    options = (value("-f --defconfig", "FILE"), flag("-p"))
    args = parse(["a=1", "web.cfg", "b=2"], options)
    assert named_config(args.rest, args) == ("web.cfg", ("a=1", "b=2"), None)


def test_relative_disks(place: Path) -> None:
    def found(path: str | None, **fields: object) -> str | None:
        return disk_with_absolute_path(DiskConfig(pdev_path=path, **fields), os.getcwd()).pdev_path  # type: ignore[arg-type]

    assert found("web.raw") == str(place / "web.raw")
    assert found("null") == "/dev/null"
    (place / "null").touch()
    assert found("null") == str(place / "null")
    assert found("iqn.2001-05.com:x", script="block-iscsi") == "iqn.2001-05.com:x"
    assert found(None) is None
