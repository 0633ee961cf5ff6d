"""``xl list -l``: the recording of a host with eight domains, from their config files."""

from __future__ import annotations

from pathlib import Path

import pytest
from parsing import HVM, config

from xlpy.config.libxl_json import domain_list_json
from xlpy.config.started import as_started
from xlpy.model.domain import ActionOnShutdown, DomainType
from xlpy.model.domain_config import (
    DomainBuildInfo,
    DomainConfig,
    DomainCreateInfo,
    DomainSchedParams,
    PvInfo,
)

RECORDING = Path(__file__).parent.parent / "data" / "config" / "list-l.out"
GUEST = 'kernel="/lab/guest/vmlinux"\nramdisk="/lab/guest/initrd"\n'
DISK = 'disk=["/tmp/g.raw,raw,xvda,rw"]\n'
VIFS = 'vif=["mac=00:16:3e:00:00:01,bridge=xenbr0","mac=00:16:3e:00:00:02,bridge=xenbr0,rate=8Mb/s"]\n'
PRESERVE = 'on_poweroff="preserve"\non_crash="preserve"\n'
GUESTS = {
    11: 'name="gpv"\nuuid="11111111-2222-3333-4444-555555555555"\nvcpus=2\nmaxvcpus=4\ncpus="all"\nmemory=96\n'
    'extra="console=hvc0 quiet "\n' + DISK + VIFS,
    12: 'name="gpaused"\nuuid="5a2ef55e-7e0a-4ffd-9827-88e60ab2ea74"\nmemory=80\nextra="console=hvc0 quiet "\n',
    14: 'name="gover"\nuuid="a33f8c70-880c-4f3c-925c-8b79d63e14b2"\nmemory=80\nextra="console=hvc0 quiet "\n',
    15: 'name="gsd"\nuuid="4cff3349-1840-48da-a803-ad275e6bd568"\nmemory=96\nextra="console=hvc0 quiet guest=exit"\n'
    + PRESERVE,
    16: 'name="gcrash"\nuuid="db88353b-3890-48ee-b832-0e812b4ebea7"\nmemory=96\n'
    'extra="console=hvc0 quiet guest=crash"\n' + PRESERVE,
    17: 'name="gpvh"\ntype="pvh"\nuuid="7805d5b7-350d-4893-9b81-4579781c17f4"\nmemory=96\n'
    'extra="console=hvc0 quiet "\n',
}


def domain_zero() -> DomainConfig:
    build = DomainBuildInfo(
        max_memkb=655360,
        target_memkb=655359,
        sched_params=DomainSchedParams(sched="credit2", weight=256, cap=0),
        pv=PvInfo(),
    )
    return DomainConfig(
        c_info=DomainCreateInfo(name="Domain-0"),
        b_info=build,
        on_reboot=ActionOnShutdown.DESTROY,
        on_soft_reset=ActionOnShutdown.DESTROY,
    )


def test_as_recorded() -> None:
    guests = [(domid, config(GUEST + text)) for domid, text in GUESTS.items()]
    assert domain_list_json([(0, domain_zero()), *guests]) + "\n" == RECORDING.read_text()


@pytest.mark.parametrize(
    ("vga", "memory_kib"),
    [("", 8192), ("vga='stdvga'\n", 16384), ("vga='qxl'\n", 131072), ("videoram=4\n", 4096)],
)
def test_video_memory_of_hvm_guests(vga: str, memory_kib: int) -> None:
    assert as_started(config(HVM + vga)).b_info.video_memkb == memory_kib


def test_cards_of_hvm_guests_are_emulated() -> None:
    found = as_started(config(HVM + "vif=['','type=vif']\n"))
    assert found.c_info.type == DomainType.HVM
    assert [nic.nictype for nic in found.nics] == ["vif_ioemu", "vif"]


def test_memory_has_a_default() -> None:
    build = as_started(config(HVM)).b_info
    assert (build.target_memkb, build.max_memkb) == (32768, 32768)


def test_what_the_config_says_stays() -> None:
    build = as_started(config(HVM + "cpu_weight=512\ncap=50\nhvm_pirq=1\nmsr_relaxed=1\n")).b_info
    assert (build.sched_params.weight, build.sched_params.cap) == (512, 50)
    assert build.arch_x86.msr_relaxed is True
    assert build.hvm is not None
    assert build.hvm.pirq is True
