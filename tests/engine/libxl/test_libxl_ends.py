"""What has ended between two looks at all domains."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xlpy.engine.libxl.ends import Ends, _ends
from xlpy.model.domain import DomainEnd, ShutdownReason

STATES = st.dictionaries(
    st.integers(1, 5),
    st.tuples(st.sampled_from(["uuid-a", "uuid-b"]), st.sampled_from([None, *ShutdownReason])),
)


def test_one_that_stops_and_then_goes() -> None:
    runs, stopped = {3: ("u", None)}, {3: ("u", ShutdownReason.CRASH)}
    assert _ends(runs, stopped) == [DomainEnd(domid=3, reason=ShutdownReason.CRASH)]
    assert _ends(stopped, stopped) == []
    assert _ends(stopped, {}) == [DomainEnd(domid=3, reason=ShutdownReason.CRASH, destroyed=True)]


def test_one_that_is_killed() -> None:
    assert _ends({3: ("u", None)}, {}) == [DomainEnd(domid=3, reason=ShutdownReason.UNKNOWN, destroyed=True)]


def test_one_that_stands_still_for_a_save_has_not_ended() -> None:
    runs, suspended = {3: ("u", None)}, {3: ("u", ShutdownReason.SUSPEND)}
    assert _ends(runs, suspended) == _ends(suspended, runs) == []


def test_a_domid_that_is_used_again() -> None:
    ends = _ends({3: ("old", None)}, {3: ("new", ShutdownReason.POWEROFF)})
    assert ends == [
        DomainEnd(domid=3, reason=ShutdownReason.UNKNOWN, destroyed=True),
        DomainEnd(domid=3, reason=ShutdownReason.POWEROFF),
    ]


@given(STATES, STATES)
def test_each_end_is_told_once(before: dict, now: dict) -> None:  # type: ignore[type-arg]
    ends = _ends(before, now)
    gone = {domid for domid in before if domid not in now or now[domid][0] != before[domid][0]}
    assert {end.domid for end in ends if end.destroyed} == gone
    assert len(ends) == len({(end.domid, end.destroyed) for end in ends})
    assert _ends(now, now) == []


def test_one_that_was_just_made_is_known_without_a_look() -> None:
    looks: list[dict[int, tuple[str, ShutdownReason | None]]] = [{}]
    told: list[DomainEnd] = []
    ends = Ends(looks.pop)
    ends._on_end = told.append
    ends.learn(3, "u")
    assert looks, "nobody has looked"
    ends.look_again()
    assert told == [DomainEnd(domid=3, reason=ShutdownReason.UNKNOWN, destroyed=True)]
    ends.stop()


def test_the_end_of_one_whose_domid_is_taken_again_comes_before_the_new_one() -> None:
    told: list[DomainEnd] = []
    ends = Ends(lambda: {3: ("new", None)})
    ends._on_end = told.append
    ends.learn(3, "old")
    ends.learn(3, "new")
    assert told == [DomainEnd(domid=3, reason=ShutdownReason.UNKNOWN, destroyed=True)]
    ends.learn(3, "new")
    ends.look_again()
    assert len(told) == 1
    ends.stop()
