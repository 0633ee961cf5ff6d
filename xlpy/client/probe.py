"""What can be told of a host only by going there: for ``xlpy host check`` and ``ping``."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.client.host import Host
    from xlpy.inventory.entry import HostEntry
    from xlpy.protocol.introduction import Introduction
    from xlpy.transport.ssh_settings import SshSettings


def log_in(entry: HostEntry) -> Introduction | None:
    """Log in to a host anew, start the agent there, and return what it says of itself; None for one that is reached
    without SSH.

    The connection is none of the broker's, so that it shows what a first one would. Raises as ``Host`` does.
    """
    if entry.is_local or entry.unix_path is not None:
        return None
    from xlpy.transport.boot_line import ANSWER_TIMEOUT_S, introduce, remote_command
    from xlpy.transport.ssh import open_link

    link = open_link(entry, remote_command(entry.python, entry.sudo))
    try:
        return introduce(
            link,
            socket=entry.socket,
            state_dir=entry.state_dir,
            python=entry.python,
            sudo=entry.sudo,
            timeout_s=entry.answer_timeout_s or ANSWER_TIMEOUT_S,
        )
    finally:
        link.close()


def route(entry: HostEntry) -> SshSettings | None:
    """How SSH would reach a host, ``~/.ssh/config`` included; None for one that is reached without it.

    Raises ConfigError.
    """
    if entry.is_local or entry.unix_path is not None:
        return None
    from xlpy.transport.ssh_settings import Client

    return Client.calling().settings(entry)


class HostLook:
    """What there is at a host. ``python``, ``uid`` and ``access`` (``installed``, ``started`` or ``running`` already) are
    known of one behind SSH only.
    """

    def __init__(self, host: Host, introduction: Introduction | None) -> None:
        self.connect_s = connect_s(host)
        self.version = host.hello.version
        self.engine = host.hello.engine
        self.notice = host.hello.notice
        self.python = None if introduction is None else introduction.python
        self.uid = None if introduction is None else introduction.uid
        self.access = "running"
        if introduction is not None and (introduction.installed or introduction.started):
            self.access = "installed" if introduction.installed else "started"
        self.info = host.host_info()
        self.domain_count = sum(domain.domid != 0 for domain in host.list_domains())


def look_around(host: Host, entry: HostEntry) -> HostLook:
    """Log in to a host and ask around. Raises what keeps that from working."""
    return HostLook(host, log_in(entry))


def connect_s(host: Host) -> float:
    """How long it takes until xlpyd at the host's end has greeted us."""
    host.close()
    begin = time.perf_counter()
    assert host.hello
    return time.perf_counter() - begin


def round_trip_s(host: Host) -> float:
    """How long a small question and its answer take."""
    begin = time.perf_counter()
    host.list_cpupools()
    return time.perf_counter() - begin
