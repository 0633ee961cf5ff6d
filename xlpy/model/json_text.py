"""JSON text to values and back, by the interpreter's own scanner and encoder in C.

The ``json`` package does the same, but imports ``re`` and ``enum`` first: that is more time than a whole ``xlpy list``
takes otherwise. Where these C functions are missing, ``json`` steps in.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BLANKS = " \t\r\n"


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


def _no_default(value: object) -> object:
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


class _Rules:
    """What the scanner asks of a decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_no_constant)


try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner
except ImportError:  # not CPython
    import json

    _decode: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(parse_constant=_no_constant).raw_decode

    def _encode(value: object) -> str:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)

else:
    _rules: Any = _Rules()
    _decode = make_scanner(_rules)
    _pieces = make_encoder(None, _no_default, encode_basestring_ascii, None, ":", ",", False, False, False)

    def _encode(value: object) -> str:
        return "".join(_pieces(value, 0))


def dumps(value: object) -> str:
    """The value in one line of ASCII. Raises ValueError for NaN and infinities, TypeError for what isn't JSON's."""
    return _encode(value)


def loads(text: str | bytes) -> Any:
    """The value of this text, UTF-8 if it is bytes. Raises ValueError, or RecursionError when it nests too deeply."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    text = text.strip(_BLANKS)
    try:
        value, end = _decode(text, 0)
    except StopIteration as error:
        raise ValueError(f"no JSON value at character {error.value}") from None
    if end != len(text):
        raise ValueError(f"more text after the JSON value, at character {end}")
    return value
