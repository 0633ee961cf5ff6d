"""What is found before a migration between Xen hosts, without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_engine import fake_host

from xlpy.engine.libxl import preflight
from xlpy.model.device_config import DiskConfig, NicConfig, PciConfig
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import DomainBuildInfo, DomainConfig, DomainCreateInfo
from xlpy.model.host import HostInfo
from xlpy.model.migration import SavedDomain

HOST = fake_host().replace(virt_caps="pv hvm hap shadow", free_memory_kib=1 << 20)
BARE = HOST.replace(virt_caps="pv hvm hap")


def config(kind: DomainType = DomainType.PVH, **fields: object) -> DomainConfig:
    return DomainConfig(c_info=DomainCreateInfo(type=kind, name="web"), b_info=DomainBuildInfo()).replace(
        **fields
    )


def saved(found: DomainConfig | None = None, **fields: object) -> SavedDomain:
    plain = SavedDomain(config=found or config(), stream_format="libxl", stream_version="2", xlpy_version="1")
    return plain.replace(**fields)


def outgoing(found: DomainConfig, host: HostInfo = HOST, copy_disks: bool = False) -> list[str]:
    return [f"{item.severity}: {item.text}" for item in preflight.outgoing(found, host.virt_caps, copy_disks)]


def incoming(
    found: SavedDomain, host: object = HOST, minor: int = 17, needed_kib: int = 0, features: str = ""
) -> list[str]:
    items = preflight.incoming(found, host, minor, needed_kib, frozenset(features.split()))  # type: ignore[arg-type]
    return [f"{item.severity}: {item.text}" for item in items]


class TestOutgoing:
    def test_nothing_in_the_way(self) -> None:
        assert outgoing(config()) == outgoing(config(DomainType.PV)) == outgoing(config(), BARE) == []

    @pytest.mark.parametrize(
        ("found", "words"),
        [
            (config(DomainType.PV), "no shadow paging"),
            (config(b_info=DomainBuildInfo(disable_migrate=True)), "nomigrate"),
            (config(pcidevs=(PciConfig(),)), "PCI devices"),
        ],
    )
    def test_what_is(self, found: DomainConfig, words: str) -> None:
        (said,) = outgoing(found, BARE)
        assert said.startswith("error: ")
        assert words in said

    def test_disks_stay(self) -> None:
        assert outgoing(config(), copy_disks=True) == ["error: the libxl engine cannot copy disks"]


class TestIncoming:
    def test_nothing_in_the_way(self) -> None:
        assert incoming(saved(program_version="Xen 4.16", cpu_features=("fpu",)), features="fpu tsc") == []

    def test_kind_of_domain(self) -> None:
        host = HOST.replace(virt_caps="hvm hap")
        assert incoming(saved(), host) == []
        (said,) = incoming(saved(config(DomainType.PV)), host)
        assert said == "error: this host runs no pv domains: its Xen or processor has no pv"

    def test_memory(self) -> None:
        assert incoming(saved(), needed_kib=1 << 20) == []
        (said,) = incoming(saved(), needed_kib=(1 << 20) + 1024)
        assert said == "error: the domain needs 1025 MiB, and 1024 MiB are free"

    def test_disks(self, tmp_path: Path) -> None:
        here, gone = tmp_path / "here", tmp_path / "gone"
        here.write_bytes(b"")
        disks = (
            DiskConfig(vdev="xvda", pdev_path=str(here)),
            DiskConfig(vdev="xvdb", pdev_path=str(gone)),
            DiskConfig(vdev="xvdc", pdev_path=str(gone), backend_domname="storage"),
            DiskConfig(vdev="xvdd", pdev_path=str(gone), script="block-drbd"),
            DiskConfig(vdev="xvde", pdev_path="rbd:pool/image"),
            DiskConfig(vdev="hdc", is_cdrom=1),
        )
        assert incoming(saved(config(disks=disks))) == [f"error: disk xvdb: there is no {gone}"]

    def test_bridges(self) -> None:
        nics = (
            NicConfig(bridge="nosuchbr0"),
            NicConfig(bridge="lo"),
            NicConfig(bridge="nosuchbr1", script="/etc/xen/scripts/vif-route"),
            NicConfig(bridge="nosuchbr2", backend_domname="net"),
        )
        assert incoming(saved(config(nics=nics))) == ["error: there is no bridge nosuchbr0"]

    def test_versions(self) -> None:
        (said,) = incoming(saved(program_version="Xen 4.20"))
        assert said == "warning: Xen is older here (4.17) than at the source (4.20)"

    def test_processor(self) -> None:
        features = tuple("abcdefgh")
        (said,) = incoming(saved(cpu_features=features), features="a")
        assert said == "warning: the processor lacks what the source's has: b c d e f g …"

    def test_boot_files(self) -> None:
        found = config(b_info=DomainBuildInfo(kernel="/nothing/vmlinuz"))
        assert incoming(saved(found)) == [
            "warning: its kernel /nothing/vmlinuz is not here: it moves, but cannot be rebooted here"
        ]


def test_features_of_this_machine() -> None:
    assert "fpu" in preflight.features_here()
