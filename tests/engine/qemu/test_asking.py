"""Guests that are asked to end while they are still booting: nobody watches their buttons yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from domain_configs import HVM, PVH
from eventually import eventually
from live_guest import guest_config

from xlpy.engine.qemu.engine import QemuEngine
from xlpy.model.domain import DomainEnd, DomainType, ShutdownReason

pytestmark = pytest.mark.qemu

ENDS_S = 90


@pytest.fixture
def ends() -> list[DomainEnd]:
    return []


@pytest.fixture
def engine(tmp_path: Path, ends: list[DomainEnd]) -> Iterator[QemuEngine]:
    engine = QemuEngine(str(tmp_path), str(tmp_path))
    engine.start(ends.append)
    yield engine
    for domain in engine.domains():
        engine.destroy_domain(domain.domid)
    engine.close()


@pytest.mark.parametrize("kind", [PVH, HVM])
@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (QemuEngine.shutdown_domain, ShutdownReason.POWEROFF),
        (QemuEngine.reboot_domain, ShutdownReason.REBOOT),
    ],
)
def test_a_booting_guest_hears_it_when_it_is_up(
    engine: QemuEngine,
    ends: list[DomainEnd],
    kind: DomainType,
    ask: Callable[[QemuEngine, int], None],
    reason: ShutdownReason,
) -> None:
    domid = engine.create_domain(guest_config(kind))
    ask(engine, domid)
    eventually(lambda: ends, ENDS_S)
    assert ends == [DomainEnd(domid=domid, reason=reason)]


def test_what_was_asked_for_last_counts(engine: QemuEngine, ends: list[DomainEnd]) -> None:
    domid = engine.create_domain(guest_config(PVH))
    engine.shutdown_domain(domid)
    engine.reboot_domain(domid)
    eventually(lambda: ends, ENDS_S)
    assert ends == [DomainEnd(domid=domid, reason=ShutdownReason.REBOOT)]
