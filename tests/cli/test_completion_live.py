"""What TAB offers after asking: domains, devices, hosts; what was known last when a host is slow; never a message."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_daemon import FakeDaemon
from sample_configs import tiny

from xlpy.cli.completion import memory
from xlpy.config.disk import read_disk_spec

ROOT = Path(__file__).parents[2]
BOUND_S = 60
HOSTS = """\
version: 1
hosts:
  xen1: {address: xen1.example.org, groups: [rack1]}
  xen2: {address: xen2.example.org, groups: [rack1, test]}
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "hosts.yaml").write_text(HOSTS)
    (tmp_path / "hosts.yaml").chmod(0o600)
    (tmp_path / "runtime").mkdir(mode=0o700)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "runtime"),
        "XLPY_INVENTORY": str(tmp_path / "hosts.yaml"),
        "XLPY_BROKER": "no",
    }


def offered(environment: dict[str, str], *words: str) -> list[str]:
    """The answer to the words behind xlpy, in fish's form; on standard error there must be nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "xlpy", "__complete", "fish", "xlpy", *words],
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        cwd=ROOT,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(tmp_path / "host")
    daemon.start()
    try:
        with_host = daemon.connect()
        disk = read_disk_spec("phy:/dev/vg/web,xvda,w")
        cdrom = read_disk_spec("/srv/cd.iso,raw,xvdc,r,cdrom")
        with_host.create_domain(tiny("web").replace(disks=(disk, cdrom)))
        with_host.create_domain(tiny("db"))
        with_host.close()
        yield daemon
    finally:
        daemon.stop()


def test_domains_and_their_devices(daemon: FakeDaemon, environment: dict[str, str]) -> None:
    host = ("-H", daemon.address)
    assert offered(environment, *host, "console", "") == ["web\tdomid 1", "db\tdomid 2"]
    assert offered(environment, *host, "console", "d") == ["db\tdomid 2"]
    assert offered(environment, *host, "list", "D") == ["Domain-0\tdomid 0"]
    assert offered(environment, *host, "block-list", "web", "") == ["Domain-0\tdomid 0", "db\tdomid 2"]
    assert offered(environment, *host, "block-detach", "web", "") == [
        "xvda\t/dev/vg/web",
        "xvdc\t/srv/cd.iso",
    ]
    assert offered(environment, *host, "cd-eject", "web", "") == ["xvdc\t/srv/cd.iso"]
    assert offered(environment, *host, "vcpu-pin", "web", "")[0] == "all\tall vcpus"
    assert offered(environment, *host, "cpupool-list", "")[0].startswith("Pool-0\t")
    assert offered(environment, *host, "sched-credit2", "-d", "w") == ["web\tdomid 1"]
    assert offered(environment, "console", f"--host={daemon.address}", "w") == ["web\tdomid 1"]


def test_the_host_of_the_environment(daemon: FakeDaemon, environment: dict[str, str]) -> None:
    assert offered({**environment, "XLPY_HOST": daemon.address}, "console", "w") == ["web\tdomid 1"]


def test_hosts_and_groups(environment: dict[str, str]) -> None:
    assert offered(environment, "-H", "") == [
        "xen1\txen1.example.org",
        "xen2\txen2.example.org",
        "@rack1\txen1, xen2",
        "@test\txen2",
        "all\tall of the inventory",
        "local\tthis machine",
    ]
    assert offered(environment, "-H", "xen1,@t") == ["xen1,@test\txen2"]
    assert offered(environment, "host", "show", "xen2") == ["xen2\txen2.example.org"]
    assert offered(environment, "migrate", "web", "xen1") == ["xen1\txen1.example.org"]
    assert offered(environment, "host", "add", "--group", "r") == ["rack1\txen1, xen2"]


def test_what_goes_wrong_is_not_said(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "hosts.yaml").write_text("hosts: [\n")
    assert offered(environment, "-H", "") == []
    assert offered(environment, "-H", "unix:///nowhere", "console", "") == []
    assert offered(environment, "-H", "@none", "console", "") == []


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """The address of a host that takes connections and never says a word."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen()
        yield f"unix://{tmp_path}/silent.sock"


def test_a_host_that_does_not_answer(
    silent: str, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offered(environment, "-H", silent, "console", "") == []
    monkeypatch.setenv("XDG_RUNTIME_DIR", environment["XDG_RUNTIME_DIR"])
    path = memory._path(("domain", "", silent))
    assert path is not None
    memory._keep(path, b"web\tdomid 7\n")
    os.utime(path, (0, os.stat(path).st_mtime - 60))
    assert offered(environment, "-H", silent, "console", "") == ["web\tdomid 7"]
    os.utime(path, (0, os.stat(path).st_mtime - 7200))
    assert offered(environment, "-H", silent, "console", "") == []


def test_an_answer_is_kept_for_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    rows = [("a\tb", "1"), ("\udcff", "2\n3")]
    kept = [("a b", "1"), ("\udcff", "2 3")]
    assert memory.recalled(("x", "y/z"), lambda: rows) == kept
    assert memory.recalled(("x", "y/z"), lambda: []) == kept
    assert memory.recalled(("x",), lambda: []) == []


def test_static_words_ask_nobody() -> None:
    probe = (
        "import sys\nfrom xlpy.cli.completion.answer import complete\n"
        "complete(sys.argv[1:], False)\nprint('MODULES', *sys.modules)"
    )
    for words in (("",), ("li",), ("list", "--"), ("create", "x", "mem"), ("trigger", "web", "")):
        done = subprocess.run(
            [sys.executable, "-c", probe, "fish", "xlpy", *words],
            capture_output=True,
            text=True,
            timeout=BOUND_S,
            check=True,
            cwd=ROOT,
        )
        loaded = set(done.stdout.rpartition("MODULES ")[2].split())
        assert not loaded & {
            "_socket",
            "socket",
            "select",
            "yaml",
            "click",
            "re",
            "typing",
            "importlib.metadata",
        }
        assert not any(name.startswith(("xlpy.client", "xlpy.transport", "xlpy.engine")) for name in loaded)
