"""Pump: moves bytes between local descriptors and the streams of a channel, in one thread that never waits for one of them.

Both ends of a channel are pumps. The near one gets its streams from clients (``transport.near_relay``), the far one
makes them for xlpyd (``agent.relay``). What differs between them is what they do with new streams and when they end.
"""

from __future__ import annotations

import array
import fcntl
import select
import termios
import time

from xlpy.errors import ProtocolError
from xlpy.protocol.mux import Arrived, Carried, Credited, Ended, Mux, Opened, Stopped
from xlpy.relay.end import End, close_fds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from xlpy.protocol.mux import Event
    from xlpy.relay.endpoint import Endpoint

    class Carrier(Protocol):
        """The channel itself: bytes to and from the other side's pump."""

        def fileno(self) -> int: ...
        def read(self) -> bytes: ...
        def write(self, pieces: list[bytes | memoryview]) -> None: ...
        def unsent(self) -> int: ...
        def blocked_fileno(self) -> int: ...


# While this much waits for the channel no more of a transfer is read; connections still get their word in.
OUTPUT_LIMIT_BYTES = 512 << 10
_CHANNEL_READS = 8  # in a row, before others have their turn
_TICK_MS = 5000
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Pump:
    """Runs until ``over`` is set or the channel ends. Raises ProtocolError, OSError of the channel."""

    def __init__(self, carrier: Carrier, is_near: bool) -> None:
        self.mux = Mux(is_near)
        self.over = False
        self.heard = time.monotonic()
        self._carrier = carrier
        self.ends: dict[int, End] = {}
        self._by_fd: dict[int, End] = {}
        self._changed: set[End] = set()  # what they are polled for may be another now
        self._poller = select.poll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._full = False  # too much waits for the channel
        self._blocked_fd = -1

    # -- for the two kinds of pump

    def opened(self, stream: int) -> None:
        """The other side opened a connection: ``add`` its end, or ``refuse`` it."""
        raise ProtocolError(f"stream {stream} was opened by the wrong side")

    def carried(self, stream: int, on: int, ordered: bool) -> None:
        """The other side passes a descriptor along."""
        raise ProtocolError(f"stream {stream} was opened by the wrong side")

    def fds_arrived(self, end: End, fds: list[int]) -> None:
        """Descriptors came with the bytes that will be sent next."""
        raise ProtocolError("descriptors from the wrong side")

    def ended_with(self, end: End, reason: bytes) -> None:
        """The other side cut a stream off."""

    def tick(self, now: float) -> None:
        """Called every few seconds at least."""

    # -- what both do

    def handle(self, fd: int, work: Callable[[], None]) -> None:
        """Call ``work`` whenever ``fd`` is readable."""
        self._handlers[fd] = work
        self._poller.register(fd, select.POLLIN)

    def unhandle(self, fd: int) -> None:
        """Do so no longer."""
        del self._handlers[fd]
        self._poller.unregister(fd)

    def add(self, stream: int, endpoint: Endpoint, holder: End | None = None, ordered: bool = False) -> End:
        """Serve a stream with this endpoint, which belongs to the pump from here on."""
        end = End(stream, endpoint, holder, ordered)
        self.ends[stream] = end
        self._by_fd[endpoint.fileno()] = end
        self._changed.add(end)
        return end

    def refuse(self, stream: int, reason: bytes) -> None:
        """Have nothing for a stream."""
        self.mux.end(stream, reason)
        self.mux.stop(stream)

    def run(self) -> None:
        """Move bytes; ``close_all`` must follow."""
        self.handle(self._carrier.fileno(), self._read_channel)
        while not self.over:
            self._write_channel()
            self._poll_anew()
            # who is meant is settled first: a number may mean another one before its turn comes
            ready = [(self._by_fd.get(fd), fd, events) for fd, events in self._poller.poll(_TICK_MS)]
            for end, fd, events in ready:
                self._serve(end, fd, events)
            self.tick(time.monotonic())

    def close_all(self) -> None:
        """Close every end. Whoever serves a connection learns that its client has gone before its streams end."""
        for end in sorted(self.ends.values(), key=lambda end: not end.is_connection):
            self._close(end)

    def _serve(self, end: End | None, fd: int, events: int) -> None:
        if end is None:
            if fd in self._handlers:
                self._handlers[fd]()
            return
        if events & (select.POLLIN | _GONE) and self._is_open(end) and end.reading:
            self._read(end)
        if events & (select.POLLOUT | _GONE) and self._is_open(end) and end.waiting:
            self._write(end)
        if events & _GONE and self._is_open(end):
            self._gone(end)

    def _is_open(self, end: End) -> bool:
        return self.ends.get(end.stream) is end

    # -- from the channel

    def _read_channel(self) -> None:
        for _ in range(_CHANNEL_READS):
            try:
                data = self._carrier.read()
            except BlockingIOError:
                return
            if not data:
                self.over = True
                return
            self.heard = time.monotonic()
            for event in self.mux.receive(data):
                self.take(event)

    def take(self, event: Event) -> None:
        """Do what the other side says."""
        if isinstance(event, Opened):
            self.opened(event.stream)
            return
        if isinstance(event, Carried):
            self.carried(event.stream, event.on, event.ordered)
            return
        end = self.ends.get(event.stream)
        if end is None:
            if isinstance(event, Stopped):
                self.mux.end(event.stream)
            elif isinstance(event, Arrived):
                self.mux.stop(event.stream)
            return
        self._changed.add(end)
        if isinstance(event, Arrived):
            self._arrived(end, event.data)
        elif isinstance(event, Ended):
            if event.reason:
                self.ended_with(end, event.reason)
            end.finishing = True
            self._finish(end)
        elif isinstance(event, Stopped):
            end.endpoint.stop_reading()
            end.held = None
            end.before.clear()
            self._end_reading(end)
        else:
            assert isinstance(event, Credited)

    def _arrived(self, end: End, data: memoryview) -> None:
        if not end.writing:
            self.mux.stop(end.stream)
            return
        end.spoken = True
        idle = not end.waiting
        end.put(data)
        if idle:
            self._write(end)

    def _write(self, end: End) -> None:
        """Give the endpoint what it takes."""
        written = 0
        try:
            while end.waiting:
                data, fds = end.waiting[0]
                count = end.endpoint.write(data, fds)
                close_fds(fds)
                written += count
                if count == len(data):
                    end.waiting.pop(0)
                else:
                    end.waiting[0] = (data[count:], [])
        except BlockingIOError:
            pass
        except OSError:
            self._end_writing(end)
        if written:
            self.mux.consumed(end.stream, written)
        self._changed.add(end)
        self._finish(end)

    def _finish(self, end: End) -> None:
        """Pass the end on when everything before it was taken."""
        if end.finishing and end.writing and not end.waiting:
            end.writing = False
            end.endpoint.finish_writing()
        if end.finishing and not end.writing:
            if not end.endpoint.readable:
                self.mux.end(end.stream)
            self._close_if_over(end)

    # -- to the channel

    def _read(self, end: End) -> None:
        """Take what the endpoint has, as far as there is credit for it."""
        limit = self.mux.sendable(end.stream)
        if limit == 0 or end.held is not None or (self._full and not end.is_connection):
            return
        self._changed.add(end)
        try:
            data, fds = end.endpoint.read(limit)
        except BlockingIOError:
            return
        except OSError:
            self._end_reading(end)
            return
        if fds:
            self.fds_arrived(end, fds)
        if not data:
            self._end_reading(end)
            return
        if end.is_connection:
            self._hold(end, data)
        else:
            self.mux.send(end.stream, data)
            self._release(end, len(data))
        if self.mux.output_bytes >= OUTPUT_LIMIT_BYTES:
            self._write_channel()

    def _hold(self, end: End, data: bytes) -> None:
        """Send what is said on a connection after what was written before to the ordered streams that it carries."""
        for other in self.ends.values():
            if other.holder is end and other.ordered and other.reading:
                unread = _unread_bytes(other.endpoint.fileno())
                if unread:
                    end.before[other.stream] = unread
        if end.before:
            end.held = data
        else:
            self.mux.send(end.stream, data)

    def _release(self, end: End, count: int | None) -> None:
        """So many bytes of a carried stream, or all, are on the way: what waited for them can follow."""
        holder = end.holder
        if holder is None or end.stream not in holder.before:
            return
        left = 0 if count is None else holder.before[end.stream] - count
        if left > 0:
            holder.before[end.stream] = left
            return
        del holder.before[end.stream]
        if not holder.before and holder.held is not None:
            data, holder.held = holder.held, None
            if self.mux.sendable(holder.stream) >= len(data):
                self.mux.send(holder.stream, data)
            self._changed.add(holder)

    # -- the end of a stream

    def _end_reading(self, end: End) -> None:
        """Nothing more comes from the endpoint."""
        end.reading = False
        self._release(end, None)
        self.mux.end(end.stream)
        self._close_if_over(end)

    def _end_writing(self, end: End) -> None:
        """Nobody takes anything from us any more."""
        end.writing = False
        end.drop_waiting()
        self.mux.stop(end.stream)
        if not end.endpoint.readable:
            self.mux.end(end.stream)
        self._close_if_over(end)

    def _gone(self, end: End) -> None:
        """The endpoint's other end has gone: nobody takes what is written, and what is left can be read."""
        if end.writing:
            self._end_writing(end)
        if self._is_open(end):
            end.gone = True
            self._changed.add(end)

    def _close_if_over(self, end: End) -> None:
        if not end.reading and not end.writing and end.held is None:
            self._close(end)

    def _close(self, end: End) -> None:
        if self.ends.pop(end.stream, None) is None:
            return
        self._changed.discard(end)
        fd = end.endpoint.fileno()
        del self._by_fd[fd]
        if end.interest is not None:
            self._poller.unregister(fd)
        end.drop_waiting()
        self._release(end, None)
        end.endpoint.close()

    # -- what is waited for

    def _wishes(self, end: End) -> int:
        wishes = select.POLLOUT if end.waiting else 0
        if (
            end.reading
            and end.held is None
            and self.mux.sendable(end.stream)
            and (end.is_connection or not self._full)
        ):
            wishes |= select.POLLIN
        return wishes

    def _poll_anew(self) -> None:
        """Wait for what the ends need now."""
        full = self._carrier.unsent() >= OUTPUT_LIMIT_BYTES
        if full != self._full:
            self._full = full
            self._changed.update(end for end in self.ends.values() if not end.is_connection)
        for end in self._changed:
            if not self._is_open(end):
                continue
            wishes = self._wishes(end)
            wanted = None if end.gone and not wishes else wishes
            if wanted == end.interest:
                continue
            if wanted is None:
                self._poller.unregister(end.endpoint.fileno())
            else:
                self._poller.register(end.endpoint.fileno(), wanted)
            end.interest = wanted
        self._changed.clear()

    def _write_channel(self) -> None:
        """Give the channel what is there to be sent, and wait for it to take the rest."""
        if self.mux.output_bytes or self._carrier.unsent():
            self._carrier.write(self.mux.take_output())
        blocked_fd = self._carrier.blocked_fileno()
        if blocked_fd == self._blocked_fd:
            return
        if self._blocked_fd >= 0:
            self.unhandle(self._blocked_fd)
        if blocked_fd >= 0:
            self._handlers[blocked_fd] = self._write_channel
            self._poller.register(blocked_fd, select.POLLOUT)
        self._blocked_fd = blocked_fd


def _unread_bytes(fd: int) -> int:
    """How many bytes wait in a socket."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]
