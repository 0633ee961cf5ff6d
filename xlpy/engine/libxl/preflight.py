"""A look before a migration: what libxl, Xen or the guest would run into when half of the memory has gone over."""

from __future__ import annotations

import os

from xlpy.errors import ConfigError, NotEnoughMemory, NotSupported
from xlpy.model.domain import DomainType
from xlpy.model.migration import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.host import HostInfo
    from xlpy.model.migration import SavedDomain

STREAM_FORMAT = "libxl"
OTHER_ENGINE = (
    "the libxl engine cannot read the stream of another engine",
    "a domain stays with the kind of engine that it was started on",
)
_PRODUCT = "Xen 4."
_HERE = (None, "", "0", "Domain-0")
_NETWORKS = "/sys/class/net"
_SHOWN_FEATURES = 6


def product(minor: int) -> str:
    """The version of Xen, as ``SavedDomain.program_version`` has it."""
    return f"{_PRODUCT}{minor}"


# -- at the source


def outgoing(config: DomainConfig, virt_caps: str, copy_disks: bool) -> Iterator[Finding]:
    """What keeps this domain from leaving a host that can what ``virt_caps`` says (``xl info``)."""
    if copy_disks:
        yield _error("the libxl engine cannot copy disks", "put them where both hosts reach them")
    if config.c_info.type is DomainType.PV and "shadow" not in virt_caps.split():
        yield _error(
            "this Xen has no shadow paging, which the live migration of a PV domain needs",
            "save it, copy the file, restore it there; PVH and HVM domains move live",
        )
    if config.b_info.disable_migrate:
        yield _error(
            "its configuration says nomigrate", "so it was created; take that out, and start it anew"
        )
    if config.pcidevs:
        yield _error("it has PCI devices of this host", "detach them first: xlpy pci-detach")


# -- at the target


def incoming(
    saved: SavedDomain, host: HostInfo, minor: int, needed_kib: int, features: frozenset[str]
) -> Iterator[Finding]:
    """What keeps this host from taking the domain in. ``needed_kib`` is what dom0 cannot make room for by itself."""
    yield from _machine(saved.config, host)
    if needed_kib > host.free_memory_kib:
        yield Finding(
            severity="error",
            code=NotEnoughMemory.code,
            text=f"the domain needs {needed_kib // 1024} MiB, and {host.free_memory_kib // 1024} MiB are free",
            hint="give it less memory, or take some from others there: xlpy mem-set",
        )
    yield from _devices(saved.config)
    yield from _warnings(saved, minor, features)


def _machine(config: DomainConfig, host: HostInfo) -> Iterator[Finding]:
    kind = config.c_info.type
    if kind is None:
        return
    needed = "pv" if kind is DomainType.PV else "hvm"
    if needed not in host.virt_caps.split():
        yield _error(
            f"this host runs no {kind.value} domains: its Xen or processor has no {needed}",
            "see virt_caps: xlpy info",
        )


def _devices(config: DomainConfig) -> Iterator[Finding]:
    """What its disks and network cards need of dom0; other driver domains and scripts have their own places."""
    for disk in config.disks:
        path = disk.pdev_path or ""
        here = disk.backend_domname in _HERE and disk.script is None
        if here and path.startswith("/") and not os.path.exists(path):
            yield _missing(f"disk {disk.vdev}: there is no {path}", "have the same storage on both hosts")
    for nic in config.nics:
        script = os.path.basename(nic.script or "vif-bridge")
        if nic.backend_domname not in _HERE or script != "vif-bridge" or not nic.bridge:
            continue
        if not os.path.exists(f"{_NETWORKS}/{nic.bridge}"):
            yield _missing(f"there is no bridge {nic.bridge}", "make it here, or move the card: -C CONFIG")


def _warnings(saved: SavedDomain, minor: int, features: frozenset[str]) -> Iterator[Finding]:
    theirs = (saved.program_version or "").removeprefix(_PRODUCT)
    if theirs.isdigit() and int(theirs) > minor:
        yield _warning(
            "program-version",
            f"Xen is older here (4.{minor}) than at the source (4.{theirs})",
            "Xen promises to read the state of older versions only; upgrade it here first",
        )
    missing = sorted(set(saved.cpu_features) - features)
    if missing:
        words = " ".join(missing[:_SHOWN_FEATURES]) + (" …" if len(missing) > _SHOWN_FEATURES else "")
        yield _warning(
            "cpu-features",
            f"the processor lacks what the source's has: {words}",
            "a guest that uses it crashes here, or Xen refuses it; mask it there by cpuid= first",
        )
    for what, path in (("kernel", saved.config.b_info.kernel), ("ramdisk", saved.config.b_info.ramdisk)):
        if path and not os.path.exists(path):
            yield _warning(
                "boot-file", f"its {what} {path} is not here: it moves, but cannot be rebooted here"
            )


def features_here() -> frozenset[str]:
    """The processor's features, as far as Xen lets dom0 see them, by Linux's names."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, words = line.partition(":")
            if name.strip() == "flags":
                return frozenset(words.split())
    return frozenset()


def _error(text: str, hint: str) -> Finding:
    return Finding(severity="error", code=NotSupported.code, text=text, hint=hint)


def _missing(text: str, hint: str) -> Finding:
    return Finding(severity="error", code=ConfigError.code, text=text, hint=hint)


def _warning(code: str, text: str, hint: str | None = None) -> Finding:
    return Finding(severity="warning", code=code, text=text, hint=hint)
