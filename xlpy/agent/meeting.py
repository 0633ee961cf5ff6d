"""Where the state of a domain arrives that another host sends by itself: a socket for one connection, once.

Its name is the transfer's id, which nobody can guess, in a directory that only we can enter; and only our own user or root
is let in.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time

from xlpy.agent.listener import listen, make_private_dir
from xlpy.errors import Aborted, ConnectError, InvalidState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT_S = 60.0
_DIRECTORY = "meetings"


class Meeting:
    """A socket at ``path`` until it is closed. Raises XlError when it can't be made."""

    def __init__(self, run_dir: str, transfer_id: str) -> None:
        if not transfer_id.replace("-", "").isalnum():
            raise InvalidState("the transfer has no proper id")
        directory = f"{run_dir}/{_DIRECTORY}"
        make_private_dir(directory)
        self.path = f"{directory}/{transfer_id}.sock"
        self._listener = listen(self.path)

    def __enter__(self) -> Meeting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nobody is let in any more; closing twice is fine."""
        if self._listener.fileno() >= 0:
            self._listener.close()
            try:
                os.unlink(self.path)
            except FileNotFoundError:
                pass

    def wait(self, connection_fd: int, timeout_s: float = TIMEOUT_S) -> int:
        """The descriptor of whoever comes. Raises ConnectError when nobody does, Aborted when the client hangs up."""
        deadline = time.monotonic() + timeout_s
        poller = select.poll()
        poller.register(self._listener, select.POLLIN)
        poller.register(connection_fd, select.POLLRDHUP)
        while True:
            ready = dict(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))
            if connection_fd in ready:
                raise Aborted("the client has gone")
            if not ready:
                raise ConnectError(
                    f"nothing came from the source within {timeout_s:.0f} s",
                    "can the source reach this host by ssh? without --direct the state goes through the client",
                )
            comer, _ = self._listener.accept()
            credentials = comer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            if struct.unpack("3i", credentials)[1] in (0, os.getuid()):
                self.close()
                return comer.detach()
            comer.close()


def clear_meetings(run_dir: str) -> None:
    """Remove what a killed xlpyd has left behind."""
    try:
        for name in os.listdir(f"{run_dir}/{_DIRECTORY}"):
            os.unlink(f"{run_dir}/{_DIRECTORY}/{name}")
    except OSError:
        pass  # there are none
