"""An hvm domain on a real Xen: its screen, serial line, CD drive, device model, and the ends that others don't have."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import time
from pathlib import Path

import pytest
from eventually import eventually
from idle_kernel import idle_kernel
from serial_disk import GREETING, serial_disk
from xen_hosts import XenHost

pytestmark = pytest.mark.xen

# A device model takes dom0 seconds to start where the processor is a program, and minutes where that has to share one.
START_TIMEOUT_S = 300.0
CONFIG = """\
name = "win"
type = "hvm"
memory = 32
serial = "pty"
vnc = 1
disk = ["/srv/guest/serial.img,raw,hda,rw,backendtype=qdisk", "/srv/guest/one.iso,raw,hdc,cdrom"]
"""
IDLE = """\
name = "idle"
type = "pvh"
kernel = "/srv/guest/idle"
memory = 32
on_watchdog = "preserve"
on_crash = "rename-restart"
"""
# SHUTDOWN_* of xen/include/public/sched.h; a guest says it by a hypercall, for it libxenctrl can.
SHUT_DOWN = """\
import ctypes, glob, sys
control = ctypes.CDLL(glob.glob("/usr/lib/*/libxenctrl.so.4.*")[0])
control.xc_interface_open.restype = ctypes.c_void_p
control.xc_domain_shutdown.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int]
sys.exit(control.xc_domain_shutdown(control.xc_interface_open(None, None, 0), int(sys.argv[1]), int(sys.argv[2])))
"""
CRASH, WATCHDOG, SOFT_RESET = 3, 4, 5


def shut_down(host: XenHost, domain: str, reason: int) -> None:
    """Have the domain end for this reason."""
    domid = host.xlpy("domid", domain).stdout.strip()
    host.run("python3", "-c", SHUT_DOWN, domid, str(reason))


def state(host: XenHost, domain: str) -> tuple[int, str] | None:
    """Its domid, and its state as in the list; None where there is none."""
    for row in host.xlpy("list").stdout.splitlines()[1:]:
        name, domid, _, _, letters, _ = row.split()
        if name == domain:
            return int(domid), letters
    return None


def echoed(host: XenHost, typed: bytes) -> bytes:
    """What the serial line says up to the echo of what is typed there."""
    argv = host.xlpy_argv("console", "-t", "serial", "win")
    deadline = time.monotonic() + START_TIMEOUT_S
    said = b""
    with subprocess.Popen(argv, env=host.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as console:
        assert console.stdin
        assert console.stdout
        for wanted, then in ((GREETING, typed), (typed, b"")):
            while wanted not in said:
                ready = select.select([console.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]
                piece = os.read(console.stdout.fileno(), 4096) if ready else b""
                assert piece, f"the console says no {wanted!r}: {said!r}"
                said += piece
            os.write(console.stdin.fileno(), then)
        console.terminate()
    return said


@pytest.fixture(scope="class")
def hvm(xen_host: XenHost, tmp_path_factory: pytest.TempPathFactory) -> XenHost:
    """A host with a running hvm domain."""
    xen_host.put("/srv/guest/serial.img", serial_disk())
    xen_host.sh("for n in one two; do head -c 65536 /dev/zero >/srv/guest/$n.iso; done")
    config = tmp_path_factory.mktemp("hvm") / "win.cfg"
    config.write_text(CONFIG)
    xen_host.xlpy("create", str(config), timeout_s=START_TIMEOUT_S)
    return xen_host


class TestHvm:
    def test_the_serial_line(self, hvm: XenHost) -> None:
        assert echoed(hvm, b"hello").startswith(GREETING)

    def test_the_screen(self, hvm: XenHost) -> None:
        argv = hvm.xlpy_argv("vncviewer", "--port", "win")
        with subprocess.Popen(argv, env=hvm.environ, stdout=subprocess.PIPE, text=True) as relay:
            assert relay.stdout
            host, port = relay.stdout.readline().strip().rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=60) as viewer:
                assert viewer.recv(12).startswith(b"RFB 003.")
            relay.terminate()

    def test_the_cd(self, hvm: XenHost) -> None:
        hvm.xlpy("cd-insert", "win", "hdc", "/srv/guest/two.iso")
        assert "two.iso" in hvm.run("xl", "list", "-l", "win").stdout
        drives = {
            row["vdev"]: row for row in json.loads(hvm.xlpy("block-list", "win", "-o", "json").stdout)["rows"]
        }
        assert drives["hdc"]["cdrom"]
        hvm.xlpy("cd-eject", "win", "hdc")
        assert "two.iso" not in hvm.run("xl", "list", "-l", "win").stdout
        refused = hvm.xlpy("cd-insert", "win", "hdc", "/nothing", check=False)
        assert refused.returncode == 1
        assert "/nothing" in refused.stderr
        assert hvm.xlpy("cd-eject", "win", "hdd", check=False).returncode == 1

    def test_the_device_model(self, hvm: XenHost) -> None:
        assert "VM status: running" in hvm.xlpy("qemu-monitor-command", "win", "info status").stdout
        hvm.xlpy("pause", "win")
        assert state(hvm, "win") == (1, "--p---")
        hvm.xlpy("unpause", "win")
        hvm.xlpy("trigger", "win", "nmi")

    def test_soft_reset(self, hvm: XenHost) -> None:
        shut_down(hvm, "win", SOFT_RESET)
        eventually(lambda: "soft reset 1 (win) ok" in hvm.xlpy("events").stdout, START_TIMEOUT_S)
        assert (state(hvm, "win") or (0, ""))[0] == 1, "it is the same domain"
        assert b"again" in echoed(hvm, b"again")

    def test_nothing_is_left(self, hvm: XenHost) -> None:
        hvm.xlpy("destroy", "win", timeout_s=START_TIMEOUT_S)
        assert hvm.sh("pgrep -f -- '-[x]en-domid [1-9]' || true") == ""
        assert (
            hvm.sh("losetup -a; xenstore-ls /local/domain/0/backend 2>/dev/null | grep -w win || true") == ""
        )

    def test_options_for_a_stub_domain_get_to_libxl(self, hvm: XenHost, tmp_path: Path) -> None:
        config = tmp_path / "stub.cfg"
        config.write_text(CONFIG + "device_model_stubdomain_override = 1\n")
        refused = hvm.xlpy("create", str(config), check=False, timeout_s=START_TIMEOUT_S)
        assert refused.returncode == 3
        assert "stubdom" in refused.stderr, "Debian has none"

    def test_a_device_model_says_why_it_ended(self, hvm: XenHost, tmp_path: Path) -> None:
        config = tmp_path / "bad.cfg"
        config.write_text(CONFIG + 'device_model_args = ["-device", "nosuch"]\n')
        refused = hvm.xlpy("create", str(config), check=False, timeout_s=START_TIMEOUT_S)
        assert refused.returncode == 3
        assert "'nosuch' is not a valid device model name" in refused.stderr
        assert state(hvm, "win") is None


class TestEnds:
    def test_watchdog_and_crash(self, xen_host: XenHost, tmp_path: Path) -> None:
        xen_host.put("/srv/guest/idle", idle_kernel())
        config = tmp_path / "idle.cfg"
        config.write_text(IDLE)
        xen_host.xlpy("create", str(config))
        shut_down(xen_host, "idle", WATCHDOG)
        eventually(lambda: "watchdog: preserve" in xen_host.xlpy("events").stdout, START_TIMEOUT_S)
        assert "s" in (state(xen_host, "idle") or (0, ""))[1]
        xen_host.xlpy("destroy", "idle")
        xen_host.xlpy("create", str(config))
        crashed = xen_host.domid("idle")
        shut_down(xen_host, "idle", CRASH)
        eventually(lambda: xen_host.domid("idle") not in (None, crashed), START_TIMEOUT_S)
        (left,) = [name for name in xen_host.sh("xl list").split() if name.startswith("idle-")]
        assert xen_host.domid(left) == crashed
        xen_host.xlpy("destroy", left)
        xen_host.xlpy("destroy", "idle")
        assert xen_host.sh("xl list").count("\n") == 2
