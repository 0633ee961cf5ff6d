"""Many hosts of which some are broken: the others' answer comes in time, and each broken one is named."""

from __future__ import annotations

import subprocess
import time

from half_answer import HalfAnswer
from ssh_hosts import SshHost

from benchmarks.measure import MeasurementFailed, Series
from benchmarks.scene import Scene

TIMEOUT_S = 5
REFUSING, HANGING, DYING = 5, 3, 2
REASONS = ("refused", "no answer within", "did not answer", "the connection broke")


def faults(scene: Scene) -> None:
    """100 hosts of which 5 refuse, 3 hang after accepting and 2 die in the middle of their answer."""
    far = scene.far
    far.list_all()
    refusing = far.hosts[:REFUSING]
    hanging = far.hosts[REFUSING : REFUSING + HANGING]
    dying = far.hosts[REFUSING + HANGING : REFUSING + HANGING + DYING]
    far.stop_broker()  # they break while nobody is connected with them
    halves = [HalfAnswer(host.run_dir / "half.sock") for host in dying]
    try:
        for host in refusing:
            host.stop()
        for host in hanging:
            host.pause()
        far.set_sockets({host.name: "/run/xlpy/half.sock" for host in dying})
        took = Series(unit="s")
        for _ in range(2):  # without connections at first, then with those that there are
            took.values.append(_list(scene, [*refusing, *hanging, *dying]))
    finally:
        far.set_sockets({})
        for half in halves:
            half.close()
        for host in hanging:
            host.resume()
        for host in refusing:
            host.start()
            host.wait()
    bad, count = REFUSING + HANGING + DYING, len(far.hosts)
    scene.report.bound(f"list of {count} hosts, {bad} of them broken", took, TIMEOUT_S * 1.1)


def _list(scene: Scene, broken: list[SshHost]) -> float:
    """Seconds of one list; everything that must be said is there. Raises MeasurementFailed."""
    far = scene.far
    names = [host.name for host in broken]
    began = time.perf_counter()
    done = subprocess.run(
        far.command("-H", "all", "--timeout", str(TIMEOUT_S), "list", "-o", "plain"),
        env=far.env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    took_s = time.perf_counter() - began
    rows = done.stdout.count("Domain-0")
    if (done.returncode, rows) != (4, len(far.hosts) - len(names)):
        raise MeasurementFailed(f"exit {done.returncode} with {rows} rows: {done.stderr[-300:]}")
    said = [line for line in done.stderr.splitlines() if line.startswith("xlpy: ")]
    for line, name in zip(said, names, strict=True):
        if not line.startswith(f"xlpy: {name}: ") or not any(reason in line for reason in REASONS):
            raise MeasurementFailed(f"{name} is not named with its reason: {line}")
    return took_s
