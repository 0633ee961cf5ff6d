"""TAB in the real shells, on a terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOUND_S = 20
READY = "READY" + "NOW"


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, words: list[str], environment: dict[str, str], directory: Path) -> None:
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(directory)
            os.execvpe(words[0], words, environment)

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def expect(self, text: str) -> None:
        """Wait until this has been printed since the last time."""
        deadline = time.monotonic() + BOUND_S
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.terminal, 4096).decode(errors="replace")
        self.seen = self.seen.partition(text)[2]

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Where ``xlpy`` is a program that completes, and otherwise only shows its arguments."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    program = binaries / "xlpy"
    program.write_text(
        f'#!/bin/sh\n[ "$1" != __complete ] || exec {sys.executable} -m xlpy "$@"\nprintf "<%s>" "$@"\necho\n'
    )
    program.chmod(0o755)
    (tmp_path / "my guest.cfg").write_text("")
    (tmp_path / "runtime").mkdir(mode=0o700)
    return {
        "PATH": f"{binaries}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "runtime"),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "PS1": "$ ",
    }


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    return found


@pytest.fixture
def bash(environment: dict[str, str], tmp_path: Path) -> Iterator[Shell]:
    shell = Shell([need("bash"), "--norc", "--noprofile", "-i"], environment, tmp_path)
    shell.type(f"bind 'set bell-style none'; source {ROOT}/completions/xlpy.bash; echo READY''NOW\n")
    shell.expect(READY)
    yield shell
    shell.close()


@pytest.fixture
def zsh(environment: dict[str, str], tmp_path: Path) -> Iterator[Shell]:
    shell = Shell([need("zsh"), "-f", "-i"], environment, tmp_path)
    shell.type("unsetopt zle_bracketed_paste beep; autoload -U compinit; compinit -D -u; ")
    shell.type(f"source {ROOT}/completions/_xlpy; echo READY''NOW\n")
    shell.expect(READY)
    yield shell
    shell.close()


CASES = [
    ("block-a", "block-attach", "web"),
    ("config che", "config", "check", "web"),
    ("list --outp", "list", "--output=web"),
    ("list --output=j", "list", "--output=json", "web"),
    ("create my", "create", "my guest.cfg", "web"),
    ("create x on_crash=coredump-d", "create", "x", "on_crash=coredump-destroy", "web"),
    ("block-attach web format=qe", "block-attach", "web", "format=qed", "web"),
    ("-H none console w", "-H", "none", "console", "wweb"),
]


@pytest.mark.parametrize("name", ["bash", "zsh"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_word_is_completed(name: str, case: tuple[str, ...], request: pytest.FixtureRequest) -> None:
    shell: Shell = request.getfixturevalue(name)
    typed, *words = case
    shell.type(f"xlpy {typed}\tweb\n")
    shell.expect("".join([f"<{word}>" for word in words]))


def test_bash_completes_in_quotes(bash: Shell) -> None:
    bash.type("xlpy create 'my\t\n")
    bash.expect("<create><my guest.cfg>")


def test_bash_lists_what_there_is(bash: Shell) -> None:
    bash.type("xlpy config \t\t")
    bash.expect("check")
    bash.expect("convert")


def test_zsh_tells_what_the_words_mean(zsh: Shell) -> None:
    zsh.type("xlpy trigger web s\t")
    zsh.expect("-- ACPI sleep button")


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("xlpy block-a", "block-attach\tCreate a new virtual block device\n"),
        ("xlpy list --outp", "--output=\ttable, plain, json, yaml or csv.\n"),
        ("xlpy list --output=j", "--output=json\n"),
        ("xlpy create my", "my guest.cfg\n"),
        ("xlpy create 'my", "my guest.cfg\n"),
        ("xlpy -H none console w", ""),
    ],
)
def test_fish(typed: str, printed: str, environment: dict[str, str], tmp_path: Path) -> None:
    script = f"source {ROOT}/completions/xlpy.fish; complete -C $typed"
    done = subprocess.run(
        [need("fish"), "--no-config", "-c", script],
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        cwd=tmp_path,
        env={**environment, "typed": typed},
    )
    assert (done.stdout, done.stderr) == (printed, "")
