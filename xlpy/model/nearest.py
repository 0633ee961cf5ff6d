"""Which known word was meant by one that isn't known."""

from __future__ import annotations


def nearest(word: str, known: tuple[str, ...], most_changes: int = 2) -> str | None:
    """The known word that is fewest changes away, of several the one as long; None if none is near enough."""
    allowed = min(most_changes, max(1, len(word) // 3))
    best: tuple[int, int, str] | None = None
    for candidate in known:
        longer = abs(len(candidate) - len(word))
        if longer <= allowed:
            changes = _changes(word, candidate, allowed + 1)
            if changes <= allowed and (best is None or (changes, longer) < best[:2]):
                best = (changes, longer, candidate)
    return best[2] if best is not None else None


def _changes(one: str, other: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two words; at least ``limit`` means too many."""
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        current = [i]
        for j, b in enumerate(other, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) >= limit:
            return limit
        before, previous = previous, current
    return previous[-1]
