"""What the engine answers about its host, and what it writes into its messages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_configs import disk, domain_config
from unplugged_domain import unplugged_domain

from xlpy.engine.qemu.engine import QemuEngine
from xlpy.errors import NotSupported
from xlpy.model.domain import SchedParams


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[QemuEngine]:
    """An engine that has not been started and has no domains."""
    engine = QemuEngine(str(tmp_path / "run"), str(tmp_path / "state"))
    (tmp_path / "run").mkdir()
    yield engine
    engine.close()


def test_the_host_is_described_before_the_accelerator_is_known(engine: QemuEngine) -> None:
    info = engine.host_info()
    assert (info.accelerator, info.accelerator_note) == (None, "still being tried")
    assert (info.program_version or "").startswith("QEMU ")
    assert info.nr_cpus == len(engine.cpu_topology()) == len(engine.list_vcpus(0))


def test_domain_0_is_in_the_pool_and_keeps_its_weight(engine: QemuEngine) -> None:
    assert engine.list_cpupools()[0].domain_count == 1
    assert engine.sched_params(0) == SchedParams(weight=256, cap=0)
    with pytest.raises(NotSupported, match="does not schedule the host itself"):
        engine.set_sched_params(0, weight=512)
    assert (engine.list_disks(0), engine.list_nics(0)) == ((), ())


def test_a_disk_error_and_qemus_last_words_are_messages(engine: QemuEngine, tmp_path: Path) -> None:
    domain = unplugged_domain(tmp_path / "run", domain_config(disks=(disk("xvda"),)), os.getpid())
    domain.process.gone = domain.gone = True
    engine._take_up(domain)
    domain.gone = False  # its end is yet to be heard of
    error = {
        "device": "",
        "node-name": "image-xvda",
        "operation": "write",
        "reason": "No space left on device",
        "action": "stop",
    }
    domain.handle_event("BLOCK_IO_ERROR", error, 0.0)
    Path(domain.files.qemu_log).write_text("qemu: corrupted double-linked list\n")
    domain.handle_gone()
    lines = [line[22:] for line in engine.console_ring(clear=True).splitlines()]
    assert lines == [
        "domain 7 (web): write error on xvda: No space left on device, the domain waits for it",
        "domain 7 (web): QEMU said:",
        "qemu: corrupted double-linked list",
        "domain 7 (web) has stopped: crash",
    ]
    assert engine.console_ring() == ""
