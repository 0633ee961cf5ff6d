"""events --follow: each event as it comes, of one host and of several, on real connections."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest
from host_farm import FarmHost
from source_tree import ROOT

from xlpy.client.host import connect

PAUSES = ("--filter", "what =~ pause")  # and not how domains were found when xlpyd started


class Follower:
    """``xlpy`` with these words, whose lines the test reads as they come. To be closed (``with``)."""

    def __init__(self, inventory: Path, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "xlpy", *words],
            cwd=ROOT,
            env={**os.environ, "XLPY_INVENTORY": str(inventory), "XLPY_BROKER": "no", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        self._said = b""

    def line(self, timeout_s: float = 30) -> str:
        """The next line; fails when none comes."""
        assert self._process.stdout
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._said:
            left_s = max(0.0, deadline - time.monotonic())
            assert select.select([self._process.stdout], [], [], left_s)[0], (
                f"no line came after {self._said!r}"
            )
            piece = os.read(self._process.stdout.fileno(), 65536)
            assert piece, f"it has ended after {self._said!r}"
            self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def lines_to(self, words: str) -> list[str]:
        """All lines up to the first that has these words."""
        found = [self.line()]
        while words not in found[-1]:
            found.append(self.line())
        return found

    def __enter__(self) -> Follower:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[dict[str, FarmHost]]:
    farm = {name: FarmHost(tmp_path / name, name, ("web", "db")) for name in ("a", "b")}
    lines = [f"  {name}: {{address: '{host.address}'}}" for name, host in farm.items()]
    (tmp_path / "hosts.yaml").write_text("\n".join(["hosts:", *lines, ""]))
    yield farm
    for host in farm.values():
        host.close()


@pytest.fixture
def inventory(tmp_path: Path, hosts: dict[str, FarmHost]) -> Path:
    return tmp_path / "hosts.yaml"


def pause(host: FarmHost, name: str, back: bool = False) -> None:
    """Let something happen there."""
    client = connect(host.address)
    (client.unpause_domain if back else client.pause_domain)(host.names[name])
    client.close()


def test_of_several_hosts_in_one_stream(hosts: dict[str, FarmHost], inventory: Path) -> None:
    pause(hosts["b"], "web")
    with Follower(inventory, "-H", "all", "events", "--follow", *PAUSES) as follower:
        assert follower.line().split()[0::3][:2] == ["b", "0"]
        pause(hosts["a"], "db")
        assert follower.line().split()[:1] == ["a"]
        pause(hosts["b"], "web", back=True)
        assert "unpause-domain" in follower.line()


def test_json_is_a_document_a_line(hosts: dict[str, FarmHost], inventory: Path) -> None:
    with Follower(
        inventory, "-H", "all", "events", "-F", *PAUSES, "-o", "json", "--columns", "what,name"
    ) as follower:
        pause(hosts["a"], "web")
        found = json.loads(follower.line())
        assert found == {
            "schema": "xlpy/event/1",
            "rows": [{"host": "a", "what": "pause-domain", "name": "web"}],
        }
    with Follower(inventory, "-H", "a", "events", "-F", *PAUSES, "-o", "json") as follower:
        assert json.loads(follower.line())["rows"][0]["what"] == "pause-domain"
        pause(hosts["a"], "web", back=True)
        assert json.loads(follower.line())["rows"][0]["what"] == "unpause-domain"


def test_csv_has_its_header_once_and_yaml_a_document_for_each(
    hosts: dict[str, FarmHost], inventory: Path
) -> None:
    pause(hosts["a"], "web")
    with Follower(
        inventory, "-H", "a", "events", "-F", *PAUSES, "-o", "csv", "--columns", "what"
    ) as follower:
        assert [follower.line(), follower.line()] == ["what", "pause-domain"]
        pause(hosts["a"], "web", back=True)
        assert follower.line() == "unpause-domain"
    with Follower(
        inventory, "-H", "a", "events", "-F", "-o", "yaml", "--columns", "what", "-n", "1"
    ) as follower:
        assert follower.lines_to("what")[:2] == ["---", "schema: xlpy/event/1"]
        pause(hosts["a"], "web")
        assert follower.line() == "---"


def test_filter_and_domain_hold_for_what_comes(hosts: dict[str, FarmHost], inventory: Path) -> None:
    words = ("-H", "all", "events", "-F", "web", "--filter", "what =~ unpause", "--columns", "host,name,what")
    with Follower(inventory, *words, "--no-headers") as follower:
        for name in ("db", "web"):
            pause(hosts["a"], name)
            pause(hosts["a"], name, back=True)
        assert follower.line().split() == ["a", "web", "unpause-domain"]


def test_the_last_ones_of_all_hosts(hosts: dict[str, FarmHost], inventory: Path) -> None:
    for host, name in (("a", "web"), ("b", "web"), ("a", "db")):
        pause(hosts[host], name)
    with Follower(inventory, "-H", "all", "events", "-F", *PAUSES, "-n", "2") as follower:
        assert [follower.line().split()[0] for _ in range(2)] == ["b", "a"]


def test_a_lost_host_is_named_and_the_other_goes_on(hosts: dict[str, FarmHost], inventory: Path) -> None:
    with Follower(inventory, "-H", "all", "events", "-F", *PAUSES) as follower:
        pause(hosts["b"], "web")
        assert follower.line().split()[0] == "b"
        hosts.pop("a").close()
        assert follower.line().startswith("xlpy: a: ")
        pause(hosts["b"], "web", back=True)
        assert follower.line().split()[0] == "b"


def test_hosts_none_of_which_answers_are_an_end(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yaml"
    inventory.write_text(
        f"hosts: {{c: {{address: 'unix://{tmp_path}/c'}}, d: {{address: 'unix://{tmp_path}/d'}}}}\n"
    )
    with Follower(inventory, "-H", "all", "events", "-F") as follower:
        assert follower.line().startswith("xlpy: c: ")
        assert follower.line().startswith("xlpy: d: ")
