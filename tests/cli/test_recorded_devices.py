"""Devices, vcpus, memory and what is said to a guest: recordings of xl, and what the host was asked for."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, GPVH, GUESTS, Recording, populate

from xlpy.cli.vnc import viewer_command
from xlpy.errors import EngineError, InvalidState
from xlpy.model.device import DiskInfo, NicInfo
from xlpy.model.domain import VcpuInfo


@pytest.fixture
def lab(fake: FakeEngine) -> FakeEngine:
    """A host of two pcpus with the recorded guests, gpv having its four vcpus, its disk and its two cards."""
    fake.host = fake.host.replace(nr_cpus=2, max_cpu_id=1)
    populate(fake, *GUESTS)
    gpv = fake.guests[GPV.domid]
    gpv.vcpus = tuple(
        VcpuInfo(
            domid=11,
            vcpuid=number,
            cpu=number,
            online=number < 2,
            blocked=True,
            vcpu_time_ns=int(time_s * 1e9),
        )
        for number, time_s in enumerate((5.4, 2.5, 0.6, 0.5))
    )
    gpv.disks = [DiskInfo(devid=51712, vdev="xvda", backend_path="/local/domain/0/backend/vbd/11/51712")]
    gpv.nics = [
        NicInfo(
            devid=devid,
            mac=f"00:16:3e:00:00:0{devid + 1}",
            backend_path=f"/local/domain/0/backend/vif/11/{devid}",
        )
        for devid in range(2)
    ]
    return fake


def check(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


@pytest.mark.parametrize(
    "name",
    [
        *("vcpu-list-gpv", "block-list", "network-list", "sysrq", "trigger", "vcpu-pin", "vcpu-set"),
        *("e-trigger", "e-sysrq", "e-vcpuset", "e-memset2", "e-vcpupin2", "e-vcpupin"),
    ],
)
def test_as_recorded(name: str, xl: Call, lab: FakeEngine) -> None:
    check(name, xl)


def test_pinning_as_recorded(xl: Call, lab: FakeEngine) -> None:
    check("vcpu-pin", xl)
    assert xl("vcpu-pin", "gpv", "all", "-", "1").status == 0
    check("vcpu-set", xl)
    gpv = lab.guests[GPV.domid]
    times = (5.5, 2.6, 0.6, 0.5)
    gpv.vcpus = tuple(
        vcpu.replace(vcpu_time_ns=int(time_s * 1e9)) for vcpu, time_s in zip(gpv.vcpus, times, strict=True)
    )
    check("vcpu-list-pinned", xl)


def test_vcpu_pin_dry_run_changes_nothing(xl: Call, lab: FakeEngine) -> None:
    before = lab.list_vcpus(GPV.domid)
    assert xl("-N", "vcpu-pin", "gpv", "all", "0", "0-1").out == "cpumap: 0 all\n"
    assert xl("-N", "vcpu-pin", "gpv", "all", "-").out == "cpumap: -\n"
    assert lab.list_vcpus(GPV.domid) == before


def test_vcpu_pin_refuses_what_xl_refuses(xl: Call, lab: FakeEngine) -> None:
    assert xl("vcpu-pin", "gpv", "first", "0").err == "Error: Invalid argument first as VCPU.\n"
    assert xl("vcpu-pin", "-f", "gpv", "all", "0").err == "Error: --force and 'all' as VCPU not allowed.\n"


def test_vcpu_list_of_all_domains_has_those_of_each(call: Call, lab: FakeEngine) -> None:
    rows = json.loads(call("vcpu-list", "-o", "json").out)["rows"]
    assert {row["name"] for row in rows} == {"Domain-0", *(guest.name for guest in GUESTS)}
    assert [row["online"] for row in rows if row["name"] == "gpv"] == [True, True, False, False]


def test_vcpu_set_above_the_host_needs_the_option(call: Call, lab: FakeEngine) -> None:
    assert call("vcpu-set", "gpv", "4").status == 1
    assert call("vcpu-set", "-i", "gpv", "4").status == 0
    assert lab.domain_info(GPV.domid).vcpu_online == 4
    assert call("vcpu-set", "gpv", "0").status == 1
    assert call("vcpu-set", "gpv", "many").err.startswith("xlpy: Error: Invalid argument.")


def test_lists_go_on_after_an_unknown_domain_and_fail(call: Call, lab: FakeEngine) -> None:
    for command in ("block-list", "network-list"):
        result = call(command, "nosuch", "gpv")
        assert result.status == 1
        assert result.err.startswith("xlpy: nosuch is an invalid domain identifier\n")
        assert "/local/domain/0/backend" in result.out


def test_block_detach(xl: Call, lab: FakeEngine) -> None:
    recording = Recording("e-blockdetach")
    result = xl(*recording.words)
    assert result.status == recording.status
    assert result.err.splitlines()[0] == recording.err.splitlines()[-1]
    assert xl("block-detach", "gpv", "xvda").status == 0
    assert lab.list_disks(GPV.domid) == ()


def test_network_detach(xl: Call, lab: FakeEngine) -> None:
    recording = Recording("e-netdetach")
    result = xl(*recording.words)
    assert result.status == recording.status
    assert result.err.splitlines()[0] == recording.err.splitlines()[-1]
    assert xl("network-detach", "gpv", "00:16:3E:00:00:02").status == 0
    assert xl("network-detach", "gpv", "0").status == 0
    assert lab.list_nics(GPV.domid) == ()


def test_triggers_reach_the_guest(call: Call, lab: FakeEngine) -> None:
    assert call("trigger", "gpvh", "nmi", "0").status == 0
    assert call("button-press", "gpvh", "sleep").err.startswith('WARNING: "button-press" is deprecated.')
    assert call("sysrq", "gpvh", "h").status == 0
    assert lab.requests == [
        ("send_trigger", GPVH.domid, "nmi", 0),
        ("send_trigger", GPVH.domid, "sleep", 0),
        ("send_sysrq", GPVH.domid, "h"),
    ]


def test_what_is_no_trigger(xl: Call, call: Call, lab: FakeEngine) -> None:
    assert xl("button-press", "gpvh", "red").err.endswith("red is an invalid button identifier\n")
    assert xl("trigger", "gpvh", "nmi", "first").err == "Invalid vcpuid, using default vcpuid=0.\n\n"
    assert call("trigger", "gpvh", "nmi", "first").status == 2
    assert call("sysrq", "gpvh", "help").status == 1
    assert xl("sysrq", "gpvh", "help").out.startswith("Usage: xl [-vtTf] sysrq")


def test_dump_core_leaves_a_whole_file_for_us_alone(call: Call, lab: FakeEngine, tmp_path: Path) -> None:
    core = tmp_path / "core"
    assert call("dump-core", "gpv", str(core)).status == 0
    assert core.read_bytes().startswith(b"\x7fELF")
    assert stat.S_IMODE(core.stat().st_mode) == 0o600
    assert not (tmp_path / "core.partial").exists()


def test_failed_dump_core_keeps_the_older_core(xl: Call, lab: FakeEngine, tmp_path: Path) -> None:
    core = tmp_path / "core"
    core.write_bytes(b"older")
    lab.fail_next("dump_core", EngineError("no space left on device"))
    result = xl("dump-core", "gpv", str(core))
    assert result.err.splitlines() == ["core dump failed (rc=-3)", "  no space left on device"]
    assert core.read_bytes() == b"older"
    assert not (tmp_path / "core.partial").exists()


def test_dump_core_where_nobody_can_write(call: Call, lab: FakeEngine, tmp_path: Path) -> None:
    result = call("dump-core", "gpv", str(tmp_path / "nowhere" / "core"))
    assert result.status == 1
    assert "No such file or directory" in result.err


def test_qemu_monitor_command(xl: Call, call: Call, lab: FakeEngine) -> None:
    document = json.loads(call("qemu-monitor-command", "gpv", "info status", "-o", "json").out)
    assert document == {
        "schema": "xlpy/monitor-answer/1",
        "rows": [{"domid": 11, "command": "info status", "answer": "info status"}],
    }
    assert xl("qemu-monitor-command", "gpv", "info status").out == "info status\n"
    assert xl("qemu-monitor-command", "gpv", "info", "status").err == "Invalid arguments.\n"


@pytest.mark.parametrize(
    ("autopass", "environ", "command"),
    [
        (False, {}, ["vncviewer", "127.0.0.1:3"]),
        (True, {}, ["vncviewer", "127.0.0.1:3", "-autopass"]),
        (False, {"VNCVIEWER": "/opt/viewer"}, ["/opt/viewer", "127.0.0.1:3"]),
    ],
)
def test_viewer_command(autopass: bool, environ: dict[str, str], command: list[str]) -> None:
    assert viewer_command("127.0.0.1:3", autopass, environ) == command


def test_vncviewer_that_is_not_installed(
    call: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VNCVIEWER", str(tmp_path / "nosuch"))
    result = call("vncviewer", "gpv")
    assert result.status == 1
    assert "there is no VNC viewer" in result.err
    assert "127.0.0.1:5911" in result.err


def test_events(call: Call, lab: FakeEngine) -> None:
    call("pause", "gpv")
    call("unpause", "gpv")
    call("pause", "gpvh")
    rows = json.loads(call("events", "-o", "json").out)["rows"]
    assert [(row["what"], row["domid"], row["result"]) for row in rows][-3:] == [
        ("pause-domain", 11, "ok"),
        ("unpause-domain", 11, "ok"),
        ("pause-domain", 17, "ok"),
    ]
    assert [row["id"] for row in json.loads(call("events", "-o", "json", "-n", "1").out)["rows"]] == [
        rows[-1]["id"]
    ]
    assert len(json.loads(call("events", "gpv", "-o", "json").out)["rows"]) == 2
    after = json.loads(call("events", "--after", str(rows[0]["id"]), "-o", "json").out)["rows"]
    assert after == rows[1:]
    assert call("events", "-n", "few").status == 2


def test_refused_memory(xl: Call, lab: FakeEngine) -> None:
    for name in ("mem-set", "mem-max"):
        recording = Recording(name)
        assert xl(*recording.words).status == recording.status
    assert lab.domain_info(GPV.domid).current_memory_kib == 90 << 10
    assert lab.domain_info(GPV.domid).max_memory_kib == 94 << 10
    bad = Recording("e-memset")
    result = xl(*bad.words)
    assert (result.err, result.status) == (bad.err, bad.status)


def test_memory_the_host_refuses(xl: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(domid: int, memory_kib: int) -> None:
        raise InvalidState("more than the domain may have")

    monkeypatch.setattr(lab, "set_memory_target", refuse)
    recording = Recording("e-memset-big")
    result = xl(*recording.words)
    assert result.status == recording.status
    assert recording.err.splitlines()[-1] in result.err.splitlines()


def expected(what: str, **fields: object) -> str:
    """libxl's JSON of a device behind its name, as ``xl -N`` prints it."""
    return f"{what}: {json.dumps(fields, indent=4)}\n\n"


VOLUME = {"pdev_path": "/dev/vg/guest-volume", "vdev": "hda", "format": "raw", "readwrite": 1}
IMAGE = {"pdev_path": "/root/image.iso", "vdev": "hdc", "format": "raw", "removable": 1, "is_cdrom": 1}


@pytest.mark.parametrize(
    ("words", "disk"),
    [
        (["/dev/vg/guest-volume,,hda"], VOLUME),
        (["/dev/vg/guest-volume,raw,hda,rw"], VOLUME),
        (["format=raw", "vdev=hda", "access=rw", "target=/dev/vg/guest-volume"], VOLUME),
        (["raw:/dev/vg/guest-volume,hda,w"], VOLUME),
        (["/root/image.iso,raw,hdc,devtype=cdrom"], IMAGE),
        (["format=raw", "vdev=hdc", "access=ro", "devtype=cdrom", "target=/root/image.iso"], IMAGE),
    ],
)
def test_block_attach_dry_run(words: list[str], disk: dict[str, object], xl: Call, lab: FakeEngine) -> None:
    result = xl("-N", "block-attach", "0", *words)
    assert (result.out, result.err, result.status) == (expected("disk", **disk), "", 0)
    assert lab.list_disks(0) == ()


def test_network_attach_dry_run(xl: Call, lab: FakeEngine) -> None:
    result = xl("-N", "network-attach", "0", "rate=10MB/s@20ms", "bridge=xenbr0")
    assert result.status == 0
    assert json.loads(result.out.removeprefix("vif: ")) == {
        "bridge": "xenbr0",
        "rate_bytes_per_interval": 200000,
        "rate_interval_usecs": 20000,
    }
    assert xl("-N", "network-attach", "0", "foo=bar").err == "unrecognized argument `foo=bar'\n"


def test_attach_and_show(
    xl: Call, call: Call, lab: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "g2.raw").touch()
    monkeypatch.chdir(tmp_path)
    assert xl("block-attach", "gpv", "file:g2.raw,xvdb,r").status == 0
    assert xl("network-attach", "gpv", "bridge=xenbr0", "mac=00:16:3e:00:00:03").status == 0
    check("network-list2", xl)
    (disk,) = (disk for disk in lab.list_disks(GPV.domid) if disk.vdev == "xvdb")
    assert (disk.target, disk.readonly) == (str(tmp_path / "g2.raw"), True)
    check("network-detach", xl)
    check("network-list", xl)


def test_bad_disk_spec(xl: Call, call: Call, lab: FakeEngine) -> None:
    recording = Recording("e-blockattach")
    result = xl(*recording.words)
    words = "command line: config parsing error in disk specification: no vdev"
    assert recording.err.startswith(words)
    assert result.err.startswith(words)
    assert result.status == recording.status
    lines = call("block-attach", "gpv", "/x,raw,xvda,sometimes").err.splitlines()
    assert lines[0].startswith("xlpy: command line:1:13: ")
    assert lines[1:3] == ["  /x,raw,xvda,sometimes", "              ^^^^^^^^^"]


def test_media(xl: Call, call: Call, lab: FakeEngine, tmp_path: Path) -> None:
    check("e-cdinsert", xl)
    lab.guests[GPV.domid].disks.append(DiskInfo(devid=5632, vdev="hdc", cdrom=True))
    iso = tmp_path / "x.iso"
    iso.touch()
    assert call("cd-insert", "gpv", "hdc", str(iso)).status == 0
    assert lab.list_disks(GPV.domid)[1].target == str(iso)
    assert '"pdev_path": ""' in call("-N", "cd-eject", "gpv", "hdc").out
    assert lab.list_disks(GPV.domid)[1].target == str(iso)
    assert call("cd-eject", "gpv", "hdc").status == 0
    assert not lab.list_disks(GPV.domid)[1].target
