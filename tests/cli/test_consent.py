"""The question before something that loses data: asked of a person, and of nobody else."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from changing_world import World, make_lab_host
from fake_daemon import FakeDaemon
from pty_command import PtyCommand
from sample_configs import tiny

from xlpy.cli import consent
from xlpy.cli.commands import all_commands
from xlpy.cli.losses import LOSSES

LOSING = {
    "destroy web": "web will be destroyed, and what has not been written to disks yet is lost",
    "destroy web sleepy": "web and sleepy will be destroyed",
    "trigger web reset": "web will be reset without being asked",
    "sysrq web b": "this reboots web at once",
    "sysrq web c": "this crashes web at once",
    "block-detach --force web xvda": "web is not asked, and what it has not written to xvda yet is lost",
    "save web {dir}/old.save": "{dir}/old.save will be overwritten",
    "dump-core web {dir}/old.save": "{dir}/old.save will be overwritten",
    "config export --force web {dir}/web.cfg": "{dir}/web.cfg will be overwritten",
    "undefine kept": "kept will be forgotten with 2 versions",
    "cpupool-destroy spare": "cpupool spare will be destroyed",
    "lab down": "lab1 will be ended, and what is on its disks is lost",
    "lab reset lab1": "lab1 will be put back",
    "host uninstall h1": "xlpyd will be removed from h1",
    "host restart --force h1": "what h1 is moving or saving will be broken off",
    "migrate --resume --force web": "if the target runs the domain after all, there will be two of it",
}
HARMLESS = [
    "trigger web nmi",
    "sysrq web h",
    "block-detach web xvda",
    "save -c web {dir}/web.save",
    "dump-core web {dir}/core",
    "config export web {dir}/out.cfg",
    "shutdown web",
    "rename web www",
]


class Person:
    """Somebody at the terminal, who answers and is asked ``questions``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
        self.questions: list[str] = []
        self._answer = answer
        self._ask = consent.ask
        monkeypatch.setattr(consent, "at_terminal", lambda: True)
        monkeypatch.setattr(consent, "ask", self._asked)
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{answer}\n" * 5))

    def _asked(self, question: str) -> bool:
        self.questions.append(question)
        return self._ask(question)


def test_every_command_that_loses_something_is_known() -> None:
    losing = {command.name for command in all_commands() if command.loses}
    assert losing == LOSSES.keys()
    asked = {name for name in losing if any(line.startswith(f"{name} ") for line in (*LOSING, "lab down "))}
    assert losing - asked == {"broker stop"}  # test_broker_commands has it


@pytest.mark.parametrize(("line", "question"), LOSING.items(), ids=LOSING)
def test_a_no_keeps_everything_as_it_is(
    line: str, question: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lab_host()
    person = Person(monkeypatch, "n")
    before = world.state()
    result = world.run(line)
    assert (result.status, result.out) == (1, "")
    (asked,) = person.questions
    assert asked.startswith(question.replace("{dir}", str(world.directory)))
    assert asked.endswith(" Go on?")
    assert result.err.endswith("[y/N] xlpy: nothing was done\n")
    assert world.state() == before


@pytest.mark.parametrize("line", ["destroy web", "undefine kept", "save web {dir}/old.save"])
def test_a_yes_does_it(line: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(monkeypatch, "y")
    before = world.state()
    assert world.run(line).status == 0
    assert len(person.questions) == 1
    assert world.state() != before


@pytest.mark.parametrize("line", ["destroy web", "undefine kept", "cpupool-destroy spare"])
def test_yes_on_the_command_line_is_an_answer(
    line: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(monkeypatch, "n")
    assert world.run(line, "--yes").status == 0
    assert person.questions == []


@pytest.mark.parametrize("line", ["destroy web", "save web {dir}/old.save", "cpupool-destroy spare"])
def test_xl_never_asks(line: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(monkeypatch, "n")
    assert world.call(*world.words(line), program="xl").status == 0
    assert person.questions == []


def test_a_script_is_never_asked(world: World) -> None:
    result = world.run("destroy web")
    assert (result.status, result.err) == (0, "")
    assert "web" not in [domain.name for domain in world.host.list_domains()]


@pytest.mark.parametrize("line", HARMLESS)
def test_what_loses_nothing_needs_no_consent(
    line: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(monkeypatch, "n")
    assert world.run(line).status == 0
    assert person.questions == []


def test_nobody_is_asked_about_what_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(monkeypatch, "y")
    for line in ("destroy nosuch", "undefine nosuch", "cpupool-destroy nosuch", "lab down nosuch"):
        assert world.run(line).status == 1
    assert person.questions == []


def test_at_a_real_terminal(tmp_path: Path) -> None:
    """Whose answer is typed, and what it does."""
    daemon = FakeDaemon(tmp_path / "run")
    daemon.start()
    try:
        host = daemon.connect()
        host.create_domain(tiny("web"))
        for answer, left in ((b"\n", True), (b"no\n", True), (b"y\n", False)):
            with PtyCommand("-H", daemon.address, "destroy", "web") as command:
                asked = command.expect(b"[y/N] ")
                assert b"web will be destroyed" in asked
                command.type(answer)
                assert command.wait() == int(left)
            assert any(domain.name == "web" for domain in host.list_domains()) is left
        host.close()
    finally:
        daemon.stop()
