"""A look before a migration: what would fail later is found now, all of it at once, and nothing is changed.

Each check below is one that ``create``, ``save`` or ``restore`` makes as well, or it knows what QEMU would complain of.
"""

from __future__ import annotations

from functools import partial

from xlpy.engine.qemu.block import check_disk_names
from xlpy.engine.qemu.boot import boot_files, check_boot_file, firmware_path, qboot_path
from xlpy.engine.qemu.cpus import check_affinity
from xlpy.engine.qemu.disk_copy import room_for_copies, uncopyable
from xlpy.engine.qemu.disk_image import check_disk, disk_bytes, is_empty
from xlpy.engine.qemu.display import check_display
from xlpy.engine.qemu.host import cpu_flags
from xlpy.engine.qemu.incoming import machine_of, nics_here, require_readable, same_devices
from xlpy.engine.qemu.memory import check_memory
from xlpy.engine.qemu.nics import connect_nic
from xlpy.engine.qemu.procfs import host_cpus
from xlpy.engine.qemu.program import find_qemu, machine_types, qemu_version
from xlpy.engine.qemu.refusals import check_options
from xlpy.errors import ConfigError, EngineError, XlError
from xlpy.model.migration import Finding, copied_disks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xlpy.engine.qemu.accelerator import AcceleratorProbe
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.runtime_record import MachineRecord
    from xlpy.model.domain_config import DiskConfig
    from xlpy.model.migration import SavedDomain


# -- at the source


def check_outgoing(domain: QemuDomain, copy_disks: bool) -> tuple[Finding, ...]:
    """What keeps QEMU from sending this domain (QMP ``query-migrate``, ``blocked-reasons``)."""
    found = [
        _error("engine", f"its QEMU cannot send it: {reason.rstrip('.')}")
        for reason in domain.qmp.execute("query-migrate").get("blocked-reasons", ())
    ]
    if copy_disks:
        found += [_finding(error) for error in uncopyable(domain.record.config)]
    return tuple(found)


# -- at the target


def check_incoming(
    saved: SavedDomain, probe: AcceleratorProbe, promised_kib: int, copy_disks: bool
) -> tuple[Finding, ...]:
    """What keeps this host from taking the domain in."""
    try:
        require_readable(saved)
        machine = machine_of(saved)
    except XlError as error:
        return (_finding(error),)  # a state of another kind: nothing else about it makes sense here
    domid = saved.config.c_info.domid or 0
    checks: list[Callable[[], object]] = [
        lambda: check_options(saved.config),
        lambda: check_display(saved.config),
        lambda: check_affinity(saved.config),
        lambda: check_memory(saved.config, promised_kib),
        lambda: check_disk_names(saved.config),
        lambda: same_devices(machine, saved.config),
        lambda: _check_program(saved, machine),
        lambda: _check_accelerator(saved, machine, probe),
        lambda: firmware_path(saved.config),
        *(partial(check_boot_file, what, path) for what, path in boot_files(saved.config)),
        *(partial(connect_nic, nic, domid) for nic in nics_here(machine.nics, saved.config)),
    ]
    if machine.quick_boot:
        checks.append(qboot_path)
    checks += _disk_checks(saved, copy_disks)
    failures = [*_failures(checks), *(room_for_copies(saved) if copy_disks else ())]
    return (*(_finding(error) for error in failures), *_warnings(saved, machine))


def _failures(checks: list[Callable[[], object]]) -> Iterator[XlError]:
    for check in checks:
        try:
            check()
        except XlError as error:
            yield error


def _disk_checks(saved: SavedDomain, copy_disks: bool) -> Iterator[Callable[[], object]]:
    copied = copied_disks(saved.config) if copy_disks else ()
    for disk in saved.config.disks:
        if disk not in copied:
            yield partial(_check_same_disk, disk, saved.disk_bytes.get(disk.vdev))


def _check_same_disk(disk: DiskConfig, there_bytes: int | None) -> None:
    check_disk(disk)
    if is_empty(disk) or there_bytes is None:
        return
    try:
        here_bytes = disk_bytes(disk)
    except OSError as error:
        raise ConfigError(f"disk {disk.vdev}: cannot read {disk.pdev_path}: {error.strerror}") from error
    if here_bytes != there_bytes:
        raise ConfigError(
            f"disk {disk.vdev}: {disk.pdev_path} has {here_bytes} bytes here and {there_bytes} at the source",
            "it is another disk; mount the same storage on both hosts, or copy it along: --with-disks",
        )


def _check_program(saved: SavedDomain, machine: MachineRecord) -> None:
    program = find_qemu(saved.config.b_info.device_model)
    if machine.machine_type not in machine_types(program):
        raise EngineError(
            f"this host's QEMU {qemu_version(program)} does not know the domain's machine {machine.machine_type}",
            "upgrade QEMU on this host",
        )


def _check_accelerator(saved: SavedDomain, machine: MachineRecord, probe: AcceleratorProbe) -> None:
    if not machine.cpu_model.startswith("host"):
        return  # translated: the model is the same everywhere
    found = probe.wait()
    if found.name != "kvm":
        raise EngineError("the domain runs under KVM, which this host does not have", found.note)
    missing = sorted(set(saved.cpu_features) - cpu_flags())
    if missing:
        raise EngineError(
            f"the processor lacks features that the guest uses: {' '.join(missing)}",
            "the guest would crash; move it to a host with the same processor",
        )


def _warnings(saved: SavedDomain, machine: MachineRecord) -> Iterator[Finding]:
    pcpus = len(host_cpus())
    if len(machine.online_vcpus) > pcpus:
        yield _warning(
            "vcpus", f"the domain has {len(machine.online_vcpus)} vcpus, this host {pcpus} processors"
        )
    ours = _version_here(saved)
    theirs = saved.program_version
    if ours and theirs and _number(ours) < _number(theirs):
        yield _warning(
            "program-version",
            f"QEMU is older here ({ours}) than at the source ({theirs})",
            "QEMU promises to read the state of older versions only; upgrade it here first",
        )


def _version_here(saved: SavedDomain) -> str | None:
    try:
        return qemu_version(find_qemu(saved.config.b_info.device_model))
    except XlError:
        return None  # an error already


def _number(version: str) -> tuple[int, ...]:
    """``7.2.22 (Debian …)`` as (7, 2, 22)."""
    digits = version.split()[0].split(".") if version.split() else []
    return tuple(int(part) for part in digits if part.isdigit())


def described(domain: QemuDomain, saved: SavedDomain) -> SavedDomain:
    """With what ``check_incoming`` compares."""
    try:
        version: str | None = qemu_version(find_qemu(domain.record.config.b_info.device_model))
    except XlError:
        version = None  # QEMU was removed while this one runs
    sizes = {}
    for disk in domain.record.config.disks:
        try:
            if not is_empty(disk):
                sizes[disk.vdev] = disk_bytes(disk)
        except OSError:
            pass  # its file was removed while QEMU has it open: then its size isn't compared
    under_kvm = domain.record.machine.cpu_model.startswith("host")
    return saved.replace(
        program_version=version,
        disk_bytes=sizes,
        cpu_features=tuple(sorted(cpu_flags())) if under_kvm else (),
    )


def _finding(error: XlError) -> Finding:
    return Finding(severity="error", code=error.code, text=error.message, hint=error.hint)


def _error(code: str, text: str) -> Finding:
    return Finding(severity="error", code=code, text=text)


def _warning(code: str, text: str, hint: str | None = None) -> Finding:
    return Finding(severity="warning", code=code, text=text, hint=hint)
