"""The broker: a process for each user that keeps the connections to hosts, so that commands need not make their own.

    python -m xlpy.transport.broker --socket PATH [--idle SECONDS] [--foreground]

The first command that needs a host behind SSH starts it, and it ends by itself when nobody has needed it for a while.
It holds nothing that is lost with it: a command that was under way says so, and the next one starts another broker.
"""

from __future__ import annotations

import fcntl
import logging
import os
import resource
import select
import signal
import socket
import sys
import time

from xlpy.agent.listener import listen, make_private_dir
from xlpy.errors import InvalidState, ProtocolError, XlError, error_to_wire
from xlpy.transport.broker_message import (
    ASK,
    HOST,
    LINE_LIMIT_BYTES,
    RESOLVE,
    STATUS,
    STOP,
    WHY,
    Answer,
    Wish,
    build,
    decode,
    encode,
)
from xlpy.transport.host_line import as_xl_error, small_stacks
from xlpy.transport.switchboard import Switchboard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

log = logging.getLogger("xlpy.broker")

IDLE_S = 600.0
_ASKERS_AT_ONCE = 1024
_WISHES_KEPT = 1000
_TICK_S = 2.0
_SILENCE_LIMIT_S = 60.0
_ANSWER_TIMEOUT_S = 5.0
_DRAIN_TICK_S = 0.5
_LOG_LIMIT_BYTES = 1 << 20


class Asker:
    """Somebody who has connected and not yet said all of what is wanted."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.said = b""
        self.since = time.monotonic()


class Broker:
    """Serves ``listener`` until it is told to stop, or has been idle for ``idle_s``."""

    def __init__(self, listener: socket.socket, path: str, lock: int, idle_s: float = IDLE_S) -> None:
        self._listener = listener
        self._path = path
        self._lock = lock
        self._idle_s = idle_s
        self._board = Switchboard()
        self._askers: dict[int, Asker] = {}
        self._wishes: dict[bytes, Wish] = {}
        self._poller = select.poll()
        self._since_s = time.time()
        self._used = time.monotonic()
        self._next_tick = 0.0
        self._open = True
        self._over = False
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT end ``run``; call it in the main thread."""
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _noted)

    def run(self) -> None:
        """Serve."""
        self._poller.register(self._listener, select.POLLIN)
        self._poller.register(self._woken, select.POLLIN)
        while not self._over:
            patience_s = max(self._next_tick - time.monotonic(), 0)
            for fd, _ in self._poller.poll(patience_s * 1000 + 1):
                if fd == self._woken:
                    self._over = True
                elif self._open and fd == self._listener.fileno():
                    self._accept()
                elif fd in self._askers:
                    self._listen_to(self._askers[fd])
            self._tick()
        self.take_no_more()

    def take_no_more(self) -> None:
        """Leave the place to another broker. Who has connected already is still served."""
        if not self._open:
            return
        self._open = False
        self._next_tick = 0.0
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass
        self._listener.setblocking(False)
        while self._accept():
            pass  # they came in time
        self._poller.unregister(self._listener)
        self._listener.close()
        os.close(self._lock)

    def _tick(self) -> None:
        """What has to be looked after now and then: those who say nothing, and whether anybody needs us."""
        now = time.monotonic()
        if now < self._next_tick:
            return
        self._next_tick = now + (min(_TICK_S, self._idle_s) if self._open else _DRAIN_TICK_S)
        self._board.tidy()
        for asker in list(self._askers.values()):
            if now - asker.since > _SILENCE_LIMIT_S:
                self._dismiss(asker)
        if self._askers or self._board.clients:
            self._used = now
        elif not self._open or now - self._used >= self._idle_s:
            self._over = True

    def _accept(self) -> bool:
        """Take the next one; False if there is none."""
        try:
            connected, _ = self._listener.accept()
        except BlockingIOError:
            return False
        except OSError as error:  # out of descriptors, or the asker gave up already
            log.warning("cannot accept: %s", error)
            return False
        credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        uid = int.from_bytes(credentials[4:8], sys.byteorder)
        if uid != os.getuid() or len(self._askers) >= _ASKERS_AT_ONCE:
            log.warning("uid %d was refused", uid)
            connected.close()
            return True
        self._used = time.monotonic()
        self._askers[connected.fileno()] = Asker(connected)
        self._poller.register(connected, select.POLLIN)
        return True

    def _listen_to(self, asker: Asker) -> None:
        try:
            data = asker.socket.recv(LINE_LIMIT_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            # what follows the line is for the host already, and stays where it is
            data = asker.socket.recv(data.find(b"\n") + 1 or LINE_LIMIT_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        asker.said += data
        try:
            if not data or len(asker.said) > LINE_LIMIT_BYTES:
                self._dismiss(asker)
                return
            while b"\n" in asker.said:
                line, _, asker.said = asker.said.partition(b"\n")
                if not self._serve(asker, self._decode(line)):
                    return
        except ProtocolError as error:
            log.warning("a command was hung up on: %s", error)
            self._dismiss(asker)
        except OSError:  # it didn't wait for the answer
            self._dismiss(asker)

    def _decode(self, line: bytes) -> Wish:
        """What the line wishes; commands say the same lines again and again. Raises ProtocolError."""
        wish = self._wishes.get(line)
        if wish is None:
            if len(self._wishes) >= _WISHES_KEPT:
                self._wishes.clear()
            wish = self._wishes[line] = decode(Wish, line)
        return wish

    def _serve(self, asker: Asker, wish: Wish) -> bool:
        """Do what is wanted; False when this is the last thing on this connection."""
        if wish.build != build() and wish.want in (RESOLVE, HOST, ASK):
            log.info("%s replaces this one", wish.build)
            self.take_no_more()  # first, since who hears of it asks another one at once
            self._answer(asker, replaced=True)
            self._dismiss(asker)
            return False
        if wish.want in (HOST, ASK):
            self._let_go(asker)
            work = self._board.put_through if wish.want == HOST else self._board.ask
            work(asker.socket, wish)
            return False
        if wish.want == RESOLVE:
            try:
                self._answer(asker, entries=tuple(self._board.resolve(wish)))
            except (XlError, ImportError) as error:
                self._answer(asker, error=error_to_wire(as_xl_error(error, "broker")))
        elif wish.want == WHY:
            reason = self._board.why_ended(wish.names[0]) if wish.names else None
            self._answer(asker, error=None if reason is None else error_to_wire(reason))
        elif wish.want == STATUS:
            self._answer(asker, lines=self._board.status())
        elif wish.want == STOP:
            self.take_no_more()
            self._over = wish.force
            self._answer(asker, lines=self._board.status())
            self._dismiss(asker)
            return False
        else:
            raise ProtocolError(f"{wish.want!r:.40} is nothing that a broker does")
        return True

    def _answer(self, asker: Asker, **fields: object) -> None:
        answer = Answer(pid=os.getpid(), build=build(), since_s=self._since_s, **fields)  # type: ignore[arg-type]
        asker.socket.settimeout(_ANSWER_TIMEOUT_S)  # whoever doesn't read keeps nobody else waiting
        asker.socket.sendall(encode(answer))
        asker.socket.settimeout(None)

    def _let_go(self, asker: Asker) -> None:
        self._poller.unregister(asker.socket)
        del self._askers[asker.socket.fileno()]

    def _dismiss(self, asker: Asker) -> None:
        self._let_go(asker)
        asker.socket.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status is 0 once it serves (or, in the foreground, has served)."""
    import argparse

    parser = argparse.ArgumentParser(prog="xlpy-broker", description="Keeps xlpy's connections to hosts.")
    parser.add_argument("--socket", required=True, metavar="PATH", help="listen here")
    parser.add_argument(
        "--idle", type=float, default=IDLE_S, metavar="SECONDS", help="end when unused so long"
    )
    parser.add_argument("--foreground", action="store_true", help="stay attached")
    options = parser.parse_args(arguments)
    path = os.path.abspath(options.socket)
    build()  # as of now: the files may be replaced while we serve
    os.umask(0o077)
    if not options.foreground:
        # a pipe that was left to us would keep its reader waiting for as long as we live
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    try:
        make_private_dir(os.path.dirname(path))
        lock = _lock(f"{path}.lock")
        listener = listen(path)
    except XlError as error:
        print(f"xlpy broker: {error}", file=sys.stderr)
        return 1
    if not options.foreground and not _detach():
        os._exit(0)  # who asks now waits until we get to it
    _start_log(f"{path.removesuffix('.sock')}.log")
    small_stacks()
    _take_descriptors()
    broker = Broker(listener, path, lock, options.idle)
    broker.stop_on_signals()
    log.info("process %d serves %s", os.getpid(), path)
    broker.run()
    log.info("process %d ends", os.getpid())
    logging.shutdown()
    os._exit(0)  # what is still connected is closed by that; nobody waits for threads


def _lock(path: str) -> int:
    """A descriptor whose life is the lock. Raises InvalidState when another broker has it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise InvalidState(f"another broker has {path}") from error
    return lock


def _detach() -> bool:
    """Go on in a process of its own, without a terminal; False in the one that was called."""
    if os.fork() != 0:
        return False
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    return True


def _start_log(path: str) -> None:
    try:
        if os.path.isfile(path) and os.path.getsize(path) > _LOG_LIMIT_BYTES:
            os.unlink(path)
        handler = logging.FileHandler(path)
    except OSError:
        return  # it serves without a log as well
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    logging.raiseExceptions = False


def _take_descriptors() -> None:
    """Each host takes several."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))


def _noted(number: int, frame: FrameType | None) -> None:
    """A signal does its work through the wake-up descriptor."""


if __name__ == "__main__":
    sys.exit(main())
