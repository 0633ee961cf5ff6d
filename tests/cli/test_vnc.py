"""vncviewer: the viewer through a tunnel, the port alone; a real QEMU's display at the end."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rfb_client
from command_line import Result
from domain_configs import HVM, domain_config
from fake_daemon import FakeDaemon
from fake_engine import FakeEngine
from in_process import InProcessHost
from recorded import GPV, populate
from source_tree import ROOT

from xlpy.cli.main import run
from xlpy.model.domain_config import HvmInfo, VncInfo

# what it is called with, what it is told on standard input, and what the server greets it with
VIEWER = f"""#!{sys.executable}
import socket, sys
host, _, port = sys.argv[1].partition("::")
with socket.create_connection((host, int(port)), 20) as server:
    print(sys.argv[2:], server.recv(12), sys.stdin.read() if "-autopass" in sys.argv else "", flush=True)
sys.exit(7)
"""

CallFarHost = Callable[..., Result]


@pytest.fixture
def far(
    fake: FakeEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CallFarHost]:
    """``far("vncviewer", "gpv")`` runs a command on a host that is not this machine."""
    populate(fake, GPV)
    viewer = tmp_path / "viewer"
    viewer.write_text(VIEWER)
    viewer.chmod(stat.S_IRWXU)
    monkeypatch.setenv("VNCVIEWER", str(viewer))
    agent = InProcessHost(fake, tmp_path / "far", "xen1")

    def call(*words: str) -> Result:
        status = run(words, open_host=lambda address: agent.connect())
        captured = capfd.readouterr()
        return Result(status, captured.out, captured.err)

    yield call
    agent.close()


def test_a_viewer_far_away_sees_through_a_tunnel(far: CallFarHost) -> None:
    result = far("vncviewer", "gpv")
    assert (result.out, result.err, result.status) == ("[] b'RFB 003.008\\n' \n", "", 7)


def test_the_password_goes_to_its_standard_input(
    far: CallFarHost, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = fake.vnc_address(GPV.domid).replace(password="secret")
    monkeypatch.setattr(fake, "vnc_address", lambda domid: address)
    assert far("vncviewer", "-a", "gpv").out == "['-autopass'] b'RFB 003.008\\n' secret\n"


def test_a_viewer_that_is_not_installed(
    far: CallFarHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VNCVIEWER", str(tmp_path / "nosuch"))
    result = far("vncviewer", "gpv")
    assert result.status == 1
    assert "there is no VNC viewer" in result.err
    assert "--port" in result.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--port=x",), "is no port"),
        (("--port=65536",), "is no port"),
        (("--port", "--autopass"), "leave out --autopass"),
    ],
)
def test_senseless_options(far: CallFarHost, words: tuple[str, ...], complaint: str) -> None:
    result = far("vncviewer", *words, "gpv")
    assert result.status == 2
    assert complaint in result.err


@pytest.mark.qemu
@pytest.mark.parametrize("form", ["plain", "csv"])
def test_the_port_of_a_real_display(form: str, tmp_path: Path) -> None:
    daemon = FakeDaemon(tmp_path, ("-m", "xlpy.agent.xlpyd"))
    daemon.start()
    host = daemon.connect()
    hvm = HvmInfo(vnc=VncInfo(passwd="secret"))
    domid = host.create_domain(domain_config(HVM, hvm=hvm, target_memkb=32 << 10), paused=True)
    command = subprocess.Popen(
        [sys.executable, "-m", "xlpy", "-H", daemon.address, "vncviewer", "--port", "web", "-o", form],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert command.stdout is not None
        if form == "csv":
            assert command.stdout.readline() == "address,port\n"
        host_name, _, port = command.stdout.readline().partition("," if form == "csv" else ":")
        assert host_name == "127.0.0.1"
        with socket.create_connection((host_name, int(port)), 20) as viewer:
            assert rfb_client.look(viewer, "secret")[0] == (640, 480)
            os.kill(command.pid, signal.SIGINT)
            assert command.wait(20) == 0
            assert viewer.recv(1) == b""
        assert command.communicate() == ("", "")
    finally:
        command.kill()
        command.communicate()
        host.destroy_domain(domid)
        host.close()
        daemon.stop()
