"""The language of --filter: what it selects, and what it says about mistakes."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from fake_engine import FakeEngine
from hypothesis import given
from hypothesis import strategies as st

from xlpy.cli.main import run
from xlpy.errors import UsageError
from xlpy.render.filter import parse_filter
from xlpy.render.kind import Column, Kind

KIND = Kind(
    "thing",
    tuple(
        Column(key, key, lambda row, key=key: getattr(row, key))  # type: ignore[misc]
        for key in ("name", "memory_kib", "online", "groups", "share")
    ),
)
ROWS = (
    SimpleNamespace(name="web1", memory_kib=1024, online=True, groups=["rack1", "prod"], share=0.5),
    SimpleNamespace(name="web2", memory_kib=4096, online=False, groups=[], share=1.0),
    SimpleNamespace(name='say "hi"', memory_kib=None, online=None, groups=["prod"], share=None),
)


def chosen(text: str) -> str:
    """The numbers of the rows that this filter lets through."""
    test = parse_filter(text, KIND)
    return "".join(str(number) for number, row in enumerate(ROWS) if test(row))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("name == web1", "0"),
        ('name = "web1"', "0"),
        ("name != web1", "12"),
        ("name == 'say \"hi\"'", "2"),
        (r'name == "say \"hi\""', "2"),
        ("memory_kib > 1024", "1"),
        ("memory_kib>=1024", "01"),
        ("memory-kib < 4096", "0"),
        ("memory_kib <= 4096.0", "01"),
        ("memory_kib == 4096", "1"),
        ("share == 0.5", "0"),
        ("share > 0.25", "01"),
        ("name > web1", "1"),
        ("name =~ ^web", "01"),
        (r'name =~ "web\d$"', "01"),
        ("name !~ web", "2"),
        ("name =* web*", "01"),
        ("name =* eb*", ""),
        ("name !* '*1'", "12"),
        ("online", "0"),
        ("online == true", "0"),
        ("online == no", "1"),
        ("not online", "12"),
        ("!online", "12"),
        ("memory_kib", "01"),
        ("groups", "02"),
        ("prod in groups", "02"),
        ('"rack1" in groups', "0"),
        ("name in (web1, 'say \"hi\"')", "02"),
        ("name not in (web1, web2)", "2"),
        ("memory_kib in (1024)", "0"),
        ("name =~ web and memory_kib > 2000 or online", "01"),
        ("name =~ web and (memory_kib > 2000 or online)", "01"),
        ("online | memory_kib > 2000 & name == nobody", "0"),
        ("(online | memory_kib > 2000) & name != nobody", "01"),
        ("not (name == web1 or name == web2)", "2"),
        ("not name == web1 and online", ""),
    ],
)
def test_what_is_selected(text: str, numbers: str) -> None:
    assert chosen(text) == numbers


def test_a_column_that_is_text_may_hold_a_part() -> None:
    kind = Kind("thing", (Column("name", "Name", lambda row: row.name),))
    test = parse_filter('"eb1" in name', kind)
    assert [test(row) for row in ROWS] == [True, False, False]
    assert parse_filter("2 in groups", KIND)(SimpleNamespace(groups=[1, 2]))


@pytest.mark.parametrize(
    ("text", "problem", "at"),
    [
        ("", "a condition is missing here", 0),
        ("nmae == x", "there is no column 'nmae'", 0),
        ("name == ", "a value is missing here", 8),
        ("name == x y", "'y' is not expected here", 10),
        ("name == 'x", "this quote is never closed", 8),
        ("(online", "')' is missing here", 7),
        ("online)", "')' is not expected here", 6),
        ("name =~ '['", "is no regular expression", 8),
        ("name in web1", "there is no column 'web1'", 8),
        ("name in (web1 web2)", "')' is missing here", 14),
        ("memory_kib > big", "the column is a number, and this is text", 13),
        ("name > 3", "the column is text, and this is a number", 7),
        ("name , x", "',' is no comparison", 5),
        ("online and", "a condition is missing here", 10),
        ("'web1'", "'in' is missing here", 6),
        ("name not x", "'not' is no comparison", 5),
        ("(" * 60 + "online", "this is nested too deeply", 50),
    ],
)
def test_mistakes_are_shown_where_they_are(text: str, problem: str, at: int) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(text)
    assert problem in caught.value.message
    assert caught.value.detail == f"{text}\n{' ' * at}^"


@given(st.text(alphabet="name()=~!<>&|'\"\\ andorti,.*[0-9]", max_size=60))
def test_nothing_but_usage_errors(text: str) -> None:
    try:
        chosen(text)
    except UsageError:
        pass


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeEngine()
    fake.add(fake.domain_info(0).replace(domid=1, name="web", running=False, paused=True))
    words = ["list", "-o", "json", "--columns", "name", "--filter", "domid > 0"]
    assert run(words, open_host=lambda address: fake) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [{"name": "web"}]
    assert run(["list", "--filter", "domid >"], open_host=lambda address: fake) == 2
    assert "xlpy: filter: a value is missing here\n  domid >\n         ^\n" in capsys.readouterr().err
