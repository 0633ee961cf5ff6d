"""Tables in terminals of any width: what is given up, and in which order."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.render.kind import Column, Kind
from xlpy.render.output import Wishes, show
from xlpy.render.table_fit import cut, fitted, folded

Cells = dict[str, str]
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=30)


def column(key: str, title: str, right: bool = False) -> Column:
    return Column(key, title, lambda row: row[key], right=right)


NAME, COUNT, STATE = (
    column("name", "Name"),
    column("count", "Count of them", right=True),
    column("state", "State"),
)


def shown(
    columns: tuple[Column, ...], rows: list[Cells], width: int, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    show(Kind("thing", columns), rows, Wishes("table"), out)
    return out.getvalue().splitlines()


LONG = "a-long-name-with-an-end-7"
STATE_TEXT = "it runs and runs, and will for ever"
ROW = {"name": LONG, "count": "12", "state": STATE_TEXT}


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (80, ["Name                        Count of them   State", f"{LONG}              12   {STATE_TEXT}"]),
        (
            70,
            [
                f"{'':28}Count",
                "Name                      of them  State",
                f"a-long-name-with…n-end-7       12  {STATE_TEXT}",
            ],
        ),
        (
            60,
            [
                f"{'':23}Count",
                "Name                 of them  State",
                "a-long-name-…-end-7       12  it runs and runs, and will for",
                f"{'':30}ever",
            ],
        ),
        (
            45,
            [
                f"{'':19}Count",
                "Name             of them State",
                "a-long-nam…end-7      12 it runs and runs,",
                f"{'':25}and will for ever",
            ],
        ),
        (
            34,
            [
                "Name           a-long-name-with-an",
                "               -end-7",
                "Count of them  12",
                "State          it runs and runs,",
                "               and will for ever",
            ],
        ),
    ],
)
def test_what_gives_way(width: int, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = shown((NAME, COUNT, STATE), [ROW], width, monkeypatch)
    assert max(map(len, found)) <= width
    assert [line.rstrip() for line in found if "──" not in line] == lines


def test_the_next_row_begins_below_text_that_went_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown((NAME, COUNT, STATE), [ROW, {**ROW, "state": "ends"}], 60, monkeypatch)
    assert [line[30:] for line in lines[3:]] == ["it runs and runs, and will for", "ever", "ends"]


def test_a_uuid_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    uuid = "cb36bd9c-4a7a-4531-a173-6e797b07118b"
    columns = (column("uuid", "UUID"), NAME)
    lines = shown(columns, [{"uuid": uuid, "name": "web" * 10}], 60, monkeypatch)
    assert lines[2].startswith(f"{uuid}  web")


@given(
    rows=st.lists(st.fixed_dictionaries({"name": TEXTS, "count": TEXTS, "state": TEXTS}), max_size=4),
    width=st.integers(10, 120),
)
def test_what_is_said_to_fit_does(rows: list[Cells], width: int) -> None:
    columns = (NAME, COUNT, STATE)
    cells = [[each.text(row) for each in columns] for row in rows]
    fit = fitted(columns, [each.title for each in columns], cells, width)
    if fit is not None:
        assert sum(fit.widths) + fit.gap * 2 <= width
        assert all(len(titles) == 3 for titles in fit.title_lines)


@given(text=TEXTS, width=st.integers(3, 40))
def test_pieces_are_no_wider_and_lose_nothing(text: str, width: int) -> None:
    from rich.cells import cell_len

    pieces = folded(text, width)
    assert all(cell_len(piece) <= width for piece in pieces)
    assert "".join(pieces) == text
    assert cell_len(cut(text, width)) == width


def test_lists_are_broken_behind_commas() -> None:
    assert folded("name,domid,uuid and type,memory_kib,", 11) == [
        "name,domid,",
        "uuid and",
        "type,",
        "memory_kib,",
    ]


def test_the_middle_of_a_name_goes() -> None:
    assert cut("alpha-web-server-number-1", 11) == "alpha-w…r-1"
    assert cut("日本語の名前1", 6) == "日本…1"
