"""Configurations that tests start domains from."""

from __future__ import annotations

from typing import Any

from xlpy.model.domain import DomainType
from xlpy.model.domain_config import (
    DiskConfig,
    DomainBuildInfo,
    DomainConfig,
    DomainCreateInfo,
    NicConfig,
    PvhInfo,
)


def tiny(name: str, uuid: str | None = None, memory_kib: int = 32 << 10, **changes: Any) -> DomainConfig:
    """A small PVH domain; ``changes`` are fields of DomainConfig."""
    return DomainConfig(
        c_info=DomainCreateInfo(type=DomainType.PVH, name=name, uuid=uuid),
        b_info=DomainBuildInfo(
            max_vcpus=1, avail_vcpus=(0,), max_memkb=memory_kib, target_memkb=memory_kib, pvh=PvhInfo()
        ),
    ).replace(**changes)


def with_devices(name: str) -> DomainConfig:
    """One with a disk and a network card."""
    return tiny(
        name,
        disks=(DiskConfig(pdev_path="/dev/null", vdev="xvda", format="raw", readwrite=1),),
        nics=(NicConfig(mac="00:16:3e:01:02:03", bridge="xenbr0"),),
    )
