#!/usr/bin/env python3
"""Run a libvirtd of our own beside the machine's: own sockets, state and settings in a mount namespace.

    libvirtd_in_box.py DIR HOSTNAME

Nothing under /etc, /run or /var of the machine is changed: folders of DIR lie over them inside the namespace.
It reaps its orphans at once, because libvirt's destroy polls a pid until that is gone and not every pid 1 is quick.
On SIGTERM libvirtd ends, and then whatever it left running in here. Needs root.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS = 0x00020000, 0x04000000
PR_SET_CHILD_SUBREAPER = 36

QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
dynamic_ownership = 0
remember_owner = 0
"""
LIBVIRTD_CONF = """\
listen_tls = 0
listen_tcp = 0
unix_sock_group = "root"
unix_sock_rw_perms = "0700"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "{uuid}"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
unix_sock_dir = "/run/libvirt"
"""


def main() -> int:
    box, hostname = Path(sys.argv[1]), sys.argv[2]
    enter(hostname)
    for inside, outside in (
        ("run", "/run/libvirt"),
        ("lib", "/var/lib/libvirt"),
        ("cache", "/var/cache/libvirt"),
        ("log", "/var/log/libvirt"),
        ("etc", "/etc/libvirt"),
    ):
        lay_over(box / inside, Path(outside))
    Path("/etc/libvirt/qemu.conf").write_text(QEMU_CONF)
    Path("/etc/libvirt/box.conf").write_text(LIBVIRTD_CONF.format(uuid=uuid.uuid4()))
    Path("/var/lib/libvirt/qemu").mkdir(exist_ok=True)
    return supervise(["libvirtd", "-f", "/etc/libvirt/box.conf", "-p", "/run/libvirt/libvirtd.pid"])


def enter(hostname: str) -> None:
    """Go into new mount and host name namespaces, and become the parent of orphans."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWUTS):
        raise OSError(ctypes.get_errno(), "unshare (are you root?)")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    name = hostname.encode()
    libc.sethostname(name, len(name))


def lay_over(folder: Path, place: Path) -> None:
    """Bind a folder of ours over a place of the machine, which has to exist for that."""
    folder.mkdir(parents=True, exist_ok=True)
    if place == Path("/etc/libvirt") and place.exists():
        shutil.copytree(place, folder, dirs_exist_ok=True)
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", str(folder), str(place)], check=True)


def supervise(command: list[str]) -> int:
    """Run the daemon and reap until it ends; then end what is left of our children."""
    daemon = os.fork()
    if daemon == 0:
        os.execvp(command[0], command)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(daemon, signal.SIGTERM))
    status = 0
    while True:
        pid, ended = os.wait()
        if pid == daemon:
            status = os.waitstatus_to_exitcode(ended)
            break
    for child in Path("/proc/self/task", str(os.getpid()), "children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
        os.waitpid(int(child), 0)
    return status & 255


if __name__ == "__main__":
    sys.exit(main())
