"""The libxl engine of a lab's host for the contract of engines: xlpyd is shipped there and spoken to over SSH."""

from __future__ import annotations

import socket

import pytest
from idle_kernel import idle_kernel
from xen_hosts import XenHosts, wanted_xen

from xlpy.client.host import Host, connect

IDLE = "/srv/guest/idle"
# What tests/sample_configs.py starts domains from.
GUESTS = {
    "XLPY_TEST_KERNEL": IDLE,
    "XLPY_TEST_LINUX": "/srv/guest/vmlinuz",
    "XLPY_TEST_RAMDISK": "/srv/guest/initrd.img",
}
_BOOT_TIMEOUT_S = 300.0
_DISK = "/srv/guest/disk.img"
_WAYS = ("XLPY_INVENTORY", "XLPY_BROKER", "XDG_STATE_HOME")


def wait_until_up(client: Host, domid: int) -> None:
    """Return when the demo guest says on its console that it is up."""
    ours, theirs = socket.socketpair()
    with ours:
        ours.settimeout(_BOOT_TIMEOUT_S)
        client.open_console(domid, theirs.detach())
        said = b""
        while b"guest up" not in said:
            piece = ours.recv(4096)
            assert piece, f"the guest does not come up: {said!r}"
            said += piece


class XenEngineHost:
    """What ``EngineHost`` is for other engines. There is one only: two agents on one Xen have the same domains."""

    def __init__(self, hosts: XenHosts) -> None:
        self._host = hosts.as_it_is("lab1", wanted_xen())
        self._host.put(IDLE, idle_kernel())
        self._client: Host | None = None

    def start(self, name: str = "a") -> Host:
        """A client of its xlpyd; one that runs already for this test is killed first, and its domains stay."""
        if name != "a":
            pytest.skip("one Xen is one host; test_xen_migration.py has two")
        if self._client is not None:
            self._client.close()
            self._host.sh("kill -9 $(cat /run/xlpy/xlpyd.lock)")
        with pytest.MonkeyPatch.context() as environ:
            for variable in _WAYS:
                environ.setenv(variable, self._host.environ[variable])
            self._client = connect(self._host.name)
            assert self._client.hello.engine == "libxl"
        return self._client

    def image(self) -> str:
        """A disk image there, of 1 MiB."""
        self._host.sh(f"truncate -s 1M {_DISK}")
        return _DISK

    def close(self) -> None:
        if self._client is not None:
            for info in self._client.list_domains():
                if info.domid:
                    self._client.destroy_domain(info.domid)
            self._client.close()
