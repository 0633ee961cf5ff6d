"""The daemon's loop: accept clients, give each a thread, end on SIGTERM while the domains run on."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading

from xlpy.agent.channel import PeerChannel
from xlpy.agent.lingering import Logout
from xlpy.agent.serve import Service
from xlpy.agent.session import Session
from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from xlpy.agent.supervisor import Supervisor

log = logging.getLogger("xlpyd")

CLIENTS_AT_ONCE = 256
_STACK_BYTES = 512 << 10  # of a client's thread
_FINISH_TIMEOUT_S = 10


class Daemon:
    """Serves clients of ``listener`` with ``supervisor`` until ``stop`` or a signal."""

    def __init__(self, listener: socket.socket, supervisor: Supervisor) -> None:
        self._listener = listener
        self._supervisor = supervisor
        self._clients: dict[threading.Thread, PeerChannel] = {}
        self._changing = threading.Lock()
        self._logout = Logout(os.getuid())
        threading.Thread(target=self._logout.ask, name="logout", daemon=True).start()
        self._waker, self._woken = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT end ``run``; call it in the main thread."""
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _noted)

    def stop(self) -> None:
        """Let ``run`` return soon."""
        try:
            os.write(self._woken, b"\0")
        except BlockingIOError:
            pass  # it is full of wake-ups

    def run(self) -> None:
        """Serve. On return no client is connected any more."""
        threading.stack_size(_STACK_BYTES)
        poller = select.poll()
        poller.register(self._listener, select.POLLIN)
        poller.register(self._waker, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poller.poll()]
            if self._waker in ready:
                break
            self._accept()
        self._hang_up_all()

    def close(self) -> None:
        """Let go of the wake-up pipe."""
        signal.set_wakeup_fd(-1)
        os.close(self._waker)
        os.close(self._woken)

    def _accept(self) -> None:
        try:
            connected, _ = self._listener.accept()
        except OSError as error:  # out of descriptors, or the client gave up already
            log.warning("cannot accept a client: %s", error)
            return
        channel = PeerChannel(connected)
        uid = channel.peer_uid()
        if uid not in (0, os.getuid()):
            log.warning("uid %d was refused", uid)
            channel.close()
            return
        with self._changing:
            if len(self._clients) >= CLIENTS_AT_ONCE:
                log.warning("a client was refused: there are %d already", CLIENTS_AT_ONCE)
                channel.close()
                return
            thread = threading.Thread(target=self._serve, args=(channel, uid), name="client", daemon=True)
            self._clients[thread] = channel
        thread.start()

    def _serve(self, channel: PeerChannel, uid: int) -> None:
        session = Session(self._supervisor, uid, channel.fileno())
        try:
            Service(channel, session, self._supervisor.instance, self._logout.notice()).run()
        except OSError as error:
            log.debug("a client is gone: %s", error)
        except XlError as error:
            log.warning("a client was hung up on: %s", error)
        finally:
            session.settle()
            with self._changing:
                del self._clients[threading.current_thread()]
                channel.close()

    def _hang_up_all(self) -> None:
        """End all conversations; what is being done is finished first, for a while."""
        with self._changing:
            clients = dict(self._clients)
            for channel in clients.values():
                channel.hang_up()
        for thread in clients:
            thread.join(_FINISH_TIMEOUT_S)


def _noted(number: int, frame: FrameType | None) -> None:
    """A signal does its work through the wake-up descriptor."""
