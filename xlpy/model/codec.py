"""Model values to JSON-ready values and back, by the annotations of their classes.

A Record becomes an object that leaves out what equals its default; a reader ignores names that it doesn't
know and takes the default for those that are missing. So an old and a new xlpy can talk to each other.
"""

from __future__ import annotations

import sys

from xlpy.errors import ProtocolError
from xlpy.model.choice import Choice
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Decoder = Callable[[object], Any]
    Find = Callable[[str], object]
    R = TypeVar("R", bound=Record)

_SCALARS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
}
_decoders_by_class: dict[type[Record], dict[str, Decoder]] = {}


def to_wire(value: object) -> object:
    """A value that ``json.dumps`` takes."""
    if isinstance(value, Record):
        defaults = type(value)
        return {
            name: to_wire(field)
            for name, field in value.__dict__.items()
            if name in value.required_ or name in value.telling_ or field != getattr(defaults, name)
        }
    if isinstance(value, (tuple, list)):
        return [to_wire(item) for item in value]
    if isinstance(value, dict):
        return {key: to_wire(item) for key, item in value.items()}
    if isinstance(value, Choice):
        return value.value
    return value


def from_wire(annotation: str, value: object, find: Find) -> Any:
    """The model value of this annotation; ``find`` gives the class of a name, or None.

    Raises ProtocolError when the value doesn't fit.
    """
    return decoder(annotation, find)(value)


def record_from_wire(cls: type[R], value: object) -> R:
    """A Record of this class."""
    if not isinstance(value, dict):
        raise ProtocolError(f"expected an object for {cls.__name__}, got {type(value).__name__}")
    decoders = _decoders_by_class.get(cls)
    if decoders is None:
        find = vars(sys.modules[cls.__module__]).get
        decoders = {field: decoder(text, find) for field, text in cls.fields_.items()}
        _decoders_by_class[cls] = decoders
    fields = {}
    for name, item in value.items():
        decode = decoders.get(name)
        if decode is not None:
            fields[name] = decode(item)
    for name in cls.required_:
        if name not in fields:
            raise ProtocolError(f"{cls.__name__} came without {name!r}")
    return cls(**fields)


def decoder(annotation: str, find: Find) -> Decoder:
    """A function from wire values to values of this annotation."""
    text = annotation.strip()
    if text.endswith("| None"):
        inner = decoder(text[: -len("| None")], find)
        return lambda value: None if value is None else inner(value)
    if text.startswith("tuple[") and text.endswith(", ...]"):
        return _tuple_decoder(decoder(text[6:-6], find))
    if text.startswith("dict[str, ") and text.endswith("]"):
        return _dict_decoder(decoder(text[10:-1], find))
    if text in _SCALARS:
        return _scalar_decoder(text, _SCALARS[text])
    if text in ("object", "Any"):
        return lambda value: value
    if text == "None":
        return lambda value: None
    return _class_decoder(text, find)


def _scalar_decoder(name: str, types: tuple[type, ...]) -> Decoder:
    def decode(value: object) -> object:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ProtocolError(f"expected {name}, got {value!r:.60}")
        return value

    return decode


def _tuple_decoder(item: Decoder) -> Decoder:
    def decode(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ProtocolError(f"expected a list, got {value!r:.60}")
        return tuple(item(element) for element in value)

    return decode


def _dict_decoder(item: Decoder) -> Decoder:
    def decode(value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ProtocolError(f"expected an object, got {value!r:.60}")
        return {str(key): item(element) for key, element in value.items()}

    return decode


def _class_decoder(name: str, find: Find) -> Decoder:
    cls = find(name)
    if isinstance(cls, type) and issubclass(cls, Record):
        record_class = cls
        return lambda value: record_from_wire(record_class, value)
    if isinstance(cls, type) and issubclass(cls, Choice):
        choice_class = cls

        def decode_choice(value: object) -> Choice:
            try:
                return choice_class(value)
            except ValueError:
                raise ProtocolError(f"{value!r:.60} is no {name}") from None

        return decode_choice
    raise TypeError(f"no way to read an annotation {name!r} from the wire")
