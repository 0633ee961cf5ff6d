"""Tables on real terminals of several widths, over several hosts; colours where they belong and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from host_farm import FarmHost, add_domain
from rich.cells import cell_len
from source_tree import ROOT

COMMANDS = (
    "list",
    "list -v",
    "vcpu-list",
    "events",
    "info",
    "host check",
    "sched-credit2",
    "top -b -i 1 -o table",
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of two hosts whose domains have long names, one of them crashed."""
    place = tmp_path_factory.mktemp("hosts")
    names = [f"a-web-server-with-a-long-name-{number}" for number in range(3)]
    farm = [FarmHost(place / name, f"{name}.example.org", tuple(names)) for name in ("berlin-rack-1", "b")]
    add_domain(farm[1].engine, "日本語の名前をもつドメイン")
    lines = [
        f"  {name}: {{address: '{host.address}'}}"
        for name, host in zip(("berlin-rack-1", "b"), farm, strict=True)
    ]
    (place / "hosts.yaml").write_text("\n".join(["hosts:", *lines, ""]))
    yield place / "hosts.yaml"
    for host in farm:
        host.close()


def on_terminal(inventory: Path, words: str, width: int, **environment: str) -> list[str]:
    """The lines that a command prints on a terminal of this width."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, width))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "xlpy", "-H", "all", *words.split()],
        cwd=ROOT,
        env={
            **kept,
            "XLPY_INVENTORY": str(inventory),
            "XLPY_BROKER": "no",
            "TERM": "xterm-256color",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    try:
        while select.select([ours], [], [], 60)[0]:
            said += os.read(ours, 65536)
    except OSError:  # the last one who had the other end open is gone
        pass
    os.close(ours)
    assert process.wait(60) == 0, said.decode()
    return said.decode().replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("words", COMMANDS)
def test_no_line_is_wider_than_the_terminal(words: str, width: int, inventory: Path) -> None:
    lines = [COLOUR.sub("", line) for line in on_terminal(inventory, words, width)]
    assert "berlin-" in "".join(lines)
    assert max(map(cell_len, lines)) <= width, "\n".join(lines)


@pytest.mark.parametrize("width", [70, 80])
def test_a_list_stays_a_table(width: int, inventory: Path) -> None:
    lines = [COLOUR.sub("", line) for line in on_terminal(inventory, "list", width)]
    assert lines[0].split() == ["Host", "Name", "ID", "Mem", "VCPUs", "State", "Time(s)"]
    assert [line.split()[0] for line in lines[2:]] == ["berlin-rack-1"] * 4 + ["b"] * 5


def test_colours_carry_meaning_and_never_alone(inventory: Path) -> None:
    coloured = "\n".join(on_terminal(inventory, "list", 100))
    assert "\x1b[32mrunning" in coloured
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = "\n".join(on_terminal(inventory, "list", 100, **environment))
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", plain)
        assert "running" in plain
