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
    PvInfo,
)

# Xen builds no domain without a kernel, and saves none whose guest doesn't help: there these say what to boot,
# where any guest will do and where Linux is needed.
KERNEL, LINUX, RAMDISK = "XLPY_TEST_KERNEL", "XLPY_TEST_LINUX", "XLPY_TEST_RAMDISK"


def tiny(name: str, uuid: str | None = None, memory_kib: int = 32 << 10, **changes: Any) -> DomainConfig:
    """A small PVH domain; ``changes`` are fields of DomainConfig."""
    return DomainConfig(
        c_info=DomainCreateInfo(type=DomainType.PVH, name=name, uuid=uuid),
        b_info=DomainBuildInfo(
            max_vcpus=1,
            avail_vcpus=(0,),
            max_memkb=memory_kib,
            target_memkb=memory_kib,
            kernel=os.environ.get(KERNEL),
            pvh=PvhInfo(),
        ),
    ).replace(**changes)


def savable(name: str, uuid: str | None = None) -> DomainConfig:
    """One that can be saved on any engine, as soon as its guest is up; on Xen a PV guest, which is up soonest."""
    config = tiny(name, uuid)
    if LINUX not in os.environ:
        return config
    boot = {
        "kernel": os.environ[LINUX],
        "ramdisk": os.environ[RAMDISK],
        "cmdline": "console=hvc0 quiet",
        "max_memkb": 128 << 10,
        "target_memkb": 128 << 10,
        "pvh": None,
        "pv": PvInfo(),
    }
    return config.replace(
        c_info=config.c_info.replace(type=DomainType.PV), b_info=config.b_info.replace(**boot)
    )


def with_devices(name: str) -> DomainConfig:
    """One with a disk and a network card."""
    return tiny(
        name,
        disks=(DiskConfig(pdev_path="/dev/null", vdev="xvda", format="raw", readwrite=1),),
        nics=(NicConfig(mac="00:16:3e:01:02:03", bridge="xenbr0"),),
    )
