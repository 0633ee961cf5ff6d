"""A host with the oldest Python that xlpy takes, Debian 11's 3.9, and nothing installed beside it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from subprocess_link import SubprocessLink

from xlpy.client.host import Host
from xlpy.transport.boot_line import introduce, remote_command
from xlpy.transport.near_relay import NearRelay
from xlpy.transport.unix import UnixChannel

# Run in a mount namespace of its own: $1 is the machine's root, $2 the command.
ENTER = 'mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && mount --bind /sys "$1/sys" && exec chroot "$1" /bin/sh -c "$2"'


@pytest.fixture(scope="module")
def bullseye(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of such a machine."""
    if os.getuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    root = tmp_path_factory.mktemp("bullseye") / "root"
    built = subprocess.run(
        ["mmdebstrap", "--variant=extract", "--include=python3,dash,coreutils", "bullseye", root],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if built.returncode:
        pytest.skip(f"Debian 11 cannot be had: {built.stderr.strip().splitlines()[-1:]}")
    for place in ("proc", "dev", "sys"):
        (root / place).mkdir(exist_ok=True)
    if not (root / "bin/sh").exists():
        (root / "bin/sh").symlink_to("dash")
    yield root
    shutil.rmtree(root)


def test_bare_host(bullseye: Path) -> None:
    command = remote_command()
    link = SubprocessLink(
        f"unshare --mount --pid --fork --kill-child sh -c '{ENTER}' enter {bullseye} \"$COMMAND\"",
        {"PATH": os.environ["PATH"], "COMMAND": command},
    )
    relay = NearRelay(link)
    try:
        introduction = introduce(link)
        assert introduction.python.startswith("3.9.")
        assert introduction.started
        assert introduction.socket == "/run/xlpy/xlpy.sock"
        relay.start()
        host = Host(lambda: open_channel(relay))
        assert [info.domid for info in host.list_domains()] == [0]
        assert host.host_info().host
        assert host.list_domains()
        host.close()
    finally:
        relay.close()
        link.dispose()
    assert not list(bullseye.rglob("__pycache__/find.*.pyc"))
    left = {str(path.relative_to(bullseye)) for path in (bullseye / "run/xlpy").iterdir()}
    assert "run/xlpy/xlpyd.code" in left
    assert not (bullseye / "var/lib/xlpy").exists()


def open_channel(relay: NearRelay) -> UnixChannel:
    client, carried = socket.socketpair()
    relay.attach(carried)
    return UnixChannel(client, "bullseye")
