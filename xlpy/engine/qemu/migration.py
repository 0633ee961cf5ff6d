"""State in motion: a domain's state goes out through a descriptor, or comes in through one.

QEMU reads and writes the descriptor itself, so that a transfer goes on at full speed whatever we do. What it tells
about it comes as events; only the numbers for the eyes are asked for now and then.
"""

from __future__ import annotations

import os
import queue
import time

from xlpy.engine.qemu.disk_mirror import Mirrors, drop_mirrors
from xlpy.engine.qemu.process import complaints
from xlpy.engine.qemu.qmp import QmpClosed
from xlpy.errors import Aborted, EngineError, InvalidState
from xlpy.model.migration import MigrationLimits, TransferProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.model.migration import Report

STREAM_FORMAT = "qemu"
_FD_NAME = "state"
_UNLIMITED_BYTES_PER_S = 1 << 50
_LOOK_INTERVAL_S = 0.2
# the first pass sends all memory and the second what changed meanwhile: they say nothing about convergence
_PATIENT_PASSES = 3
_DOWNTIME_STEP = 1.5
_SETTLING_LOOKS, _SETTLING_INTERVAL_S = 200, 0.005
_ENDED = ("completed", "failed", "cancelled")
_PAUSING, _PAUSED = "pause-before-switchover", "pre-switchover"  # the capability, and the status it leads to
_CLEARED_AWAY_WITHIN_S = 10.0


def save_domain(
    domain: QemuDomain,
    stream: int,
    limits: MigrationLimits | None,
    live: bool,
    progress: Report | None,
) -> TransferProgress:
    """Send the domain's state to ``stream``, which is closed. On failure the domain goes on as it was.

    Disks that are being copied become equal first, and the copies end with the transfer.

    Raises InvalidState if it can't be sent now, Aborted if someone called it off, EngineError if it failed; also when
    its QEMU has ended, and then the domain counts as ended too.
    """
    try:
        _begin(domain)
        try:
            limits = limits or MigrationLimits()
            mirrors = Mirrors(domain)
            mirrors.wait_equal(stream, progress)
            _set_limits(domain, limits, pausing=bool(mirrors))
            _hand_over(domain, stream)
            if not live and not domain.stopped:
                domain.qmp.execute("stop")
            with _Watch(domain) as watch:
                domain.qmp.execute("migrate", {"uri": f"fd:{_FD_NAME}"})
                os.close(stream)
                stream = -1
                final = _Outgoing(domain, limits, watch, mirrors, progress).wait()
            domain.update(phase="saved")
        except BaseException:
            _take_back(domain)
            raise
        return final
    except QmpClosed as error:
        if not domain.gone:
            raise  # this xlpyd ends, and the domain doesn't
        how = domain.process.how_it_ended(_CLEARED_AWAY_WITHIN_S)
        raise EngineError(
            f"domain {domain.domid} crashed before its state was complete: its QEMU {how}",
            "its on_crash says what becomes of it; 'xlpy events' shows that",
            detail="\n".join(complaints(domain.files.qemu_log)) or None,
        ) from error
    finally:
        if stream >= 0:
            os.close(stream)


def resume_saved(domain: QemuDomain, paused: bool) -> None:
    """Take back a domain that stands still after ``save_domain``, or in the middle of one that nobody minds any more.

    Raises InvalidState if it wasn't saved.
    """
    with domain.lock:
        if domain.record.phase not in ("saving", "saved"):
            raise InvalidState(f"domain {domain.domid} was not saved", "it can be paused and unpaused")
        if domain.record.phase == "saving":
            _cancel_and_wait(domain)
        drop_mirrors(domain)
        domain.update(phase="running", paused=paused)
        if not paused:
            domain.qmp.execute("cont")
        elif not domain.stopped:
            domain.qmp.execute("stop")


def receive_state(domain: QemuDomain, stream: int, progress: Report | None) -> None:
    """Fill a domain that was started to wait for its state. Raises EngineError; the domain is useless then."""
    try:
        status = _take_in(domain, stream, progress)
    except QmpClosed:
        status = "failed"
    if status == "completed":
        return
    detail = "\n".join(complaints(domain.files.qemu_log)) or None
    how = domain.process.how_it_ended(_CLEARED_AWAY_WITHIN_S) if domain.gone else ""
    if "killed" in how:
        raise EngineError(
            f"the state could not be taken in: the QEMU that was to have it {how}",
            "did that host run out of memory? its kernel's log says so: dmesg",
            detail=detail,
        )
    raise EngineError(
        "the state could not be taken in", "it may be damaged, or made by another QEMU", detail=detail
    )


def _take_in(domain: QemuDomain, stream: int, progress: Report | None) -> str:
    """Read the state until QEMU says how that ended."""
    domain.qmp.execute("migrate-set-capabilities", _capabilities(events=True))
    with _Watch(domain) as watch:
        domain.qmp.execute("getfd", {"fdname": _FD_NAME}, fds=(stream,))
        domain.qmp.execute("migrate-incoming", {"uri": f"fd:{_FD_NAME}"})
        started = time.monotonic()
        while True:
            status = watch.next(_LOOK_INTERVAL_S)
            if status in _ENDED:
                return str(status)
            if progress is not None:
                elapsed_ms = int((time.monotonic() - started) * 1000)
                progress(TransferProgress(phase="active", elapsed_ms=elapsed_ms))


def _begin(domain: QemuDomain) -> None:
    domain.require_running("save it")
    with domain.lock:
        if domain.record.phase != "running":
            raise InvalidState(
                f"domain {domain.domid} is being moved already",
                f"'xlpy list' shows it; 'xlpy migrate --abort {domain.domid}' settles what is left of a transfer",
            )
        domain.update(phase="saving")


def _set_limits(domain: QemuDomain, limits: MigrationLimits, pausing: bool) -> None:
    """``pausing``: stand still before the last of the state is sent, until we say so."""
    qmp = domain.qmp
    if qmp.execute("query-status")["status"] == "postmigrate":
        # it was saved, taken back and left paused: QEMU sends a domain again only after it has run
        again = (qmp.submit("cont"), qmp.submit("stop"))
        for pending in again:
            pending.result()
    capabilities = {"events": True, "auto-converge": True, _PAUSING: pausing}
    qmp.execute("migrate-set-capabilities", _capabilities(**capabilities))
    qmp.execute(
        "migrate-set-parameters",
        {
            "max-bandwidth": limits.bandwidth_bytes_per_s or _UNLIMITED_BYTES_PER_S,
            "downtime-limit": limits.downtime_ms,
        },
    )


def _capabilities(**states: bool) -> dict[str, object]:
    return {"capabilities": [{"capability": name, "state": state} for name, state in states.items()]}


def _hand_over(domain: QemuDomain, stream: int) -> None:
    domain.qmp.execute("getfd", {"fdname": _FD_NAME}, fds=(stream,))


def _take_back(domain: QemuDomain) -> None:
    """After a failure: as it was before."""
    if domain.gone:
        return
    with domain.lock:
        _cancel_and_wait(domain)
        drop_mirrors(domain)
        domain.update(phase="running")
        if domain.ended is None and domain.stopped and not domain.record.paused:
            domain.qmp.execute("cont")


def _cancel_and_wait(domain: QemuDomain) -> None:
    with _Watch(domain) as watch:
        if domain.qmp.execute("query-migrate").get("status") in (None, "none", *_ENDED):
            return
        domain.qmp.execute("migrate_cancel")
        while domain.qmp.execute("query-migrate").get("status") not in _ENDED:
            watch.next(_LOOK_INTERVAL_S)


class _Outgoing:
    """A state on its way out."""

    def __init__(
        self,
        domain: QemuDomain,
        limits: MigrationLimits,
        watch: _Watch,
        mirrors: Mirrors,
        progress: Report | None,
    ) -> None:
        self._domain = domain
        self._mirrors = mirrors
        self._limits = limits
        self._watch = watch
        self._progress = progress
        self._downtime_ms = limits.downtime_ms
        self._passes = 0

    def wait(self) -> TransferProgress:
        """Until it is complete. Raises Aborted or EngineError."""
        next_look = time.monotonic() + _LOOK_INTERVAL_S
        while True:
            news = self._watch.next(max(0.0, next_look - time.monotonic()))
            if news in _ENDED:
                break
            if news == _PAUSED:
                self._mirrors.finish()
                self._domain.qmp.execute("migrate-continue", {"state": _PAUSED})
            elif news == "pass":
                self._passes += 1
                self._bend()
            elif news is None:
                next_look = time.monotonic() + _LOOK_INTERVAL_S
                self._report()
        if news == "completed":
            return self._final()
        facts = self._domain.qmp.execute("query-migrate")
        if news == "cancelled":
            raise Aborted(f"the transfer of domain {self._domain.domid} was called off")
        raise EngineError(
            f"the transfer of domain {self._domain.domid} failed: {facts.get('error-desc', 'the stream broke')}",
            "the domain goes on here; is there room at the other end?",
        )

    def _final(self) -> TransferProgress:
        try:
            return transfer_progress(self._settled_facts())
        except QmpClosed:
            if not self._domain.gone:
                raise
            # all of the state has left; the numbers went down with QEMU
            return TransferProgress(phase="completed")

    def _settled_facts(self) -> dict[str, Any]:
        """QEMU says "completed" a moment before it has done its sums and stands still for good."""
        facts: dict[str, Any] = self._domain.qmp.execute("query-migrate")
        for _ in range(_SETTLING_LOOKS):
            if facts.get("total-time"):
                break
            self._watch.next(_SETTLING_INTERVAL_S)
            facts = self._domain.qmp.execute("query-migrate")
        return facts

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(transfer_progress(self._domain.qmp.execute("query-migrate")))

    def _bend(self) -> None:
        """Allow a longer standstill, step by step, if the guest changes memory faster than it is sent."""
        if self._passes <= _PATIENT_PASSES or self._downtime_ms >= self._limits.max_downtime_ms:
            return
        expected_ms = self._domain.qmp.execute("query-migrate").get("expected-downtime", 0)
        if expected_ms > self._downtime_ms:
            self._downtime_ms = min(int(self._downtime_ms * _DOWNTIME_STEP) + 1, self._limits.max_downtime_ms)
            self._domain.qmp.execute("migrate-set-parameters", {"downtime-limit": self._downtime_ms})


class _Watch:
    """News of a transfer: its status when that changes, and ``pass`` when memory is gone over once more."""

    def __init__(self, domain: QemuDomain) -> None:
        self._domain = domain
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __enter__(self) -> _Watch:
        self._domain.listeners.append(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._domain.listeners.remove(self._hear)

    def next(self, timeout_s: float) -> str | None:
        """The next piece of news, or None if there was none in this time."""
        try:
            return self._news.get(timeout=timeout_s) if timeout_s > 0 else self._news.get_nowait()
        except queue.Empty:
            return None

    def _hear(self, name: str, data: dict[str, Any]) -> None:
        if name == "MIGRATION":
            self._news.put(data["status"])
        elif name == "MIGRATION_PASS":
            self._news.put("pass")
        elif name in ("GONE", "CLOSED"):
            self._news.put("failed")


def transfer_progress(facts: dict[str, Any]) -> TransferProgress:
    """QMP's ``query-migrate`` in our terms."""
    ram = facts.get("ram", {})
    return TransferProgress(
        phase=_PHASES.get(facts.get("status", "none"), "active"),
        transferred_bytes=ram.get("transferred", 0),
        remaining_bytes=ram.get("remaining", 0),
        total_bytes=ram.get("total", 0),
        rate_bytes_per_s=int(ram.get("mbps", 0) * 1_000_000 / 8),
        dirty_rate_bytes_per_s=ram.get("dirty-pages-rate", 0) * ram.get("page-size", 4096),
        downtime_ms=facts.get("downtime", 0),
        elapsed_ms=facts.get("total-time", 0),
    )


_PHASES = {
    "none": "setup",
    "setup": "setup",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
