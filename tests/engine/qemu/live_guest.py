"""A real guest under a real engine, talked to on its console."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from domain_configs import HVM, domain_config

from xlpy.engine.qemu.engine import QemuEngine
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import DomainConfig

PROJECT = Path(__file__).resolve().parents[3]
CURRENT_GUEST = PROJECT / ".cache/guest/current"
PROMPT = b"guest# "


def guest_directory() -> Path:
    """Kernel and initramfs of the test guest, built if they aren't there."""
    if not (CURRENT_GUEST / "vmlinuz").exists():
        subprocess.run([PROJECT / "script/build-guest", "--no-disk"], check=True)
    return CURRENT_GUEST


def guest_config(kind: DomainType, memory_mib: int = 128, **settings: object) -> DomainConfig:
    """A configuration that boots the test guest; ``settings`` as ``domain_config`` takes them."""
    files = guest_directory()
    if kind is HVM and (files / "generic").exists():
        files = files / "generic"
    more = {
        "kernel": str(files / "vmlinuz"),
        "ramdisk": str(files / "initrd.img"),
        "cmdline": "console=ttyS0 quiet" if kind is HVM else "console=hvc0 quiet",
        "target_memkb": memory_mib * 1024,
    }
    return domain_config(kind, **{**more, **settings})


class LiveGuest:
    """A domain whose guest has come up to its prompt."""

    def __init__(self, engine: QemuEngine, config: DomainConfig) -> None:
        self.engine = engine
        self.domid = engine.create_domain(config)
        self._said = b""
        self._commands = 0
        self._console = self._open(history=True)
        self.expect(PROMPT, 90)

    def _open(self, history: bool) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.engine.open_console(self.domid, theirs.detach(), history=history)
        return ours

    def follow(self, engine: QemuEngine, domid: int) -> None:
        """Talk to the same guest, which has become another domain."""
        self._console.close()
        self.engine, self.domid, self._said = engine, domid, b""
        self._console = self._open(history=False)

    def type(self, line: str) -> None:
        """Type a line and don't wait."""
        self._console.sendall(line.encode() + b"\n")

    def hang_up(self) -> None:
        """Leave the domain alone."""
        self._console.close()

    def expect(self, words: bytes, timeout_s: float = 30) -> bytes:
        """What the console says up to and with these words."""
        deadline = time.monotonic() + timeout_s
        while words not in self._said:
            self._console.settimeout(max(0.01, deadline - time.monotonic()))
            part = self._console.recv(65536)
            assert part, f"the console ended before it said {words!r}"
            self._said += part
        end = self._said.index(words) + len(words)
        before, self._said = self._said[:end], self._said[end:]
        return before

    def run(self, command: str) -> str:
        """What a shell command prints in the guest."""
        self._commands += 1
        mark = f"done-{self._commands}"
        # the mark is written in two parts, so that the echo of the command is not taken for its end
        self._console.sendall(f"echo be''gin; {command}; echo done''-{self._commands}\n".encode())
        self.expect(b"begin\r\n")
        text = self.expect(mark.encode()).decode(errors="replace").replace("\r\n", "\n")
        return re.sub(r"^\[ *\d+\.\d+\] .*\n", "", text, flags=re.M).removesuffix(mark)

    def run_until(self, command: str, condition: Callable[[str], object], timeout_s: float = 30) -> str:
        """What a command prints when it prints what is waited for."""
        deadline = time.monotonic() + timeout_s
        while not condition(text := self.run(command)):
            assert time.monotonic() < deadline, f"{command} still prints {text!r}"
        return text

    def close(self) -> None:
        """End the domain."""
        self._console.close()
        self.engine.destroy_domain(self.domid)
