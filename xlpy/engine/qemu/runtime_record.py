"""What is written down about a running domain, so that the next xlpyd finds it again.

``domain.json`` in the domain's directory under the run directory. It speaks of a process, so it ends with the
host's boot; the configuration that outlives that is the agent's.
"""

from __future__ import annotations

import json
import os

from xlpy.errors import EngineError, ProtocolError
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.domain_config import DiskConfig, DomainConfig, NicConfig
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.files import DomainFiles


class DiskRecord(Record):
    """A disk as QEMU has it. ``device_id`` names the device, ``node_name`` the block node behind it.

    ``slot`` is its PCI slot where it has one of its own; ``unit`` its place on a bus of IDE or SCSI. ``closing``: its
    image has been taken away, the guest has yet to let go of the device.
    """

    config: DiskConfig
    device_id: str
    node_name: str
    bus: str = "virtio"  # virtio ide sata scsi lsi
    slot: int | None = None
    unit: int | None = None
    closing: bool = False


class NicRecord(Record):
    """A network card as QEMU has it. ``netdev`` is what it is plugged into: ``tap`` or ``user``."""

    config: NicConfig
    device_id: str
    netdev_id: str
    netdev: str = "user"
    slot: int | None = None
    ifname: str | None = None


class MachineRecord(Record):
    """The machine as the guest sees it: a state stream fits into this one only.

    ``machine_type`` is a versioned one, so that a newer QEMU builds the same. ``memory_kib`` is the size of the RAM,
    of which the balloon may hold a part. ``online_vcpus`` are those plugged in. ``quick_boot`` is a machine whose
    firmware can do nothing but start a given kernel. ``layout`` is the version of what the plan leaves unsaid: the devices
    that every machine has, and where they sit (``engine.qemu.machine``).
    """

    machine_type: str
    cpu_model: str
    memory_kib: int
    max_vcpus: int
    online_vcpus: tuple[int, ...]
    disks: tuple[DiskRecord, ...] = ()
    nics: tuple[NicRecord, ...] = ()
    slots: dict[str, int] = {}  # noqa: RUF012 -- PCI slots of the devices that are neither disk nor nic
    quick_boot: bool = False
    layout: int = 1


class RuntimeRecord(Record):
    """One domain on this host.

    ``phase`` is ``creating`` until it is complete (what is found so after a crash is cleared away), ``incoming`` until
    ``accept_restored``, ``saved`` while it stands still after ``save_domain``, else ``running``, paused or ended too.
    """

    domid: int
    uuid: str
    name: str
    config: DomainConfig
    machine: MachineRecord
    accelerator: str
    boot_id: str
    pid: int
    pid_start_ticks: int
    start_time_s: float
    config_text: str | None = None
    supervised: bool = True
    paused: bool = False
    phase: str = "running"  # creating running incoming saved
    vnc_listen: str | None = None
    memory_target_kib: int | None = None
    weight: int | None = None
    cap: int | None = None
    notes: tuple[str, ...] = ()


def write_record(files: DomainFiles, record: RuntimeRecord) -> None:
    """Replace the domain's record; a reader sees the old one or the new one, whole."""
    temporary = files.record + ".new"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(to_wire(record), file, separators=(",", ":"))
        os.replace(temporary, files.record)
    except OSError as error:
        raise EngineError(
            f"cannot write the record of domain {record.domid}: {error.strerror}",
            "make room on the file system of the run directory",
            detail=files.record,
        ) from error


def read_record(files: DomainFiles) -> RuntimeRecord | None:
    """The domain's record, or None if there is none that makes sense (it was being made)."""
    try:
        with open(files.record, encoding="utf-8") as file:
            return record_from_wire(RuntimeRecord, json.load(file))
    except (OSError, ValueError, ProtocolError):
        return None
