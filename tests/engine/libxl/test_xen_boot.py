"""How guests come up on a real Xen, and go down: the sample for a first try, unchanged, and a boot loader's choice."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from eventually import eventually
from xen_hosts import XenHost

pytestmark = pytest.mark.xen

ROOT = Path(__file__).parents[3]
BOOT_TIMEOUT_S = 300.0
# A disk with a file system and no partitions, whose menu has the guest's kernel as its second entry.
BOOT_DISK = """\
set -e
mkdir -p /root/disk/boot/grub
cp /srv/guest/vmlinuz /srv/guest/initrd.img /root/disk/boot
cat >/root/disk/boot/grub/grub.cfg <<'END'
set default="1"
menuentry 'not this' {
    linux /boot/nothing
}
menuentry 'this' {
    linux /boot/vmlinuz console=hvc0 quiet picked=yes
    initrd /boot/initrd.img
}
END
mke2fs -q -t ext2 -d /root/disk /srv/guest/boot.img 40M
rm -r /root/disk
"""
PYGRUB = """\
name = "grubbed"
type = "pv"
bootloader = "pygrub"
memory = 128
disk = ["/srv/guest/boot.img,raw,xvda,rw"]
"""


def console_of(host: XenHost, domain: str, text: str) -> str:
    """What the domain has said on its console, once that holds the text."""
    said = ""

    def has_said() -> bool:
        nonlocal said
        said = host.xlpy("console", "--dump", domain).stdout
        return text in said

    eventually(has_said, BOOT_TIMEOUT_S)
    return said


class TestDemo:
    def test_the_sample_for_a_first_try(self, xen_host: XenHost) -> None:
        """Its paths are looked up from the directory the command is run in; /srv on the hosts has the guest."""
        argv = [*xen_host.xlpy_argv("create", str(ROOT / "configs/demo.cfg"))]
        environ = {**xen_host.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            argv, cwd="/srv", env=environ, capture_output=True, text=True, timeout=BOOT_TIMEOUT_S, check=False
        )
        assert done.returncode == 0, done.stderr
        console_of(xen_host, "demo", "guest up")
        # its drivers connect them in their own time
        for command, line in (
            ("block-list", r"51712 +0 +1 +4 "),
            ("network-list", r"0 +0 +00:16:3e:\S+ +0 +4 "),
        ):
            eventually(
                lambda command=command, line=line: re.search(line, xen_host.xlpy(command, "demo").stdout),
                BOOT_TIMEOUT_S,
            )

    def test_suspended_to_ram(self, xen_host: XenHost) -> None:
        xen_host.xlpy("suspend", "demo")
        assert "--s" in xen_host.xlpy("list", "demo").stdout
        xen_host.xlpy("resume", "demo")
        assert "--s" not in xen_host.xlpy("list", "demo").stdout

    def test_devices_come_and_go_while_it_runs(self, xen_host: XenHost) -> None:
        xen_host.sh("truncate -s 1M /srv/guest/more.img")
        xen_host.xlpy("block-attach", "demo", "/srv/guest/more.img,raw,xvdb,rw")
        eventually(
            lambda: " 4 " in xen_host.xlpy("block-list", "demo").stdout.splitlines()[-1], BOOT_TIMEOUT_S
        )
        xen_host.xlpy("block-detach", "demo", "xvdb")
        assert len(xen_host.xlpy("block-list", "demo").stdout.splitlines()) == 2
        xen_host.xlpy("network-attach", "demo", "mac=00:16:3e:00:00:09")
        assert "00:16:3e:00:00:09" in xen_host.xlpy("network-list", "demo").stdout
        xen_host.xlpy("network-detach", "demo", "00:16:3e:00:00:09")
        assert "00:16:3e:00:00:09" not in xen_host.xlpy("network-list", "demo").stdout

    def test_rebooted_and_shut_down(self, xen_host: XenHost) -> None:
        before = xen_host.xlpy("domid", "demo").stdout
        xen_host.xlpy("reboot", "-w", "demo", timeout_s=BOOT_TIMEOUT_S)
        eventually(
            lambda: xen_host.xlpy("domid", "demo", check=False).stdout not in (before, ""), BOOT_TIMEOUT_S
        )
        console_of(xen_host, "demo", "guest up")
        xen_host.xlpy("shutdown", "-w", "demo", timeout_s=BOOT_TIMEOUT_S)
        # as xl's, the command waits for the shutdown, not until all is cleared away
        eventually(lambda: "demo" not in xen_host.xlpy("list").stdout, BOOT_TIMEOUT_S)
        eventually(lambda: xen_host.sh("losetup -a").strip() == "", BOOT_TIMEOUT_S)


class TestPygrub:
    def test_the_menu_decides_what_is_booted(self, xen_host: XenHost, tmp_path: Path) -> None:
        xen_host.sh(BOOT_DISK)
        config = tmp_path / "grubbed.cfg"
        config.write_text(PYGRUB)
        xen_host.xlpy("create", str(config), timeout_s=BOOT_TIMEOUT_S)
        console_of(xen_host, "grubbed", "guest up")
        typed = b"\ncat /proc/cmdline\n"
        argv = xen_host.xlpy_argv("console", "grubbed")
        with subprocess.Popen(
            argv, env=xen_host.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as console:
            assert console.stdin
            assert console.stdout
            console.stdin.write(typed)
            console.stdin.flush()
            assert any(b"picked=yes" in line for line in console.stdout)
            console.terminate()
        xen_host.xlpy("destroy", "grubbed")
        assert xen_host.sh("ls /run/xen/bootloader* /var/run/xenbootloader* 2>/dev/null || true") == ""

    def test_a_disk_without_a_menu(self, xen_host: XenHost, tmp_path: Path) -> None:
        xen_host.sh("truncate -s 1M /srv/guest/blank.img")
        config = tmp_path / "blank.cfg"
        config.write_text(PYGRUB.replace("boot.img", "blank.img"))
        refused = xen_host.xlpy("create", str(config), check=False, timeout_s=BOOT_TIMEOUT_S)
        assert refused.returncode == 3, "libxl's ERROR_FAIL, as from xl"
        assert "bootloader" in refused.stderr
        assert "grubbed" not in xen_host.xlpy("list").stdout
