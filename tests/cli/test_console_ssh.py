"""Console and display of a domain behind a real sshd, whose connections are cut."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_configs import domain_config
from eventually import eventually
from fake_daemon import FakeDaemon
from pty_command import PtyCommand
from source_tree import ROOT
from ssh_hosts import SshLab

# Writes down what the display's server greets it with.
VIEWER = f"""#!{sys.executable}
import os, socket, sys
host, _, port = sys.argv[1].partition("::")
with socket.create_connection((host, int(port)), 20) as server:
    greeting = server.recv(12)
with open(os.environ["SEEN"] + ".new", "w") as seen:
    seen.write(repr(greeting))
os.rename(seen.name, os.environ["SEEN"])
"""


@pytest.fixture
def lab(ssh_lab: SshLab, tmp_path: Path) -> Iterator[SshLab]:
    """``host1`` has an xlpyd with the domain ``web``."""
    daemon = FakeDaemon(tmp_path / "xlpyd")
    daemon.start()
    host = daemon.connect()
    host.create_domain(domain_config(), supervised=False)
    host.close()
    ssh_lab.add()
    inventory = f"version: 1\nhosts:\n  host1: {{socket: {daemon.socket}}}\n"
    ssh_lab.inventory.write_text(inventory)
    yield ssh_lab
    stopping = "from xlpy.client.broker import stop_broker; stop_broker(force=True)"
    subprocess.run([sys.executable, "-c", stopping], cwd=ROOT, env=ssh_lab.environ, check=True)
    daemon.stop()


@pytest.mark.parametrize("broker", [True, False])
def test_a_console_goes_on_after_the_connection_was_cut(lab: SshLab, broker: bool) -> None:
    words = ["-H", "host1", *([] if broker else ["--no-broker"]), "console", "web"]
    with PtyCommand(*words, environment=lab.environ) as command:
        command.expect(b"guest up\r\n# ", 60)
        command.type(b"\x03once\r")
        command.expect(b"\x03once\r\n")
        for again in (b"twice", b"thrice"):
            lab.hosts[0].drop_connections()
            command.expect(b"[connection to host1 lost; reconnecting]")
            assert b"once" not in command.expect(b"[connected again]", 60)
            command.type(again + b"\r")
            assert command.expect(again + b"\r\n") == b"\r\n" + again + b"\r\n"
        command.type(b"\x1d")
        assert command.wait() == 0
        assert command.mode == command.mode_before


def test_a_display_through_ssh(lab: SshLab) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "xlpy", "-H", "host1", "vncviewer", "--port", "web"],
        cwd=ROOT,
        env=lab.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        address, _, port = command.stdout.readline().partition(":")
        with socket.create_connection((address, int(port)), 20) as viewer:
            assert viewer.recv(100) == b"RFB 003.008\n"
            viewer.sendall(b"key")
            assert viewer.recv(100) == b"key"
            command.send_signal(signal.SIGINT)
            assert viewer.recv(100) == b""
        assert command.wait(20) == 0


def test_create_and_restore_show_a_display_far_away(lab: SshLab, tmp_path: Path) -> None:
    viewer, seen = tmp_path / "viewer", tmp_path / "seen"
    viewer.write_text(VIEWER)
    viewer.chmod(stat.S_IRWXU)
    config = tmp_path / "new.cfg"
    config.write_text('name = "new"\nmemory = 32\nkernel = "k"\n')
    saved = tmp_path / "new.save"

    def xlpy(*words: str | Path) -> None:
        argv = [sys.executable, "-m", "xlpy", "-H", "host1", *map(str, words)]
        environment = {**lab.environ, "VNCVIEWER": str(viewer), "SEEN": str(seen)}
        subprocess.run(argv, cwd=ROOT, env=environment, check=True, timeout=60)

    for words in (("create", "-V", config), ("restore", "-V", saved)):
        xlpy(*words)
        eventually(seen.exists, 60)
        assert seen.read_text() == "b'RFB 003.008\\n'"
        seen.unlink()
        xlpy("save", "new", saved)
