"""How an operation's call crosses the wire, read from the annotations of its method.

``stream`` and ``progress`` are no data: the first is a descriptor that travels beside the request, the second is
called for every progress report. The classes that annotations name are imported when a value of theirs crosses.
"""

from __future__ import annotations

from xlpy.errors import NotSupported, ProtocolError
from xlpy.model.codec import decoder, to_wire
from xlpy.model.late_import import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_NOT_DATA = ("stream", "progress")


class Signature:
    """Arguments and result of one operation.

    Made from the method of ``Engine`` that declares it; ``homes`` says in which module a class lives.
    """

    def __init__(self, method: Callable[..., object], homes: Mapping[str, str]) -> None:
        code = method.__code__
        self.name = method.__name__
        self.parameters: tuple[str, ...] = code.co_varnames[1 : code.co_argcount]
        defaults = method.__defaults__ or ()
        self._defaults = dict(zip(self.parameters[len(self.parameters) - len(defaults) :], defaults))
        self._annotations = method.__annotations__
        self._homes = homes
        self._decoders: dict[str, Callable[[object], Any]] = {}
        self.takes_stream = "stream" in self.parameters
        self.takes_progress = "progress" in self.parameters

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
            if name not in self.parameters or name in _NOT_DATA:
                raise NotSupported(
                    f"{self.name}: this host's xlpyd doesn't know the argument {name!r}",
                    "is its xlpy older than yours?",
                )
        for name in self.parameters:
            if name not in arguments and name not in self._defaults and name not in _NOT_DATA:
                raise ProtocolError(f"{self.name} came without {name!r}")
        return {name: self._decode(self._annotations[name], value) for name, value in arguments.items()}

    def decode_result(self, value: object) -> Any:
        """The result a peer sent. Raises ProtocolError when it doesn't fit."""
        return self._decode(self._annotations["return"], value)

    def decode_progress(self, value: object) -> Any:
        """What ``progress`` is called with. Raises ProtocolError when it doesn't fit."""
        return self._decode("TransferProgress", value)

    def _decode(self, annotation: str, value: object) -> Any:
        decode = self._decoders.get(annotation)
        if decode is None:
            decode = self._decoders[annotation] = decoder(annotation, self._find)
        return decode(value)

    def _find(self, name: str) -> object:
        home = self._homes.get(name)
        return None if home is None else getattr(import_module(home), name)
