"""list -l and create against recordings of xl: configurations there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, Recording, domain_0, populate

from xlpy.config.domain import parse_domain_config
from xlpy.config.draft import HostFacts
from xlpy.model.domain import ActionOnShutdown, DomainType
from xlpy.model.domain_config import (
    DomainBuildInfo,
    DomainConfig,
    DomainCreateInfo,
    DomainSchedParams,
    PvInfo,
)

CREDIT2 = DomainSchedParams(sched="credit2", weight=256, cap=0)


def config(name: str, kind: str, memory: int, vcpus: int = 1, extra: str = "", *more: str) -> str:
    """A config file as the recording's guests had."""
    lines = (
        f'name="{name}"',
        f'type="{kind}"',
        'kernel="/lab/guest/vmlinux"',
        'ramdisk="/lab/guest/initrd"',
        f"memory={memory}",
        f"vcpus={vcpus}",
        f'extra="console=hvc0 quiet {extra}"',
        *more,
    )
    return "\n".join(lines) + "\n"


GPV_CFG = config(
    "gpv", "pv", 96, 2, "",
    f'uuid="{GPV.uuid}"',
    "maxvcpus=4",
    'cpus="all"',
    'disk=["file:/tmp/g.raw,xvda,w"]',
    'vif=["mac=00:16:3e:00:00:01,bridge=xenbr0","mac=00:16:3e:00:00:02,bridge=xenbr0,rate=1MB/s"]',
)  # fmt: skip
PRESERVING = ('on_poweroff="preserve"', 'on_crash="preserve"')
FILES = {
    "gpv.cfg": GPV_CFG,
    "gpaused.cfg": config("gpaused", "pv", 80),
    "gpvh.cfg": config("gpvh", "pvh", 96),
    "gsd.cfg": config("gsd", "pv", 96, 1, "guest=exit", *PRESERVING),
    "gcrash.cfg": config("gcrash", "pv", 96, 1, "guest=crash", *PRESERVING),
}


def as_libxl_keeps_it(config: DomainConfig) -> DomainConfig:
    """With what libxl fills in when it creates the domain."""
    build = config.b_info
    return config.replace(
        b_info=build.replace(
            video_memkb=0, sched_params=CREDIT2, arch_x86=build.arch_x86.replace(msr_relaxed=False)
        ),
        disks=tuple(disk.replace(colo_restore_enable=False) for disk in config.disks),
        nics=tuple(nic.replace(nictype="vif") for nic in config.nics),
    )


def test_one_domain(xl: Call, fake: FakeEngine) -> None:
    populate(fake)
    parsed = parse_domain_config(GPV_CFG, "gpv.cfg", host=HostFacts(nr_cpus=2, max_cpu_id=1))
    fake.add(GPV, as_libxl_keeps_it(parsed.config))
    recording = Recording("list-l-one")
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_domain_0(xl: Call, fake: FakeEngine) -> None:
    fake.guests.clear()
    build = DomainBuildInfo(max_memkb=655360, target_memkb=655359, sched_params=CREDIT2, pv=PvInfo())
    unset = ActionOnShutdown.DESTROY  # libxl knows no rules for Domain-0
    host = DomainConfig(
        c_info=DomainCreateInfo(type=DomainType.PV, name="Domain-0"),
        b_info=build,
        on_reboot=unset,
        on_soft_reset=unset,
    )
    fake.add(domain_0(0), host)
    recording = Recording("list-l-dom0")
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


@pytest.mark.parametrize(
    "name",
    ["create-pv", "create-paused", "create-pvh", "create-quiet-override", "create-sd", "create-crash"],
)
def test_created_as_recorded(
    name: str, xl: Call, fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file, text in FILES.items():
        (tmp_path / file).write_text(text)
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)
    assert fake.guests[1].info.paused is ("-p" in recording.words)
