"""Every command says how it treats several hosts: a new one must not fall into a place by accident."""

from __future__ import annotations

import pytest

from xlpy.cli.command import Command
from xlpy.cli.commands import all_commands, find_command
from xlpy.cli.options import Arguments, parse
from xlpy.cli.reach import BULK, EACH, ITSELF, NOWHERE, ONE, reach_of

COMMANDS = [command for command in all_commands() if command.handler is not None]

# These make or change things of one host that no domain's name leads to.
OF_ONE_HOST = {
    *(
        "create",
        "restore",
        "define",
        "config diff",
        "debug-keys",
        "set-parameters",
        "setenforce",
        "loadpolicy",
    ),
    *("cpupool-create", "cpupool-destroy", "cpupool-rename", "cpupool-cpu-add", "cpupool-cpu-remove"),
    *(
        "xenstore-quota-get",
        "xenstore-quota-set",
        "cpupool-numa-split",
        "pci-assignable-add",
        "pci-assignable-remove",
        "dt-overlay",
        "migrate-receive",
        "devd",
    ),
}

# These change something with arguments only, and psr-hwinfo never, whatever xl's table says.
SHOWING_TOO = (
    *("autostart", "psr-hwinfo", "psr-cmt-show", "psr-cat-show", "psr-mba-show"),
    *("sched-credit", "sched-credit2", "sched-rtds"),
)


def arguments(command: Command, *words: str) -> Arguments:
    return parse(words, command.options)


def plain_reach(name: str, *words: str) -> tuple[str, str]:
    command = find_command(name)
    assert command is not None
    reach = reach_of(command, arguments(command, *words))
    return reach.hosts, reach.domains


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_what_changes_something_is_never_done_everywhere_unasked(command: Command) -> None:
    reach = reach_of(command, arguments(command))
    if command.modifies and command.name not in SHOWING_TOO:
        assert reach.hosts in (ONE, BULK, *((NOWHERE,) if command.own else ()))
    elif not command.own:
        assert reach.hosts != BULK


def test_commands_of_one_host_without_a_domain_are_known() -> None:
    found = set()
    for command in COMMANDS:
        reach = reach_of(command, arguments(command))
        if reach.hosts == ONE and not reach.domains:
            found.add(command.name)
    assert found - OF_ONE_HOST == set(), "give them a row in xlpy.cli.reach, or name them here"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("list", (EACH, "rest")),
        ("info", (EACH, "")),
        ("top", (ITSELF, "")),
        ("destroy web", (BULK, "rest")),
        ("mem-set web 512", (ONE, "first")),
        ("console web", (ONE, "first")),
        ("events", (EACH, "")),
        ("events -F", (ITSELF, "")),
        ("sched-credit2", (EACH, "domain")),
        ("sched-credit2 -d web", (EACH, "domain")),
        ("sched-credit2 -d web -w 3", (ONE, "domain")),
        ("sched-credit2 -s -r 5000", (ONE, "domain")),
        ("autostart", (EACH, "")),
        ("autostart web", (ONE, "rest")),
        ("help", (NOWHERE, "")),
        ("psr-cmt-show cache-occupancy web", (EACH, "second")),
        ("config diff web.cfg web", (ONE, "second")),
        ("config diff web.cfg /dev/null", (ONE, "")),
    ],
)
def test_reach(words: str, expected: tuple[str, str]) -> None:
    command = "config diff" if words.startswith("config diff") else words.split()[0]
    assert plain_reach(command, *words.removeprefix(command).split()) == expected


def test_references_are_found_and_replaced() -> None:
    for name, words, found, replaced in (
        ("list", ("a", "b"), ["a", "b"], ["x"]),
        ("mem-set", ("a", "512"), ["a"], ["x", "512"]),
        ("config diff", ("a.cfg", "a"), ["a"], ["a.cfg", "x"]),
    ):
        command = find_command(name)
        assert command is not None
        args = arguments(command, *words)
        reach = reach_of(command, args)
        assert reach.references(args) == found
        assert reach.with_references(args, ["x"]).rest == replaced
        assert args.rest == list(words)
    command = find_command("sched-credit")
    assert command is not None
    args = arguments(command, "-d", "a")
    changed = reach_of(command, args).with_references(args, ["x"])
    assert (args.value("domain"), changed.value("domain")) == ("a", "x")
