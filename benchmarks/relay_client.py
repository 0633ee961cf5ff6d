#!/usr/bin/env python3
"""Let bytes flow from one host to another over the broker's connections, as a migration's state does.

    relay_client.py FROM TO SOCKET BYTES

A ``relay_peer`` listens at SOCKET on both hosts. It prints how much memory it had at most, in KiB.
"""

from __future__ import annotations

import os
import resource
import sys

from xlpy.client.broker import open_host
from xlpy.inventory.entry import HostEntry


def main() -> None:
    """Exit status 1 if any byte is missing."""
    source, target, path, count = sys.argv[1:]
    reader, writer = os.pipe()
    channels = []
    for host, fd, work in ((source, writer, "f"), (target, reader, "e")):
        channel = open_host(HostEntry(name=host, address=host, socket=path))
        channel.send(f"{work}{count}".encode(), (fd,))
        os.close(fd)
        channels.append(channel)
    said = b""
    while not said.endswith(b"\n"):
        piece = channels[1].receive()
        if not piece:
            raise SystemExit(f"the stream broke: {said!r}")
        said += piece
    if int(said) != int(count):
        raise SystemExit(f"{int(said)} of {count} bytes have come: {said!r}")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
