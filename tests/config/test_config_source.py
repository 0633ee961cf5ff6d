"""Places: file:line:column and the line with a caret."""

from __future__ import annotations

import pytest

from xlpy.config.source import Source


@pytest.mark.parametrize(
    ("offset", "where"), [(0, "f:1:1"), (2, "f:1:3"), (3, "f:1:4"), (4, "f:2:1"), (5, "f:3:1"), (7, "f:3:3")]
)
def test_where(offset: int, where: str) -> None:
    assert Source("f", "abc\n\nxy").where(offset) == where


def test_overrides_are_lines_of_their_own() -> None:
    source = Source("f", "a=1", ("b=2;c=3", "d=4"))
    assert source.text == "a=1\nb=2;c=3\nd=4\n"
    assert source.where(source.text.index("a")) == "f:1:1"
    assert source.where(source.text.index("c")) == "command line:1:5"
    assert source.where(source.text.index("d")) == "command line:1:1"


def test_an_override_of_two_lines_counts_its_own() -> None:
    source = Source("f", "x\ny\n", ("b=2\nc=@",))
    assert source.where(source.text.index("@")) == "command line:2:3"


def test_the_caret_stands_under_the_place() -> None:
    assert Source("f", "one\n\tvcpus = @@ # c\nthree").excerpt(13, 2) == "\tvcpus = @@ # c\n\t        ^^"


def test_what_a_terminal_would_not_show_is_replaced() -> None:
    assert Source("f", "a=\x1b[31m\x00").excerpt(2) == "a=?[31m?\n  ^"


def test_of_a_long_line_only_the_neighbourhood_is_shown() -> None:
    line, caret = Source("f", "x" * 1_000_000 + "@" + "y" * 1_000_000).excerpt(1_000_000).split("\n")
    assert len(line) <= 210
    assert line[caret.index("^")] == "@"
