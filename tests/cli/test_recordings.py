"""Every recorded command line is held by a test without Xen, or it says here why it can't be; and those left over."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import DATA, GNEW, GPV, GPVH, GUESTS, Recording, domain_0, populate

from xlpy.errors import EngineError, InvalidState, NotEnoughMemory
from xlpy.model.domain import VcpuInfo

HERE = Path(__file__).parent
# By file: the recordings that its tests compare with what xlpy says, by their names.
HELD: dict[str, str] = {
    "test_commands.py": """
        help noargs version e-badcmd e-destroy-noarg e-memset2 e-save e-sysrq e-migrate e-debugkeys e-shutdown-noarg
        """,
    "test_cpupool.py": """
        cpupool-create cpupool-list2 cpupool-list2-c cpupool-migrate cpupool-migrate2 cpupool-rename cpupool-destroy-busy
        cpupool-destroy cpupool-cpu-add cpupool-cpu-remove e-cpupool2
        """,
    "test_create.py": """
        e-create-missing e-create-nofile e-syntax e-syntax2 e-noname e-unknownkey e-dupname config-update
        """,
    "test_hypervisor_commands.py": "debug-keys getenforce loadpolicy psr-hwinfo",
    "test_lifecycle.py": """
        e-pause e-destroy e-destroy-dom0 e-shutdown destroy rename e-console e-config e-rename-dup e-reboot e-unpause
        shutdown-w
        """,
    "test_passthrough.py": """
        pci-list usb-list vtpm-list vkb-list vdispl-list vsnd-list channel-list pci-assignable-list
        """,
    "test_recorded_configs.py": """
        list-l-one list-l-dom0 create-pv create-paused create-pvh create-quiet-override create-sd create-crash
        """,
    "test_recorded_devices.py": """
        vcpu-list-gpv block-list network-list network-list2 sysrq trigger vcpu-pin vcpu-set vcpu-list-pinned e-trigger
        e-sysrq e-vcpuset e-memset2 e-vcpupin e-vcpupin2 mem-set mem-max e-memset e-memset-big network-detach
        e-blockattach e-blockdetach e-netdetach e-cdinsert
        """,
    "test_recorded_host.py": """
        info info-n info--numa info-c cpupool-list cpupool-list-c sharing claims sched-credit2 sched-credit2-s sched-credit
        sched-rtds e-sched e-sched2 e-dmesg sched-credit2-all sched-credit2-d sched-credit2-set sched-credit2-d2
        sched-credit2-p sched-credit-d
        """,
    "test_recorded_listing.py": """
        list list-dom0 list-v list-Z list-c list-n list-vZcn list-one list-two list-domid list-renamed list-cpupool list-c2
        list-end vm-list vm-list-dom0 domid domid-dom0 domname domname-0 e-list e-list-id e-domid e-domname e-domname2
        e-uptime e-badflag e-badlong uptime uptime-dom0 uptime-one uptime-s
        """,
    "test_recordings.py": """
        e-memtoolarge e-nokernel e-vncviewer vcpu-list-dom0 vcpu-pin-soft cpupool-numa-split e-cpupool top-none
        block-attach network-attach dump-core dmesg vcpu-list
        """,
    "test_saverestore.py": "e-save-dir e-restore e-restore-bad",
}
# What there is no state for without Xen; in the lab all of them are played (tests/engine/libxl/test_xen_parity.py).
IN_THE_LAB: dict[str, str] = {
    "list-l": "the configurations of six guests at once; list-l-one has one of them",
    "console-none": "what a guest said, until the time limit of the recording",
    "shutdown-a": "cut off by the time limit of the recording, since a paused guest answers nobody",
    "shutdown-paused": "cut off by the time limit of the recording, since a paused guest answers nobody",
}


def test_every_recording_is_held() -> None:
    held = {name: file for file, names in HELD.items() for name in names.split()}
    helps = {path.stem for path in DATA.glob("help-*.cmd")}  # test_commands.py has them without their "help-"
    recorded = {path.stem for path in DATA.glob("*.cmd")}
    assert recorded == held.keys() | helps | IN_THE_LAB.keys()
    assert not held.keys() & IN_THE_LAB.keys()
    unnamed = [
        f"{file}: {name}" for name, file in held.items() if f'"{name}"' not in (HERE / file).read_text()
    ]
    assert not unnamed
    commands = (HERE / "test_commands.py").read_text()
    assert not [name for name in helps if not re.search(rf'"{name.removeprefix("help-")}"', commands)]


@pytest.fixture
def lab(fake: FakeEngine) -> FakeEngine:
    """The recorded host with its guests."""
    fake.host = fake.host.replace(nr_cpus=2, max_cpu_id=1)
    populate(fake, *GUESTS)
    return fake


@pytest.mark.parametrize("name", ["cpupool-numa-split", "e-cpupool", "top-none", "network-attach"])
def test_as_recorded(name: str, xl: Call, lab: FakeEngine) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


@pytest.mark.parametrize(("name", "operation"), [("block-attach", "attach_disk"), ("dump-core", "dump_core")])
def test_what_the_host_refuses(
    name: str, operation: str, xl: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(domid: int, disk: object = None, stream: int | None = None) -> None:
        if stream is not None:
            os.close(stream)
        raise EngineError("why")

    monkeypatch.setattr(lab, operation, refuse)
    populate(lab, GPV, GNEW)
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.status) == (recording.out, recording.status)
    assert result.err.splitlines() == [recording.err.splitlines()[-1], "  why"]


def test_the_ring(xl: Call, lab: FakeEngine) -> None:
    lab.ring = Recording("dmesg").out
    assert xl("dmesg").out == lab.ring


@pytest.mark.parametrize(
    ("name", "file", "error"),
    [
        ("e-memtoolarge", "big.cfg", NotEnoughMemory("domain 'big' cannot be created: out of memory")),
        (
            "e-nokernel",
            "e5.cfg",
            EngineError("failed to open file '/nonexistent': No such file or directory"),
        ),
    ],
)
def test_what_the_host_cannot_build(
    name: str,
    file: str,
    error: EngineError,
    xl: Call,
    lab: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).write_text('name="x"\ntype="pv"\nkernel="/nonexistent"\nmemory=8000\n')
    lab.fail_next("create_domain", error)
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.status) == (recording.out, recording.status)
    assert result.err.splitlines() == [
        recording.err.splitlines()[0],
        str(error),
    ]  # libxl's own lines in our words


def test_no_display(xl: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(domid: int) -> None:
        raise InvalidState(f"domain {domid} has no VNC display")

    monkeypatch.setattr(lab, "vnc_address", refuse)
    recording = Recording("e-vncviewer")
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (
        recording.out,
        f"Cannot get vnc-port\n  domain {GPV.domid} has no VNC display\n",
        recording.status,
    )


def test_vcpus_of_the_host_alone(xl: Call, lab: FakeEngine) -> None:
    populate(lab)
    lab.guests[0].vcpus = tuple(
        VcpuInfo(domid=0, vcpuid=vcpu, cpu=vcpu, online=True, running=vcpu == 1, vcpu_time_ns=time_ns)
        for vcpu, time_ns in enumerate((169_800_000_000, 165_400_000_000))
    )
    recording = Recording("vcpu-list-dom0")
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_vcpus_of_all(xl: Call, lab: FakeEngine) -> None:
    """Where each was, whether it ran, and how long."""
    recording = Recording("vcpu-list")
    rows = [line.split() for line in recording.out.splitlines()[1:]]
    for info in (domain_0(0), *GUESTS):
        lab.guests[info.domid].vcpus = tuple(
            VcpuInfo(
                domid=info.domid,
                vcpuid=int(vcpu),
                cpu=int(cpu) if cpu != "-" else 0,
                online=state[2] != "p",
                running=state[0] == "r",
                blocked=state[1] == "b",
                vcpu_time_ns=round(float(time_s) * 1e9),
            )
            for _, domid, vcpu, cpu, state, time_s, *_ in rows
            if int(domid) == info.domid
        )
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_soft_affinity_alone(xl: Call, lab: FakeEngine) -> None:
    recording = Recording("vcpu-pin-soft")
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, "", recording.status)
    assert {vcpu.soft_affinity for vcpu in lab.list_vcpus(GPV.domid)} == {(1,)}
    assert {vcpu.soft_affinity for vcpu in lab.list_vcpus(GPVH.domid)} == {None}
