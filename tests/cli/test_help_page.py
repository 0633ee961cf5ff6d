"""xlpy's own help: every page fits a terminal of 80 columns, and its examples can be typed."""

from __future__ import annotations

import json
import shlex

import pytest
from command_line import Call

from xlpy.cli.commands import all_commands, find_command
from xlpy.cli.examples import EXAMPLES
from xlpy.cli.global_options import GLOBALS
from xlpy.cli.help_page import COMMON, command_page, group_page, short_list, whole_list
from xlpy.cli.options import parse, parse_leading

COMMANDS = {row.name: row for row in all_commands()}
LINES = [(name, words) for name, examples in EXAMPLES.items() for words, _ in examples]


def too_wide(page: str) -> list[str]:
    return [line for line in page.splitlines() if len(line) > 80 or line != line.rstrip()]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_fits_the_terminal(name: str) -> None:
    row = COMMANDS[name]
    page = command_page(row)
    assert too_wide(page) == too_wide(command_page(row, every_option=True)) == []
    words = page.split()
    for option in row.options:
        spelled = option.spelled().split()
        shown = any(words[at : at + len(spelled)] == spelled for at in range(len(words)))
        assert shown is not option.hidden, f"{name}: {option.spelled()}"
    for word in (*row.usage.split(), *row.summary.rstrip(".").split()):
        assert word in page


def test_the_lists_fit_the_terminal() -> None:
    groups = {name.split()[0] for name in COMMANDS if " " in name}
    pages = [
        group_page(name, [row.split()[1] for row in COMMANDS if row.startswith(f"{name} ")])
        for name in groups
    ]
    assert [too_wide(page) for page in (short_list(), whole_list(), *pages)] == [[]] * (len(pages) + 2)


def test_help_is_short_and_long(call: Call) -> None:
    short, long = call("help").out, call("help", "--long").out
    assert "psr-cat-set" not in short
    assert "--columns" not in short
    assert all(f"\n  {name} " in long for name in COMMANDS)
    assert all(f"\n  {name} " in short for names in COMMON.values() for name in names)
    assert "\n  --columns=NAMES " in long
    assert call().out == call("--help").out == short


def test_help_of_a_command_is_short_and_long(call: Call) -> None:
    short, long = call("help", "save").out, call("help", "--long", "save").out
    assert call("save", "--help").out == short
    assert "--columns" in long
    assert "--columns" not in short
    assert "see xlpy help --long save." in short


def test_help_for_programs(call: Call) -> None:
    found = {row["name"]: row for row in json.loads(call("help", "-o", "json").out)["rows"]}
    assert found.keys() == COMMANDS.keys()
    assert found["list"]["own"] is found["list"]["modifies"] is False
    assert (found["save"]["modifies"], found["lab up"]["own"]) == (True, True)
    assert "-p" in found["save"]["options"]
    (row,) = json.loads(call("help", "sysrq", "-o", "json").out)["rows"]
    assert (row["usage"], row["summary"]) == ("<Domain> <letter>", "Send a sysrq to a domain")
    assert len(call("help", "config", "-o", "csv", "--no-headers").out.splitlines()) == 8
    assert call("help", "nonsense", "-o", "json").status == 2
    assert call("help", "-o", "xml").status == 2


def test_xl_has_no_long_help(xl: Call) -> None:
    result = xl("help", "--long")
    assert (result.out, result.status) == ('command "--long" not implemented\n', 0)


@pytest.mark.parametrize(("name", "line"), LINES, ids=[line for _, line in LINES])
def test_an_example_can_be_typed(name: str, line: str) -> None:
    if line.startswith("source <("):
        line = line.removeprefix("source <(").removesuffix(")")
    program, *words = shlex.split(line)
    assert program == "xlpy"
    leading = parse_leading(words, GLOBALS)
    second = " ".join(leading.rest[:2])
    row = find_command(second) or find_command(leading.rest[0])
    assert row is not None
    assert row.name == name
    args = parse(leading.rest[len(name.split()) :], row.options, GLOBALS)
    assert len(args.rest) >= row.needs


def test_usage_is_broken_between_what_belongs_together() -> None:
    page = command_page(COMMANDS["sched-credit"]).splitlines()
    assert page[0] == "Usage: xlpy sched-credit [-d <Domain> [-w[=WEIGHT]|-c[=CAP]]]"
    assert page[1].strip().startswith("[-s [-t TSLICE] [-r RATELIMIT]]")
