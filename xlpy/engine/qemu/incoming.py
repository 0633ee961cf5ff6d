"""The machine for a state that comes from elsewhere: the one it was taken from, with this host's disks and bridges."""

from __future__ import annotations

from xlpy.engine.qemu.machine import plan_machine
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
    """Raises NotSupported for the stream of another engine."""
    if saved.stream_format != STREAM_FORMAT:
        raise NotSupported(
            f"the state was saved by the {saved.stream_format} engine, this host's is {STREAM_FORMAT}",
            "restore it on a host with the engine that it comes from",
        )


def machine_for(saved: SavedDomain, probe: AcceleratorProbe) -> tuple[MachineRecord, str]:
    """The machine that the state fits, and the accelerator that can run it.

    Disks and bridges are those of ``saved.config``, which may have been changed for this host. Raises ConfigError if it
    has other devices than the state, EngineError if this host can't run that machine.
    """
    if not saved.machine:
        accelerator = probe.wait().name
        return plan_machine(saved.config, saved.config.c_info.domid or 0, accelerator)[0], accelerator
    try:
        machine = record_from_wire(MachineRecord, saved.machine)
    except ProtocolError as error:
        raise EngineError(
            "the state's description of its machine cannot be read", detail=str(error)
        ) from error
    accelerator = "kvm" if machine.cpu_model.startswith("host") else "tcg"
    if accelerator == "kvm" and probe.wait().name != "kvm":
        raise EngineError(
            "the domain ran under KVM, which this host does not have",
            probe.wait().note,
        )
    return machine.replace(
        disks=_with_images(machine.disks, saved.config), nics=_with_bridges(machine.nics, saved.config)
    ), accelerator


def _with_images(disks: tuple[DiskRecord, ...], config: DomainConfig) -> tuple[DiskRecord, ...]:
    given = {parse_vdev(disk.vdev).name: disk for disk in config.disks}
    # one whose image has been taken away is in no configuration any more, but the guest still has it
    names = {disk.device_id: parse_vdev(disk.config.vdev).name for disk in disks if not disk.closing}
    _require_same("disks", set(names.values()), set(given))
    return tuple(
        disk if disk.closing else disk.replace(config=given[names[disk.device_id]]) for disk in disks
    )


def _with_bridges(nics: tuple[NicRecord, ...], config: DomainConfig) -> tuple[NicRecord, ...]:
    given = {nic.devid: nic for nic in config.nics}
    _require_same("network cards", {nic.config.devid for nic in nics}, set(given))
    domid = config.c_info.domid or 0
    connected = []
    for nic in nics:
        # the guest knows its card by model and address; the host's side is the configuration's
        config_here = given[nic.config.devid].replace(mac=nic.config.mac, model=nic.config.model)
        connected.append(connect_nic(nic.replace(config=config_here), domid)[0])
    return tuple(connected)


def _require_same(what: str, in_state: Collection[object], in_config: Collection[object]) -> None:
    if in_state != in_config:
        raise ConfigError(
            f"the configuration's {what} are not those of the saved domain: it had {_listed(in_state)}",
            "change where they come from, not which there are",
        )


def _listed(names: Collection[object]) -> str:
    return ", ".join(sorted(str(name) for name in names)) or "none"
