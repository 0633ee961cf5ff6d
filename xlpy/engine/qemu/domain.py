"""QemuDomain: one domain, its QEMU process, and what is known about it without asking."""

from __future__ import annotations

import threading

from xlpy.engine.qemu.qmp import QmpClient, QmpClosed
from xlpy.engine.qemu.runtime_record import RuntimeRecord, write_record
from xlpy.engine.qemu.unplug import on_device_deleted
from xlpy.errors import InvalidState
from xlpy.model.domain import ShutdownReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.engine.console import Console
    from xlpy.engine.qemu.files import DomainFiles
    from xlpy.engine.qemu.process import QemuProcess

    Match = Callable[[dict[str, Any]], bool]

# run states (qapi/run-state.json, RunState) that a guest doesn't come back from
CRASHED = ("guest-panicked", "internal-error")

# SHUTDOWN's reason (qapi/run-state.json, ShutdownCause) to libxl's shutdown reason
_REASONS = {
    "guest-shutdown": ShutdownReason.POWEROFF,
    "guest-reset": ShutdownReason.REBOOT,
    "host-qmp-system-reset": ShutdownReason.REBOOT,
    "subsystem-reset": ShutdownReason.REBOOT,
    "guest-panic": ShutdownReason.CRASH,
    "host-error": ShutdownReason.CRASH,
}


class Expected:
    """An event that is waited for; made before the command that causes it, so that it can't be missed."""

    def __init__(self, domain: QemuDomain, name: str, match: Match) -> None:
        self._domain = domain
        self.name = name
        self.match = match
        self._came = threading.Event()
        self._data: dict[str, Any] | None = None

    def __enter__(self) -> Expected:
        self._domain.expected.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._domain.expected.remove(self)

    def wait(self, timeout_s: float) -> dict[str, Any] | None:
        """The event's data, or None if it didn't come in time or the domain's QEMU ended."""
        self._came.wait(timeout_s)
        return self._data

    def come(self, data: dict[str, Any] | None) -> None:
        """Called on the reactor's thread."""
        self._data = data
        self._came.set()


class QemuDomain:
    """A domain that QEMU runs (or ran: an ended one stays until it is destroyed).

    ``lock`` is held while something about the domain is changed; reading needs none: ``record`` is replaced as a
    whole. ``on_state`` is told on the reactor's thread when the domain has ended or its QEMU is gone.
    """

    def __init__(self, files: DomainFiles, record: RuntimeRecord, process: QemuProcess) -> None:
        self.files = files
        self.record = record
        self.process = process
        self.lock = threading.RLock()
        self.expected: list[Expected] = []
        self.listeners: list[
            Callable[[str, dict[str, Any]], None]
        ] = []  # hear all events, and CLOSED or GONE
        self.consoles: dict[tuple[str, int], Console] = {}
        self.stopped = True  # the vcpus stand still, for whatever reason
        self.gone = False  # QEMU has ended
        self.ended: ShutdownReason | None = None  # why the domain stopped running; the event log remembers it
        self.balloon_kib: int | None = None  # what the guest has, by its balloon's last word
        self.asked: object = None  # what the guest was asked for last: to shut down, to reboot
        self.copies: list[str] = []  # jobs that copy its disks to where it is about to move
        self.vcpu_tids: dict[int, int] = {}  # thread of each online vcpu
        self.on_state: Callable[[QemuDomain], None] = lambda domain: None
        self._qmp: QmpClient | None = None

    @property
    def domid(self) -> int:
        return self.record.domid

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def last_reason(self) -> ShutdownReason:
        """Why it ended; UNKNOWN for one that hasn't."""
        return self.ended or ShutdownReason.UNKNOWN

    @property
    def qmp(self) -> QmpClient:
        """The connection to QEMU. Raises QmpClosed when QEMU has ended."""
        if self._qmp is None or self.gone:
            raise QmpClosed(f"the QEMU of domain {self.domid} has ended")
        return self._qmp

    def attach_qmp(self, qmp: QmpClient) -> None:
        """Take a connection, the first or a new one."""
        self._qmp = qmp

    def detach_qmp(self) -> None:
        """Give the connection up; whoever waits for QEMU to say something is told that it won't."""
        if self._qmp is not None:
            self._qmp.close()
        for listener in list(self.listeners):
            listener("CLOSED", {})
        for expected in list(self.expected):
            expected.come(None)

    def update(self, **changes: object) -> None:
        """Change fields of the record, on disk before in memory. Raises EngineError if it can't be written."""
        with self.lock:
            record = self.record.replace(**changes)
            write_record(self.files, record)
            self.record = record

    def update_machine(self, **changes: object) -> None:
        """Change fields of the record's machine: what is plugged in."""
        with self.lock:
            self.update(machine=self.record.machine.replace(**changes))

    def require_running(self, what: str) -> None:
        """Raise InvalidState if the domain has ended; ``what`` completes "cannot …"."""
        if self.ended is not None or self.gone:
            raise InvalidState(
                f"cannot {what}: domain {self.domid} has shut down",
                f"it remains as it is for inspection; 'xlpy destroy {self.domid}' removes it",
            )

    def require_here(self, what: str) -> None:
        """Raise InvalidState while the domain is on its way in or out."""
        if self.record.phase != "running":
            raise InvalidState(
                f"cannot {what}: domain {self.domid} is being saved, restored or migrated",
                "wait until that has ended; if nobody minds it any more, settle it with 'xlpy migrate --resume'"
                " or '--abort'",
            )

    def expect(self, name: str, match: Match = lambda data: True) -> Expected:
        """An event to wait for, in a ``with`` around the command that causes it."""
        return Expected(self, name, match)

    # -- on the reactor's thread

    def handle_event(self, name: str, data: dict[str, Any], _time_s: float) -> None:
        """Keep what an event of QEMU says."""
        handler = _EVENT_HANDLERS.get(name)
        if handler is not None:
            handler(self, data)
        for listener in list(self.listeners):
            listener(name, data)
        waited_for = False
        for expected in list(self.expected):
            if expected.name == name and expected.match(data):
                waited_for = True
                expected.come(data)
        if name == "DEVICE_DELETED" and not waited_for:
            on_device_deleted(self, data)

    def handle_status(self, status: object) -> None:
        """Keep what ``query-status`` says of a domain that stands still."""
        if isinstance(status, dict) and status.get("status") in CRASHED:
            self.end(ShutdownReason.CRASH)

    def handle_gone(self) -> None:
        """QEMU has ended: whoever waits is told, and a domain that hadn't ended has crashed.

        Its monitor hangs up before the kernel has cleared the process away; the first of both is heard.
        """
        if self.gone:
            return
        self.gone = True
        self.stopped = True
        for listener in list(self.listeners):
            listener("GONE", {})
        for expected in list(self.expected):
            expected.come(None)
        self.end(ShutdownReason.CRASH)

    def end(self, reason: ShutdownReason) -> None:
        """The domain has stopped running; the first reason holds."""
        if self.ended is None:
            self.ended = reason
            self.on_state(self)


def _on_stop(domain: QemuDomain, _data: dict[str, Any]) -> None:
    domain.stopped = True
    if domain.ended is None and not domain.gone:
        # no event says that KVM gave up on the guest (the run state "internal-error")
        domain.qmp.submit("query-status", then=domain.handle_status)


def _on_resume(domain: QemuDomain, _data: dict[str, Any]) -> None:
    domain.stopped = False


def _on_shutdown(domain: QemuDomain, data: dict[str, Any]) -> None:
    reason = _REASONS.get(data.get("reason", ""))
    if reason is not None:
        domain.end(reason)


def _on_panic(domain: QemuDomain, _data: dict[str, Any]) -> None:
    domain.end(ShutdownReason.CRASH)


def _on_watchdog(domain: QemuDomain, _data: dict[str, Any]) -> None:
    domain.end(ShutdownReason.WATCHDOG)


def _on_balloon(domain: QemuDomain, data: dict[str, Any]) -> None:
    domain.balloon_kib = data["actual"] // 1024


_EVENT_HANDLERS = {
    "STOP": _on_stop,
    "RESUME": _on_resume,
    "SHUTDOWN": _on_shutdown,
    "GUEST_PANICKED": _on_panic,
    "WATCHDOG": _on_watchdog,
    "BALLOON_CHANGE": _on_balloon,
}
