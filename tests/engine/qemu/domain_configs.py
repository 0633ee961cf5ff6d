"""Short ways to write configurations for these tests."""

from __future__ import annotations

from xlpy.model.domain import DomainType
from xlpy.model.domain_config import (
    DiskConfig,
    DomainBuildInfo,
    DomainConfig,
    DomainCreateInfo,
    HvmInfo,
    NicConfig,
    PvhInfo,
)

PVH, HVM = DomainType.PVH, DomainType.HVM


def domain_config(
    kind: DomainType = PVH,
    disks: tuple[DiskConfig, ...] = (),
    nics: tuple[NicConfig, ...] = (),
    hvm: HvmInfo | None = None,
    **b_info: object,
) -> DomainConfig:
    """A domain called ``web``; ``b_info`` as libxl names it."""
    details: dict[str, object] = {"hvm": hvm or HvmInfo()} if kind is HVM else {"pvh": PvhInfo()}
    return DomainConfig(
        c_info=DomainCreateInfo(type=kind, name="web", uuid="5b2a2c36-3c0e-4b4e-9f5c-0a5d1d6b7a01"),
        b_info=DomainBuildInfo(**{**details, **b_info}),
        disks=disks,
        nics=nics,
    )


def disk(vdev: str, path: object = "/images/a", image_format: str = "raw", **more: object) -> DiskConfig:
    """A writable disk."""
    settings = {"readwrite": 1, **more}
    return DiskConfig(vdev=vdev, pdev_path=str(path), format=image_format, **settings)


def cdrom(vdev: str, path: object = None) -> DiskConfig:
    """A CD drive, empty without a path, as the configuration language makes it."""
    image_format = "empty" if path is None else "raw"
    where = None if path is None else str(path)
    return DiskConfig(vdev=vdev, pdev_path=where, format=image_format, is_cdrom=1, removable=1)
