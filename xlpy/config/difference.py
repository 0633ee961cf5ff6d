"""In which fields two records differ."""

from __future__ import annotations

from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def differences(one: object, other: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """(path, value in one, value in the other) of every field that differs, such as ``b_info.hvm.boot``.

    Tuples of records are compared item by item, ``disks[1].format``; where one is longer, its surplus items
    come with None on the other side.
    """
    if isinstance(one, Record) and type(one) is type(other):
        for name in one.fields_:
            below = f"{path}.{name}" if path else name
            yield from differences(getattr(one, name), getattr(other, name), below)
    elif isinstance(one, tuple) and isinstance(other, tuple) and _holds_records(one + other):
        for index in range(max(len(one), len(other))):
            left = one[index] if index < len(one) else None
            right = other[index] if index < len(other) else None
            yield from differences(left, right, f"{path}[{index}]")
    elif one != other:
        yield path, one, other


def _holds_records(items: tuple[object, ...]) -> bool:
    return any(isinstance(item, Record) for item in items)
