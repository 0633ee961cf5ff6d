"""Live migration between two daemons on this machine: the whole command, and how long the guest stands still."""

from __future__ import annotations

import json
import re
import subprocess
import time

from benchmarks.guest import UP
from benchmarks.measure import MeasurementFailed, Series, alternate, wait_for_text
from benchmarks.scene import Scene

MIB = 128
SETTLE_S = 1.0
PORT = 49200


def idle(scene: Scene) -> None:
    """A guest that does nothing."""
    _compare(scene, "idle guest", "")


def dirtying(scene: Scene) -> None:
    """A guest that writes 16 MiB over and over."""
    _compare(scene, "guest dirtying 16 MiB", "dirty=16")


def _compare(scene: Scene, what: str, extra: str) -> None:
    host, other, libvirt = scene.host("a"), scene.host("b"), scene.libvirt
    downtimes, their_downtimes, bare_downtimes = Series(), Series(), Series()

    def ours() -> float:
        host.boot("m", MIB, extra)
        time.sleep(SETTLE_S)
        began = time.perf_counter()
        done = subprocess.run(
            host.command("-v", "migrate", "m", other.address),
            capture_output=True,
            text=True,
            env=host.env,
            check=False,
        )
        took = (time.perf_counter() - began) * 1000
        if done.returncode:
            raise MeasurementFailed(f"migrate: {done.stderr}")
        said = re.search(r"stood still for (\d+) ms", done.stderr)
        if said is None:
            raise MeasurementFailed(f"migrate says no downtime: {done.stderr!r}")
        downtimes.values.append(float(said[1]))
        if other.names() != ["m"] or host.names():
            raise MeasurementFailed(f"after migrate: {host.names()} here, {other.names()} there")
        other.xlpy("destroy", "m")
        return took

    def bare() -> float:
        source = scene.bare("m", MIB, paused=False)
        wait_for_text(source.log, UP, source.began)
        time.sleep(SETTLE_S)
        began = time.perf_counter()
        target = scene.bare("t", MIB, paused=False, incoming=True)
        uri = f"unix:{scene.scratch}/bare-migration"
        target.execute("migrate-incoming", uri=uri)
        source.execute("migrate-set-parameters", max_bandwidth=1 << 40, downtime_limit=30)
        source.execute("migrate", uri=uri)
        result = source.wait_migrated()
        target.wait_running()
        took = (time.perf_counter() - began) * 1000
        bare_downtimes.values.append(float(json.dumps(result["downtime"])))
        source.kill()
        target.kill()
        return took

    def theirs() -> float:
        assert libvirt is not None
        libvirt.boot("m", MIB, extra)
        time.sleep(SETTLE_S)
        took = libvirt.virsh(
            "migrate", "--live", "m", libvirt.uri("b"), "--migrateuri", f"tcp://127.0.0.1:{PORT}"
        )
        their_downtimes.values.append(libvirt.downtime_ms("m", "b"))
        libvirt.virsh("destroy", "m", side="b")
        return took

    sides = [ours, *([] if extra else [bare]), *([] if libvirt is None else [theirs])]
    walls = alternate(scene.rounds, *sides)
    if not extra:
        scene.report.compare(f"live migration, {what}", walls[0], "bare QEMU, downtime limit 30", walls[1])
        scene.report.compare("… downtime", downtimes, "bare QEMU", _at_least_1(bare_downtimes))
    if libvirt is not None:
        scene.report.compare(f"live migration, {what}", walls[0], "virsh migrate --live", walls[-1], 0.5)
        scene.report.compare("… downtime", downtimes, "virsh", _at_least_1(their_downtimes), 0.2)
    else:
        scene.report.note(f"live migration, {what}", str(walls[0]))
        scene.report.note("… downtime", str(downtimes))


def _at_least_1(series: Series) -> Series:
    """QEMU counts whole milliseconds; a ratio to 0 says nothing."""
    return Series([max(1.0, value) for value in series.values], series.unit)
