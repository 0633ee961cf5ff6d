"""What a command is said to ask of each host is what it asks, and all of it: else hosts would be asked one after the other."""

from __future__ import annotations

from typing import Any

import pytest
from command_line import Call

from xlpy.cli.commands import require_command
from xlpy.cli.options import parse
from xlpy.cli.reach import _ONLY_QUESTION, only_question
from xlpy.client.host import Host


def question(*words: str) -> str:
    command = require_command(words[0])
    return only_question(command, parse(words[1:], command.options))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The operations that are asked for, with their arguments."""
    found: list[tuple[str, dict[str, Any]]] = []
    begin = Host._begin

    def noted(self: Host, signature: Any, bound: dict[str, Any]) -> Any:
        found.append((signature.name, signature.encode_arguments(bound)))
        return begin(self, signature, bound)

    monkeypatch.setattr(Host, "_begin", noted)
    return found


@pytest.mark.parametrize("name", sorted(_ONLY_QUESTION))
def test_it_is_the_only_one(name: str, call: Call, asked: list[tuple[str, dict[str, Any]]]) -> None:
    result = call(name)
    assert result.status == 0, result.err
    assert asked == [(question(name), {})]


@pytest.mark.parametrize(
    "words",
    [("list", "-l"), ("list", "-n"), ("list", "--all"), ("info", "-n"), ("dmesg",), ("create", "x.cfg")],
    ids=" ".join,
)
def test_what_needs_more_is_asked_in_the_usual_way(words: tuple[str, ...]) -> None:
    assert question(*words) == ""
