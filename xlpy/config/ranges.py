"""Resources of the host that a guest may use directly: ioports, irqs, iomem."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, scanf_hex, strtoul, uint32
from xlpy.config.draft import Draft
from xlpy.config.parser import Atom
from xlpy.model.domain_config import IomemRange, IoportRange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

_UINT32_MAX = (1 << 32) - 1


def ioports(draft: Draft) -> None:
    """Hexadecimal ``N`` or ``N-M``."""
    _read(draft, "ioports", _ioport_range)


def irqs(draft: Draft) -> None:
    """Decimal numbers."""
    _read(draft, "irqs", _irq)


def iomem(draft: Draft) -> None:
    """``START,COUNT[@GFN]``, all hexadecimal."""
    _read(draft, "iomem", _iomem_range)


def _read(draft: Draft, key: str, parse: Callable[[Draft, Atom], T]) -> None:
    sequence = draft.settings.sequence(key)
    if sequence is None:
        return
    found = []
    for item in sequence.items:
        if not isinstance(item, Atom):
            raise draft.settings.error(f"{key}: not a list of numbers and ranges", item)
        found.append(parse(draft, item))
    draft.sections["b"][key] = tuple(found)


def _ioport_range(draft: Draft, item: Atom) -> IoportRange:
    """What follows a single number is only warned about, and a range may run backwards: so it is in xl."""
    settings, text = draft.settings, item.text
    first, end = strtoul(text, 16)
    last = first
    if end and text[end : end + 1] == "-":
        rest = text[end + 1 :]
        last, rest_end = strtoul(rest, 16)
        end = len(text) if rest_end and rest_end == len(rest) else 0
    elif end and end != len(text):
        settings.warn("ioport-rest", f"ioports: '{text[end:]:.40}' behind the number has no effect", item)
    if not end:
        raise settings.error(
            f"ioports: invalid range '{text:.40}'", item, "write hexadecimal N or N-M, such as 2f8-2ff"
        )
    if first >= _UINT32_MAX or last >= _UINT32_MAX:
        raise settings.error(f"ioports: '{text:.40}' is too big", item)
    return IoportRange(first=first, number=uint32(last - first + 1))


def _irq(draft: Draft, item: Atom) -> int:
    value, end = strtoul(item.text, 10)
    if not end or end != len(item.text):
        raise draft.settings.error(f"irqs: '{item.text:.40}' is no number", item)
    if value >= _UINT32_MAX:
        raise draft.settings.error(f"irqs: '{item.text:.40}' is too big", item)
    return value


def _iomem_range(draft: Draft, item: Atom) -> IomemRange:
    text = item.text
    start, end = scanf_hex(text)
    count, gfn = 0, None
    good = end > 0 and text[end : end + 1] == ","
    if good:
        text = text[end + 1 :]
        count, end = scanf_hex(text)
        good = end > 0
    if good and text[end : end + 1] == "@":
        text = text[end + 1 :]
        gfn, end = scanf_hex(text)
        good = end > 0
    if not good or end != len(text):
        raise draft.settings.error(
            f"iomem: invalid range '{item.text:.40}'",
            item,
            "write hexadecimal START,COUNT[@GFN], such as a0000,20",
        )
    return IomemRange(
        start=start & ULONG_MAX, number=count & ULONG_MAX, gfn=None if gfn is None else gfn & ULONG_MAX
    )
