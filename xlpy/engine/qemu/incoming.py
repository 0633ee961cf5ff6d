"""The machine for a state that comes from elsewhere: the one it was taken from, with this host's disks and bridges."""

from __future__ import annotations

from xlpy.engine.qemu.machine import LAYOUT, plan_machine
from xlpy.engine.qemu.migration import STREAM_FORMAT
from xlpy.engine.qemu.nics import connect_nic
from xlpy.engine.qemu.runtime_record import MachineRecord
from xlpy.engine.qemu.vdev import parse_vdev
from xlpy.errors import ConfigError, EngineError, NotSupported, ProtocolError
from xlpy.model.codec import record_from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from xlpy.engine.qemu.accelerator import AcceleratorProbe
    from xlpy.engine.qemu.runtime_record import DiskRecord, NicRecord
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import SavedDomain


def require_readable(saved: SavedDomain) -> None:
    """Raises NotSupported for the stream of another engine, or of a machine that this version doesn't make."""
    if saved.stream_format != STREAM_FORMAT:
        raise NotSupported(
            f"the state was saved by the {saved.stream_format} engine, this host's is {STREAM_FORMAT}",
            "restore it on a host with the engine that it comes from",
        )
    layout = saved.machine.get("layout", 1)
    if saved.machine and layout != LAYOUT:
        raise NotSupported(
            f"the domain has a machine of layout {layout} (xlpy {saved.xlpy_version}), this xlpy makes layout {LAYOUT}",
            "use the same version of xlpy on both hosts, or shut the guest down and create it there",
        )


def machine_for(saved: SavedDomain, probe: AcceleratorProbe) -> tuple[MachineRecord, str]:
    """The machine that the state fits, and the accelerator that can run it.

    Disks and bridges are those of ``saved.config``, which may have been changed for this host. Raises ConfigError if it
    has other devices than the state, EngineError if this host can't run that machine.
    """
    if not saved.machine:
        accelerator = probe.wait().name
        return plan_machine(saved.config, saved.config.c_info.domid or 0, accelerator)[0], accelerator
    machine = machine_of(saved)
    same_devices(machine, saved.config)
    accelerator = "kvm" if machine.cpu_model.startswith("host") else "tcg"
    if accelerator == "kvm" and probe.wait().name != "kvm":
        raise EngineError(
            "the domain ran under KVM, which this host does not have",
            probe.wait().note,
        )
    return machine.replace(
        disks=_with_images(machine.disks, saved.config), nics=_with_bridges(machine.nics, saved.config)
    ), accelerator


def machine_of(saved: SavedDomain) -> MachineRecord:
    """The machine that the state was taken from. Raises EngineError for a description that makes no sense."""
    try:
        return record_from_wire(MachineRecord, saved.machine)
    except ProtocolError as error:
        raise EngineError(
            "the state's description of its machine cannot be read", detail=str(error)
        ) from error


def same_devices(machine: MachineRecord, config: DomainConfig) -> None:
    """Raises ConfigError if the configuration has other disks or network cards than the machine."""
    _require_same(
        "disks", set(_names(machine.disks).values()), {parse_vdev(disk.vdev).name for disk in config.disks}
    )
    _require_same(
        "network cards", {nic.config.devid for nic in machine.nics}, {nic.devid for nic in config.nics}
    )


def _names(disks: tuple[DiskRecord, ...]) -> dict[str, str]:
    # one whose image has been taken away is in no configuration any more, but the guest still has it
    return {disk.device_id: parse_vdev(disk.config.vdev).name for disk in disks if not disk.closing}


def _with_images(disks: tuple[DiskRecord, ...], config: DomainConfig) -> tuple[DiskRecord, ...]:
    given = {parse_vdev(disk.vdev).name: disk for disk in config.disks}
    names = _names(disks)
    return tuple(
        disk if disk.closing else disk.replace(config=given[names[disk.device_id]]) for disk in disks
    )


def _with_bridges(nics: tuple[NicRecord, ...], config: DomainConfig) -> tuple[NicRecord, ...]:
    return tuple(connect_nic(nic, config.c_info.domid or 0)[0] for nic in nics_here(nics, config))


def nics_here(nics: tuple[NicRecord, ...], config: DomainConfig) -> tuple[NicRecord, ...]:
    """The machine's cards as this configuration wants them connected."""
    given = {nic.devid: nic for nic in config.nics}
    # the guest knows its card by model and address; the host's side is the configuration's
    return tuple(
        nic.replace(config=given[nic.config.devid].replace(mac=nic.config.mac, model=nic.config.model))
        for nic in nics
        if nic.config.devid in given
    )


def _require_same(what: str, in_state: Collection[object], in_config: Collection[object]) -> None:
    if in_state != in_config:
        raise ConfigError(
            f"the configuration's {what} are not those of the saved domain: it had {_listed(in_state)}",
            "change where they come from, not which there are",
        )


def _listed(names: Collection[object]) -> str:
    return ", ".join(sorted(str(name) for name in names)) or "none"
