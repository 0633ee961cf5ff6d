"""Host: the operations of Engine, done by an xlpyd elsewhere.

Its methods are made from the list in ``engine.base``; their annotations say how arguments and results cross. It
connects when the first operation is called.
"""

from __future__ import annotations

from xlpy.client.call import Conversation, close_stream, outcome
from xlpy.engine.base import OPERATIONS, WIRE_CLASSES, Engine
from xlpy.engine.operation import LOOKING
from xlpy.errors import ConnectError, Interrupted, UnknownHostKey
from xlpy.protocol.signature import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.client.call import Call
    from xlpy.client.rehearsal import Rehearsal
    from xlpy.inventory.entry import HostEntry
    from xlpy.protocol.messages import Failure, Hello, Reply
    from xlpy.transport.unix import UnixChannel

    Question = tuple[Signature, dict[str, Any]]

_signatures: dict[str, Signature] = {}


class _SharedWayBroke(ConnectError):
    """What carried the connection, and others', broke before the host said anything."""


class Host(Engine):
    """An Engine that asks an xlpyd. Operations raise what the engine there raises, and Interrupted when the
    connection breaks while one runs: then nobody knows here whether it was done.

    ``connect`` opens a channel; ``address`` is how the host was named and what others may call it. ``unknown_key`` may
    be set: it is asked about a new host key, and says whether to connect once more. One thread at a time.
    """

    name = "host"

    def __init__(self, connect: Callable[[], UnixChannel], address: str = "") -> None:
        self._connect = connect
        self.address = address
        self._conversation: Conversation | None = None
        self._hello: Hello | None = None
        self._told: tuple[str, Reply | Failure] | None = None
        self._far = False
        self.unknown_key: Callable[[UnknownHostKey], bool] | None = None
        self.rehearsal: Rehearsal | None = None

    @property
    def hello(self) -> Hello:
        """Who answers at this address."""
        self._converse()
        assert self._hello is not None
        return self._hello

    @property
    def far(self) -> bool:
        """Whether it is on another machine: a stream that is passed there is read and written ahead by relays on the way."""
        self._converse()
        return self._far

    def begin(self, operation: str, **arguments: Any) -> Call:
        """Start an operation without waiting for it. Only one at a time can run on a host.

        A ``stream`` is closed here in any case.
        """
        signature = _signature(operation)
        return self._begin(signature, signature.bind((), arguments))

    def expect(self, operation: str, said: Reply | Failure) -> None:
        """Know already what the host says to this operation, without arguments, when it is called the next time."""
        self._told = operation, said

    def close(self) -> None:
        """Hang up; what runs on our behalf only is given up there. The next operation connects anew."""
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None

    def another(self) -> Host:
        """The same host over a connection of its own, for the caller to close."""
        return Host(self._connect, self.address)

    def hang_up(self) -> None:
        """Break the connection, from any thread: a call that runs there ends with Interrupted."""
        conversation = self._conversation
        if conversation is not None:
            conversation.hang_up()

    def _converse(self) -> Conversation:
        """The open conversation, or a new one."""
        if self._needs_opening():
            self._open()
        assert self._conversation is not None
        return self._conversation

    def _needs_opening(self) -> bool:
        if self._conversation is not None and self._conversation.broken:
            self.close()
        return self._conversation is None

    def _open(self, first: Question | None = None) -> Call | None:
        """Connect; ``first``, which changes nothing, is asked at once, without waiting for the host's greeting."""
        try:
            return self._open_once(first)
        except UnknownHostKey as error:
            if self.unknown_key is None or not self.unknown_key(error):
                raise
        except _SharedWayBroke:
            pass  # it may have been dead for long, and nobody had noticed
        return self._open_once(first)

    def _open_once(self, first: Question | None) -> Call | None:
        channel = self._connect()
        self._far = channel.shared
        conversation = self._conversation = Conversation(channel)
        try:
            call = None if first is None else conversation.begin(*first)
            self._hello = conversation.greet()
        except Interrupted as error:
            self.close()
            kind = _SharedWayBroke if channel.shared else ConnectError
            raise kind(
                f"{conversation.label} hung up without a word",
                "it is about to stop, or it serves too many clients already; try again",
                detail=str(error) if error.detail is None else f"{error}: {error.detail}",
            ) from error
        except BaseException:
            self.close()
            raise
        return call

    def _begin(self, signature: Signature, bound: dict[str, Any]) -> Call:
        if self.rehearsal is not None and self.rehearsal.takes(self, signature.name, bound):
            self.rehearsal.over()
        try:
            if signature.name in LOOKING and not signature.takes_stream and self._needs_opening():
                call = self._open((signature, bound))
                assert call is not None
                return call
            conversation = self._converse()
        except BaseException:
            close_stream(bound)
            raise
        return conversation.begin(signature, bound)

    def _call(self, signature: Signature, bound: dict[str, Any]) -> Any:
        if self.rehearsal is not None and self.rehearsal.takes(self, signature.name, bound):
            return None
        if (
            self._told is not None
            and self._told[0] == signature.name
            and not signature.encode_arguments(bound)
        ):
            said = self._told[1]
            self._told = None
            return outcome(signature, said)
        done = False
        try:
            call = self._begin(signature, bound)
            while not call.advance():
                pass
            done = True
        finally:
            if not done:  # broken, or given up with Ctrl-C: what comes next must not read this call's answer
                self.close()
        return call.result()


def connect(address: str | None = None) -> Host:
    """The host of this address (``client.address``); None is this machine. Nothing is opened before it is needed."""
    from xlpy.client.address import open_channel

    return Host(lambda: open_channel(address), address or "local")


def connect_entry(entry: HostEntry, agrees: Callable[[UnknownHostKey], bool] | None = None) -> Host:
    """A host of the inventory, or one that was named otherwise (``client.resolve``); nothing is opened yet.

    ``agrees`` is asked about a host key that nobody knows; if it says yes, that key is written to known_hosts.
    """
    from xlpy.client.address import open_entry

    agreed: list[str] = []
    host = Host(lambda: open_entry(entry, agreed[0] if agreed else None), entry.name)

    def unknown_key(error: UnknownHostKey) -> bool:
        if agrees is None or not agrees(error):
            return False
        agreed[:] = [error.fingerprint]
        return True

    host.unknown_key = unknown_key
    return host


def _signature(operation: str) -> Signature:
    signature = _signatures.get(operation)
    if signature is None:
        signature = _signatures[operation] = Signature(OPERATIONS[operation], WIRE_CLASSES)
    return signature


def _remote(operation: str) -> Callable[..., Any]:
    def method(self: Host, *args: Any, **kwargs: Any) -> Any:
        signature = _signature(operation)
        return self._call(signature, signature.bind(args, kwargs))

    method.__name__ = operation
    method.__doc__ = OPERATIONS[operation].__doc__
    return method


for _operation in OPERATIONS:
    setattr(Host, _operation, _remote(_operation))
