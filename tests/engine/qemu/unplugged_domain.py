"""A QemuDomain without a QEMU behind it, for what needs its record only."""

from __future__ import annotations

from pathlib import Path

from xlpy.engine.qemu.domain import QemuDomain
from xlpy.engine.qemu.files import DomainFiles
from xlpy.engine.qemu.machine import plan_machine
from xlpy.engine.qemu.process import QemuProcess
from xlpy.engine.qemu.runtime_record import RuntimeRecord
from xlpy.model.domain_config import DomainConfig

DOMID = 7


def unplugged_domain(directory: Path, config: DomainConfig, pid: int) -> QemuDomain:
    """Domain 7 of this configuration; ``pid`` stands for its QEMU. Its record is kept under ``directory``."""
    machine, _ = plan_machine(config, DOMID, "tcg")
    files = DomainFiles(str(directory), DOMID)
    files.make()
    record = RuntimeRecord(
        domid=DOMID,
        uuid=config.c_info.uuid or "",
        name=config.c_info.name or "",
        config=config,
        machine=machine,
        accelerator="tcg",
        boot_id="",
        pid=pid,
        pid_start_ticks=0,
        start_time_s=0.0,
    )
    return QemuDomain(files, record, QemuProcess(pid, -1, 0))
