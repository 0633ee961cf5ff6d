"""How an operation's call crosses the wire, read from the annotations of its method.

``stream`` and ``progress`` are no data: the first is a descriptor that travels beside the request, the second is
called for every progress report. The annotation's names are looked up where the method was defined.
"""

from __future__ import annotations

from xlpy.errors import NotSupported, ProtocolError
from xlpy.model.codec import decoder, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_NOT_DATA = ("stream", "progress")


class Signature:
    """Arguments and result of one operation. Made from the method of ``Engine`` that declares it."""

    def __init__(self, method: Callable[..., object]) -> None:
        code, annotations = method.__code__, method.__annotations__
        self.name = method.__name__
        self.parameters: tuple[str, ...] = code.co_varnames[1 : code.co_argcount]
        defaults = method.__defaults__ or ()
        self._defaults = dict(zip(self.parameters[len(self.parameters) - len(defaults) :], defaults))
        names = method.__globals__
        self._decoders = {
            name: decoder(annotations[name], names) for name in self.parameters if name not in _NOT_DATA
        }
        self._decode_result = decoder(annotations["return"], names)
        self.takes_stream = "stream" in self.parameters
        self.takes_progress = "progress" in self.parameters
        self.decode_progress = (
            decoder("TransferProgress", names) if self.takes_progress else decoder("None", names)
        )

    def bind(self, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Arguments by name, as Python itself would bind them. Raises TypeError as a call does."""
        if len(args) > len(self.parameters):
            raise TypeError(f"{self.name}() takes {len(self.parameters)} arguments, got {len(args)}")
        bound = dict(zip(self.parameters, args))
        for name, value in kwargs.items():
            if name in bound or name not in self.parameters:
                raise TypeError(f"{self.name}() got an unexpected or doubled argument {name!r}")
            bound[name] = value
        missing = [name for name in self.parameters if name not in bound and name not in self._defaults]
        if missing:
            raise TypeError(f"{self.name}() needs {', '.join(missing)}")
        return bound

    def encode_arguments(self, bound: Mapping[str, object]) -> dict[str, object]:
        """The data among the arguments, without those that equal their defaults."""
        return {
            name: to_wire(value)
            for name, value in bound.items()
            if name not in _NOT_DATA and not (name in self._defaults and value == self._defaults[name])
        }

    def decode_arguments(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """The arguments a peer sent.

        An unknown one is NotSupported, never ignored: it asks for something that this side can't do.
        """
        for name in arguments:
            if name not in self._decoders:
                raise NotSupported(
                    f"{self.name}: this host's xlpyd doesn't know the argument {name!r}",
                    "is its xlpy older than yours?",
                )
        for name in self._decoders:
            if name not in arguments and name not in self._defaults:
                raise ProtocolError(f"{self.name} came without {name!r}")
        return {name: self._decoders[name](value) for name, value in arguments.items()}

    def decode_result(self, value: object) -> Any:
        """The result a peer sent. Raises ProtocolError when it doesn't fit."""
        return self._decode_result(value)
