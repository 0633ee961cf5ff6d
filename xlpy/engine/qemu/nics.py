"""Network cards of a configuration as QEMU has them: model, place, and what they are plugged into.

- As root, a tap device in the bridge that ``bridge=`` names, by default xenbr0 if the host has it.
- Otherwise QEMU's user-mode network: the guest gets an address by DHCP and reaches out; nobody reaches in.
- pv and pvh guests have virtio cards whatever ``model=`` says, as under xl they have Xen's; hvm guests the model.
"""

from __future__ import annotations

import json
import os

from xlpy.engine.qemu.block import boot_turns
from xlpy.engine.qemu.pci_slots import nic_slot, slot_properties
from xlpy.engine.qemu.rate_limit import limit_rate
from xlpy.engine.qemu.runtime_record import NicRecord
from xlpy.engine.qemu.tap import interface_exists, may_make_taps, missing_bridge, open_tap
from xlpy.errors import ConfigError, NotSupported
from xlpy.model.domain import DomainType
from xlpy.model.mac import made_up_mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlpy.model.domain_config import DomainConfig, NicConfig

DEFAULT_BRIDGE = "xenbr0"
DEFAULT_MODEL = "rtl8139"
_PARAVIRTUAL = "virtio-net-pci"
MODELS = {
    "rtl8139": "rtl8139",
    "e1000": "e1000",
    "e1000e": "e1000e",
    "ne2k_pci": "ne2k_pci",
    "pcnet": "pcnet",
    "vmxnet3": "vmxnet3",
    "virtio": _PARAVIRTUAL,
    "virtio-net": _PARAVIRTUAL,
    "virtio-net-pci": _PARAVIRTUAL,
}
_OWN_BACKENDS = (None, "", "0", "Domain-0")
_OWN_SCRIPT = "vif-bridge"
_USER_MODE_MTU = 1500


def complete_nics(config: DomainConfig) -> DomainConfig:
    """The configuration with a devid and a MAC address for every card: a restart keeps them."""
    used: set[int | None] = {nic.devid for nic in config.nics if nic.devid is not None}
    completed = []
    for nic in config.nics:
        completed.append(complete_nic(nic, used))
        used.add(completed[-1].devid)
    return config.replace(nics=tuple(completed))


def complete_nic(nic: NicConfig, used_devids: Iterable[int | None]) -> NicConfig:
    """One card with the lowest free devid and a MAC address, where it has none."""
    taken = set(used_devids)
    devid = nic.devid
    if devid is None:
        devid = next(number for number in range(len(taken) + 1) if number not in taken)
    return nic.replace(devid=devid, mac=nic.mac or made_up_mac())


def plan_nics(config: DomainConfig, domid: int) -> tuple[tuple[NicRecord, ...], tuple[str, ...]]:
    """Where each card of a completed configuration goes, and notes about what is done in another way than asked.

    Raises ConfigError for a bridge that isn't there, NotSupported for what neither a bridge nor user mode can do.
    """
    planned: list[NicRecord] = []
    notes: list[str] = []
    for nic in sorted(config.nics, key=lambda nic: nic.devid or 0):
        record, more = plan_nic(config, nic, domid, planned)
        planned.append(record)
        notes += more
    return tuple(planned), tuple(notes)


def plan_nic(
    config: DomainConfig, nic: NicConfig, domid: int, others: Iterable[NicRecord]
) -> tuple[NicRecord, list[str]]:
    """Where one card goes beside the others; see ``plan_nics``."""
    devid = nic.devid or 0
    taken = set()
    for other in others:
        if other.config.devid == devid:
            raise ConfigError(f"two network cards have the devid {devid}")
        taken.add(other.slot or 0)
    qemu_model(config, nic)
    _check_options(nic)
    slot = nic_slot(devid, taken)
    record = NicRecord(config=nic, device_id=f"nic{devid}", netdev_id=f"net{devid}", slot=slot)
    return connect_nic(record, domid)


def connect_nic(record: NicRecord, domid: int) -> tuple[NicRecord, list[str]]:
    """The same card, plugged into what this host has for it: also for one that comes from another host."""
    nic = record.config
    bridge = nic.bridge or DEFAULT_BRIDGE
    if may_make_taps() and (nic.bridge or interface_exists(bridge)):
        if not interface_exists(bridge):
            raise missing_bridge(bridge)
        ifname = nic.ifname or f"vif{domid}.{nic.devid}"
        config = nic.replace(bridge=bridge)
        return record.replace(config=config, netdev="tap", ifname=ifname), _bridge_notes(nic)
    _check_user_mode(nic)
    return record.replace(netdev="user", ifname=None), _user_mode_notes(nic)


def _check_options(nic: NicConfig) -> None:
    name = f"vif {nic.devid}"
    if nic.backend_domname not in _OWN_BACKENDS:
        raise NotSupported(
            f"{name}: the qemu engine has no driver domains (backend={nic.backend_domname})",
            "leave backend= out; the host itself serves the card",
        )
    if nic.script and os.path.basename(nic.script) != _OWN_SCRIPT:
        raise NotSupported(
            f"{name}: the qemu engine runs no hotplug scripts (script={nic.script})",
            "it does by itself what vif-bridge does: name a bridge, and leave script= out",
        )
    if nic.vlan:
        raise NotSupported(
            f"{name}: the qemu engine sets up no VLANs (vlan={nic.vlan})", "use a bridge of that VLAN"
        )


def _check_user_mode(nic: NicConfig) -> None:
    name = f"vif {nic.devid}"
    if nic.rate_bytes_per_interval:
        raise NotSupported(f"{name}: a user-mode network has no rate limit", "as root, use a bridge")
    if nic.mtu not in (0, _USER_MODE_MTU):
        raise NotSupported(
            f"{name}: a user-mode network has an mtu of {_USER_MODE_MTU}", "as root, use a bridge"
        )


def _user_mode_notes(nic: NicConfig) -> list[str]:
    name = f"vif {nic.devid}"
    if not may_make_taps():
        wish = f"bridge {nic.bridge}" if nic.bridge else "a bridge"
        notes = [f"{name}: user-mode network instead of {wish}, which needs root"]
    else:
        notes = [
            f"{name}: user-mode network, as the host has no bridge {DEFAULT_BRIDGE} and none was asked for"
        ]
    if nic.ip:
        notes.append(f"{name}: ip={nic.ip} has no effect: addresses come from QEMU's own DHCP")
    if nic.ifname:
        notes.append(f"{name}: vifname={nic.ifname} has no effect in a user-mode network")
    return notes


def _bridge_notes(nic: NicConfig) -> list[str]:
    return [f"vif {nic.devid}: ip={nic.ip} is not enforced by a filter"] if nic.ip else []


def qemu_model(config: DomainConfig, nic: NicConfig) -> str:
    """The QEMU device of a card. Raises ConfigError for a model that there isn't."""
    if config.c_info.type is not DomainType.HVM:
        if nic.nictype == "vif_ioemu":
            raise ConfigError(
                f"vif {nic.devid}: a {config.c_info.type.value} domain has no emulated interface",
                "leave type=ioemu out",
            )
        return _PARAVIRTUAL
    if nic.nictype == "vif":
        return _PARAVIRTUAL
    model = nic.model or DEFAULT_MODEL
    if model not in MODELS:
        raise ConfigError(f"vif {nic.devid}: unknown model '{model}'", f"models are {', '.join(MODELS)}")
    return MODELS[model]


def open_nic_tap(record: NicRecord) -> int:
    """The tap of a card, in its bridge and limited to its rate, as a descriptor for QEMU. Raises as ``open_tap`` does."""
    nic, ifname = record.config, record.ifname or ""
    fd = open_tap(ifname, nic.bridge or "", nic.mtu)
    try:
        if nic.rate_bytes_per_interval:
            limit_rate(ifname, nic)
    except BaseException:
        os.close(fd)
        raise
    return fd


def netdev(record: NicRecord, fd: str | None = None) -> dict[str, object]:
    """The QEMU backend of a card (``netdev_add``); ``fd`` is the number or QMP name of its tap."""
    if record.netdev == "tap":
        return {"type": "tap", "id": record.netdev_id, "fd": fd}
    return {"type": "user", "id": record.netdev_id}


def nic_device(config: DomainConfig, record: NicRecord, boot_index: int | None = None) -> dict[str, object]:
    """The QEMU device of a card (``device_add``)."""
    model = qemu_model(config, record.config)
    device: dict[str, object] = {
        "driver": model,
        "id": record.device_id,
        "netdev": record.netdev_id,
        "mac": record.config.mac,
        **slot_properties(record.slot or 0),
    }
    if model == _PARAVIRTUAL and record.config.mtu:
        device["host_mtu"] = record.config.mtu
    if "n" not in boot_turns(config):
        device["romfile"] = (
            ""  # nobody boots from it; its ROM is a part of the machine that would be moved along
        )
    if boot_index is not None:
        device["bootindex"] = boot_index
    return device


def nic_arguments(config: DomainConfig, nics: Iterable[NicRecord], tap_fds: dict[str, str]) -> list[str]:
    """QEMU's arguments for all cards. ``tap_fds`` has the descriptor, as QEMU will know it, of each tap by netdev_id."""
    arguments: list[str] = []
    first_turn = boot_turns(config).get("n")
    for number, record in enumerate(nics):
        index = None if first_turn is None else first_turn + number
        arguments += ["-netdev", json.dumps(netdev(record, tap_fds.get(record.netdev_id)))]
        arguments += ["-device", json.dumps(nic_device(config, record, index))]
    return arguments
