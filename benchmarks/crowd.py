"""Many clients at once on one xlpyd, each with a guest of its own, for a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from benchmarks.measure import MeasurementFailed, Series, resident_mib
from benchmarks.scene import Scene
from benchmarks.xlpy_host import XlpyHost

CLIENTS = 50
DURATION_S = 60.0
GUEST_MIB = 128  # its kernel runs for a moment, and panics where memory is too small for it
FLAT_PERCENT = 10.0


class _Client(threading.Thread):
    """create, list, pause, unpause, destroy over and over; the first error ends it."""

    def __init__(self, host: XlpyHost, number: int, until: float) -> None:
        super().__init__(name=f"client-{number}")
        self._host = host
        self._domain = f"c{number}"
        self._config = host.config(self._domain, GUEST_MIB)
        self._until = until
        self.done = 0
        self.error: MeasurementFailed | None = None

    def run(self) -> None:
        try:
            for words in self._work():
                self._host.xlpy(*words, timeout_s=300)
                self.done += 1
        except MeasurementFailed as error:
            self.error = error

    def _work(self) -> Iterator[tuple[str, ...]]:
        while time.monotonic() < self._until:
            yield "create", "-q", "-p", self._config
            yield ("list",)
            yield "unpause", self._domain
            yield "pause", self._domain
            yield "list", self._domain
            yield "destroy", self._domain


def minute(scene: Scene) -> None:
    """No error, nothing left over, the daemon's memory flat."""
    host, report = scene.host("crowd"), scene.report
    began = time.monotonic()
    clients = [_Client(host, number, began + DURATION_S) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(DURATION_S / 3)
    early_mib = resident_mib(host.daemon.pid)
    for client in clients:
        client.join()
    took_s = time.monotonic() - began
    late_mib = resident_mib(host.daemon.pid)
    errors = [client.error for client in clients if client.error is not None]
    if errors:
        raise MeasurementFailed(f"{len(errors)} of {CLIENTS} clients failed; the first: {errors[0]}")
    left = host.names()
    if left:
        raise MeasurementFailed(f"left over: {left}")
    commands = sum(client.done for client in clients)
    report.note(f"{CLIENTS} clients for {took_s:.0f} s", f"{commands} commands, no error, nothing left over")
    grown = Series([100 * (late_mib - early_mib) / early_mib], "%")
    report.bound(
        f"xlpyd grown from {early_mib:.1f} to {late_mib:.1f} MiB after a third of it", grown, FLAT_PERCENT
    )
