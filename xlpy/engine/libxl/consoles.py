"""Consoles and displays: where xenstore says they are."""

from __future__ import annotations

import ctypes
import os
import select
import socket
import threading
import time

from xlpy.engine.console import Console
from xlpy.engine.console_history import read_histories, take_histories
from xlpy.engine.libxl.pv_devices import LibxlPvDevices
from xlpy.engine.libxl.terminal import Terminal
from xlpy.engine.libxl.xenstore import Xenstore
from xlpy.engine.reactor import Reactor
from xlpy.errors import EngineError, InvalidState, NotSupported, XlError
from xlpy.model.device import VncAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.engine.libxl.context import Context
    from xlpy.model.console_history import ConsoleHistory
    from xlpy.model.domain import DomainEnd

# libxl_console_type
_KINDS = {"serial": 1, "pv": 2}
_PRIMARY = (None, 0)
# xenconsoled makes a terminal when it hears of the domain, which is a moment after the domain was made.
_PATIENCE_S = 10.0
_VNC_CONNECT_S = 5.0


class LibxlConsoles(LibxlPvDevices):
    """Consoles with a log for as long as an xlpyd runs, from the start of each domain that it makes."""

    def __init__(self, run_dir: str) -> None:
        super().__init__()
        self._log_dir = f"{run_dir}/consoles"
        self._reactor: Reactor | None = None
        self._consoles: dict[tuple[int, str], Console] = {}
        self._logs: dict[int, str] = {}  # of primary consoles, by domid
        # what they have said elsewhere, until there is a log
        self._histories: dict[int, list[ConsoleHistory]] = {}
        self._opening = threading.Lock()

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        """See ``Engine.start``."""
        os.makedirs(self._log_dir, mode=0o700, exist_ok=True)
        self._reactor = Reactor("consoles")

        def ended(end: DomainEnd) -> None:
            if end.destroyed:
                self._forget_consoles(end.domid)
            on_end(end)

        super().start(ended)
        present = {info.domid: info for info in self.list_domains() if info.domid}
        for name in os.listdir(self._log_dir):
            owner = name.partition("-")[0]
            if not owner.isdigit() or int(owner) not in present or present[int(owner)].uuid not in name:
                os.unlink(f"{self._log_dir}/{name}")
        for domid in present:
            if self.made_here(domid):
                self.follow_console(domid)

    def close(self) -> None:
        """Let go of the domains; they run on."""
        with self._opening:
            for console in self._consoles.values():
                console.close(at_once=True)
        if self._reactor is not None:
            self._reactor.close()
        super().close()

    def follow_console(self, domid: int) -> None:
        """Begin to keep what the primary console says; returns at once."""

        def follow() -> None:
            try:
                self._console(domid, None, 0)
            except XlError:
                pass  # it has none, or is gone again; whoever asks for it is told

        threading.Thread(target=follow, name="console", daemon=True).start()

    def console_histories(
        self, domid: int, after: tuple[ConsoleHistory, ...] = ()
    ) -> tuple[ConsoleHistory, ...]:
        """Of the primary console, which is the one that is always read."""
        log = self._logs.get(domid)
        return () if log is None else read_histories({_PRIMARY: log}, after)

    def take_said(self, domid: int, histories: tuple[ConsoleHistory, ...]) -> None:
        """Have a restored domain's console begin with these; it doesn't run yet."""
        with self._opening:
            log = self._logs.get(domid)
            if log is None:  # xenconsoled hasn't made the terminal yet
                self._histories.setdefault(domid, []).extend(histories)
            else:
                take_histories({_PRIMARY: log}, histories)

    def open_console(
        self,
        domid: int,
        stream: int,
        kind: str | None = None,
        number: int = 0,
        history: bool = True,
        follow: bool = True,
        position: int | None = None,
    ) -> int:
        """See ``Engine.open_console``: the terminal that libxl_console_get_tty or libxl_primary_console_get_tty names."""
        try:
            console = self._console(domid, kind, number)
        except XlError:
            os.close(stream)
            raise
        return console.attach(stream, history, follow, position)

    def vnc_address(self, domid: int) -> VncAddress:
        """Where the device model says that its VNC server listens."""
        self.domain_info(domid)
        found = self.xenstore.read_all(
            f"/local/domain/{domid}/console", ("vnc-port", "vnc-listen", "vnc-pass")
        )
        if not found.get("vnc-port", "").isdigit():
            raise EngineError(
                f"domain {domid} has no VNC server",
                "its configuration asks for one with vnc=1 or vfb=['vnc=1']",
            )
        host = found.get("vnc-listen") or "127.0.0.1"
        return VncAddress(host=host, port=int(found["vnc-port"]), password=found.get("vnc-pass") or None)

    def open_vnc(self, domid: int, stream: int) -> None:
        """Relay between the stream and the server: device models of Xen take no connections handed to them."""
        viewer = socket.socket(fileno=stream)
        try:
            address = self.vnc_address(domid)
            host = "127.0.0.1" if address.host in ("0.0.0.0", "") else address.host
            server = socket.create_connection((host, address.port), timeout=_VNC_CONNECT_S)
        except XlError:
            viewer.close()
            raise
        except OSError as error:
            viewer.close()
            raise EngineError(f"the VNC server of domain {domid} does not answer: {error}") from error
        server.settimeout(None)
        threading.Thread(target=_relay, args=(viewer, server), name="vnc", daemon=True).start()

    # -- inside

    def _console(self, domid: int, kind: str | None, number: int) -> Console:
        if kind is not None and kind not in _KINDS:
            raise NotSupported(f"there is no console of the kind {kind!r}", "there are pv and serial")
        uuid = self.domain_info(domid).uuid
        tty = self._tty(domid, kind, number)
        with self._opening:
            console = self._consoles.get((domid, tty))
            is_primary = kind is None and number == 0
            log = f"{self._log_dir}/{domid}-{uuid}-{tty.replace('/', '_')}.log"
            if is_primary:
                self._logs[domid] = log
            if console is None or not console.is_connected:  # a soft reset ends lines, too
                if is_primary:
                    take_histories({_PRIMARY: log}, self._histories.pop(domid, ()))
                console = self._new_console(domid, tty, log)
                console.connect()
                self._consoles[domid, tty] = console
            return console

    def _new_console(self, domid: int, tty: str, log: str) -> Console:
        reactor = self._reactor
        assert reactor is not None
        return Console(reactor, tty, log, lambda tty: Terminal(reactor, tty, log, domid))

    def _tty(self, domid: int, kind: str | None, number: int) -> str:
        """The terminal, for which is waited a little. Raises InvalidState."""
        tty, said = self._look_for_tty(domid, kind, number)
        if tty is not None:
            return tty
        waiting = Xenstore()
        try:
            waiting.watch(f"/local/domain/{domid}")
            deadline = time.monotonic() + _PATIENCE_S
            while tty is None and _is_readable(waiting.fileno(), deadline):
                waiting.next_event()
                self.domain_info(domid)  # it may be gone
                tty, said = self._look_for_tty(domid, kind, number)
        finally:
            waiting.close()
        if tty is None:
            raise InvalidState(
                f"domain {domid} has no {kind or 'primary'} console {number}",
                "does xenconsoled run? a serial console needs serial='pty' in the configuration",
                detail=said,
            )
        return tty

    def _look_for_tty(self, domid: int, kind: str | None, number: int) -> tuple[str | None, str]:
        """The terminal, if there is one, and what libxl says; the pv console's for want of a serial line."""
        with self.contexts.borrow() as context:
            if kind is None and number == 0:
                return self._ask_for_tty(context, "primary_console_get_tty", domid)
            tty, said = self._ask_for_tty(context, "console_get_tty", domid, number, _KINDS[kind or "pv"])
            if tty is None and kind == "serial":
                return self._ask_for_tty(context, "console_get_tty", domid, number, _KINDS["pv"])
            return tty, said

    def _ask_for_tty(self, context: Context, function: str, *arguments: int) -> tuple[str | None, str]:
        path = ctypes.c_void_p()
        status = context.call(function, *arguments, ctypes.byref(path))
        return (self.library.take_string(path.value) if status == 0 else None), context.said()

    def _forget_consoles(self, domid: int) -> None:
        with self._opening:
            self._logs.pop(domid, None)
            self._histories.pop(domid, None)
            for key in [key for key in self._consoles if key[0] == domid]:
                self._consoles.pop(key).close()
        for name in os.listdir(self._log_dir):
            if name.startswith(f"{domid}-"):
                os.unlink(f"{self._log_dir}/{name}")


def _is_readable(file: int, deadline: float) -> bool:
    left_s = deadline - time.monotonic()
    return left_s > 0 and bool(select.select([file], [], [], left_s)[0])


def _relay(viewer: socket.socket, server: socket.socket) -> None:
    """Pass bytes both ways until one side ends, and close both."""
    with viewer, server:
        other = {viewer: server, server: viewer}
        try:
            while True:
                for source in select.select([viewer, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    other[source].sendall(data)
        except OSError:
            return
