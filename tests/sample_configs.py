"""Configurations that tests start domains from."""

from __future__ import annotations

import os
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

# Xen builds no domain without a kernel, and saves none whose guest doesn't help: there these say what to boot.
KERNEL = os.environ.get("XLPY_TEST_KERNEL")
RAMDISK = os.environ.get("XLPY_TEST_RAMDISK")
SMALLEST_KIB = 128 << 10 if KERNEL else 32 << 10


def tiny(name: str, uuid: str | None = None, memory_kib: int = SMALLEST_KIB, **changes: Any) -> DomainConfig:
    """A small PVH domain; ``changes`` are fields of DomainConfig."""
    return DomainConfig(
        c_info=DomainCreateInfo(type=DomainType.PVH, name=name, uuid=uuid),
        b_info=DomainBuildInfo(
            max_vcpus=1,
            avail_vcpus=(0,),
            max_memkb=memory_kib,
            target_memkb=memory_kib,
            kernel=KERNEL,
            ramdisk=RAMDISK,
            cmdline="console=hvc0 quiet" if KERNEL else None,
            pvh=PvhInfo(),
        ),
    ).replace(**changes)


def with_devices(name: str) -> DomainConfig:
    """One with a disk and a network card."""
    return tiny(
        name,
        disks=(DiskConfig(pdev_path="/dev/null", vdev="xvda", format="raw", readwrite=1),),
        nics=(NicConfig(mac="00:16:3e:01:02:03", bridge="xenbr0"),),
    )
