"""A set of pcpus or nodes as xl prints it: ``all``, ``none``, or ranges such as ``0-3,5``."""

from __future__ import annotations


def format_cpumap(numbers: tuple[int, ...] | None, length: int) -> str:
    """The set in xl's words (print_bitmap of xl_utils.c).

    ``length`` is how many pcpus or nodes there are; numbers beyond it are not shown. None is all of them.
    """
    if numbers is None:
        return "all"
    shown = sorted({number for number in numbers if 0 <= number < length})
    if not shown:
        return "none"
    if len(shown) == length:
        return "all"
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in _runs(shown))


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """First and last of each unbroken run in a sorted, non-empty list."""
    runs = []
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            runs.append((first, last))
            first = number
        last = number
    runs.append((first, last))
    return runs
