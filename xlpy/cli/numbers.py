"""Numbers on the command line: xl reads junk as 0, which nobody can have meant."""

from __future__ import annotations

from xlpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments

LARGEST = (1 << 31) - 1
LONGEST_S = 1e9


def whole_number(text: str, what: str, least: int = 0, most: int = LARGEST, hint: str | None = None) -> int:
    """The number that a word is, from ``least`` to ``most``. Raises UsageError, which calls it ``what``."""
    digits = text[1:] if least < 0 and text.startswith("-") else text
    # nobody means more digits than these, and to read very many of them Python refuses
    if digits.isascii() and digits.isdigit() and len(digits) <= 20 and least <= int(text) <= most:
        return int(text)
    raise UsageError(f"{text!r} is no {what}", hint or _range(least, most))


def _range(least: int, most: int) -> str:
    if most < LARGEST:
        return f"a number from {least} to {most}"
    return f"a whole number, {least} at least" if least >= 0 else "a whole number"


def seconds(
    text: str, what: str, zero: bool = False, most: float = LONGEST_S, hint: str = "seconds, such as 2.5"
) -> float:
    """The time in seconds that a word is, above 0 or from 0 on, to ``most``. Raises UsageError, which calls it ``what``."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if (found >= 0 if zero else found > 0) and found <= most:
        return found
    raise UsageError(f"{text!r} is no {what}", hint)


def number_of(
    args: Arguments, option: str, what: str, least: int = 0, most: int = LARGEST, hint: str | None = None
) -> int | None:
    """The value of an option that takes a whole number; None if it isn't given. Raises UsageError."""
    text = args.value(option)
    return None if text is None else whole_number(text, what, least, most, hint)


def timeout_of(args: Arguments) -> float | None:
    """The value of ``--timeout``, of a command that has one itself; None if it isn't given. Raises UsageError."""
    text = args.value("timeout")
    return None if text is None else seconds(text, "timeout", hint="a number of seconds above 0")
