#!/usr/bin/env python3
"""The peer that a cold start is measured against: connect to hosts with paramiko and nothing else, run one command on each.

bare_paramiko.py IDENTITY THREADS COMMAND USER@ADDRESS:PORT...
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import paramiko


def main() -> None:
    """Exit status 1 if any of them fails."""
    identity, threads, command, *places = sys.argv[1:]
    key = paramiko.Ed25519Key.from_private_key_file(identity)

    def visit(place: str) -> paramiko.SSHClient:
        user, _, where = place.partition("@")
        address, _, port = where.rpartition(":")
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(address, int(port), user, pkey=key, allow_agent=False, look_for_keys=False, timeout=60)
        _, output, _ = client.exec_command(command)
        output.read()
        if output.channel.recv_exit_status():
            raise SystemExit(f"{place}: {command} failed")
        return client

    with ThreadPoolExecutor(int(threads)) as pool:
        for client in list(pool.map(visit, places)):
            client.close()


if __name__ == "__main__":
    main()
