"""The option parser against Python's own gnu_getopt, and what getopt_long leaves in optopt."""

from __future__ import annotations

import getopt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.cli.options import (
    Arguments,
    Option,
    OptionError,
    flag,
    optional_value,
    parse,
    parse_leading,
    value,
)

OPTIONS = (
    flag("-a --all"),
    flag("-w --wait"),
    value("-f --defconfig", "FILE"),
    value("-d --domain", "DOMAIN"),
    flag("-q"),
    flag("-A --autopass --vncviewer-autopass"),
    value("--timeout", "S"),
)


def given_options(args: Arguments) -> dict[str, list[str]]:
    return {option.name: args.values(option.name) for option in OPTIONS if args.flag(option.name)}


SHORT = ["-", "--", "-a", "-aw", "-fx", "-f", "-wf", "-d", "-q", "-z", "-afx", "dom", "k=v"]
LONG = [
    "--all",
    "--al",
    "--defconfig",
    "--def=x",
    "--timeout=3",
    "--wait",
    "--auto",
    "--nosuch",
    "--d",
    "--all=1",
]
WORDS = st.one_of(
    st.sampled_from(SHORT),
    st.sampled_from(LONG),
    st.text(alphabet="-afdq=x", max_size=5),
)


@given(st.lists(WORDS, max_size=6))
def test_reads_what_gnu_getopt_reads(words: list[str]) -> None:
    longs = ["all", "wait", "defconfig=", "domain=", "autopass", "vncviewer-autopass", "timeout=", "help"]
    try:
        found, rest = getopt.gnu_getopt(words, "awf:d:qAh", longs)
    except getopt.GetoptError:
        with pytest.raises(OptionError):
            parse_all(words)
        return
    expected: dict[str, list[str]] = {}
    for name, text in found:
        if name in ("-h", "--help"):
            assert parse(words, OPTIONS).help_wanted
            return
        option = next(o for o in OPTIONS if name.lstrip("-") in (*o.letters, *o.longs))
        expected.setdefault(option.name, []).append(text)
    args = parse(words, OPTIONS)
    assert (given_options(args), args.rest) == (expected, rest)


def parse_all(words: list[str]) -> Arguments:
    args = parse(words, OPTIONS)
    if args.help_wanted:  # parsing stopped there, as xl's does; getopt went on and found the error
        raise OptionError("after help", "h")
    return args


@pytest.mark.parametrize(
    ("word", "optopt"),
    [("-z", "z"), ("-az", "z"), ("-f", "f"), ("--nosuch", "\0"), ("--defconfig", "f"), ("--all=1", "a")],
)
def test_optopt_is_what_xl_prints(word: str, optopt: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse([word], OPTIONS)
    assert caught.value.optopt == optopt


def test_an_ambiguous_beginning_names_the_candidates() -> None:
    with pytest.raises(OptionError, match="--d is ambiguous") as caught:
        parse(["--d", "x"], OPTIONS)
    assert caught.value.hint == "could be --defconfig, --domain"


def test_two_names_of_one_option_are_not_ambiguous() -> None:
    alike = (flag("-p --passing --password-free"),)
    assert parse(["--pass"], alike).flag("passing")


def test_options_of_lower_rank_give_way() -> None:
    more: tuple[Option, ...] = (flag("-w --watch"), flag("-o --alloy"))
    args = parse(["-w", "--al", "-o"], OPTIONS, more)
    assert args.flag("wait")
    assert args.flag("all")
    assert args.flag("alloy")
    assert not args.flag("watch")


def test_leading_options_end_at_the_first_word() -> None:
    args = parse_leading(["-a", "list", "-q"], OPTIONS)
    assert args.flag("all")
    assert not args.flag("q")
    assert args.rest == ["list", "-q"]


def test_posixly_correct_stops_at_the_first_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSIXLY_CORRECT", "1")
    assert parse(["dom", "-a"], OPTIONS).rest == ["dom", "-a"]


def test_a_count_and_a_last_value() -> None:
    args = parse(["-ww", "-f", "one", "-ftwo"], OPTIONS)
    assert args.count("wait") == 2
    assert args.value("defconfig") == "two"
    assert args.values("defconfig") == ["one", "two"]
    with pytest.raises(LookupError):
        args.flag("undeclared")


@pytest.mark.parametrize(
    ("words", "port", "rest"),
    [
        (["--port", "web"], "", ["web"]),
        (["--port=5910", "web"], "5910", ["web"]),
        (["--po", "web"], "", ["web"]),
        (["-p", "web"], "", ["web"]),
        (["-p5910", "web"], "5910", ["web"]),
        (["-qp", "web"], "", ["web"]),
        (["web"], None, ["web"]),
    ],
)
def test_a_value_that_may_be_left_out(words: list[str], port: str | None, rest: list[str]) -> None:
    option = optional_value("-p --port", "PORT")
    found = parse(words, (option, flag("-q")))
    assert (found.value("port"), found.rest) == (port, rest)
    assert option.spelled() == "-p[PORT], --port[=PORT]"
