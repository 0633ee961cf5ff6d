"""The program behind ``xlpy devd``: a daemon for driver domains, which handles the events of devices served to others.

It detaches itself unless told otherwise, and returns when it is at work. Signals end it at once: there is nothing
that it would have to clear up.
"""

from __future__ import annotations

import os
import signal
import sys

from xlpy.agent.detach import detached
from xlpy.engine.choose import choose_device_events
from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOG_DIR = "/var/log/xen"
_LOG_NAME = "xldevd.log"
_OLD_LOGS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """``[--foreground] [--pidfile FILE]``. The exit status is 0 once it is at work in the background, else 1."""
    import argparse

    parser = argparse.ArgumentParser(prog="xlpy devd")
    parser.add_argument("--foreground", action="store_true")
    parser.add_argument("--pidfile")
    given = parser.parse_args(arguments)
    if given.foreground:
        return _serve(None, sys.stderr.fileno(), lambda: None)
    return detached("xlpy devd", lambda ready: _serve(given.pidfile, None, ready))


def _serve(pidfile: str | None, log: int | None, ready: Callable[[], None]) -> int:
    """Handle events until a signal comes; without ``log`` that goes where xl's does."""
    try:
        handler = choose_device_events()
        own_log = log is None
        if log is None:
            _set_aside(f"{LOG_DIR}/{_LOG_NAME}")
            log = _open(f"{LOG_DIR}/{_LOG_NAME}", os.O_APPEND, 0o644)
        events = handler(os.dup(log))
        if pidfile is not None:
            _write_pid(pidfile)
        ready()
        if own_log:
            os.dup2(log, 1)  # where the scripts say what they have to say
            os.dup2(log, 2)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)  # no byte code of Python's runs any more
        events.run()
    except XlError as error:
        print(f"xlpy: {error}", file=sys.stderr)
        for line in filter(None, (error.detail, error.hint and f"({error.hint})")):
            print(f"  {line}", file=sys.stderr)
    return 1


def _set_aside(log: str) -> None:
    """Keep the logs of earlier daemons under numbers, as libxl does (libxl_create_logfile)."""
    for number in range(_OLD_LOGS, 0, -1):
        earlier = f"{log}.{number - 1}" if number > 1 else log
        if os.path.exists(earlier):
            os.replace(earlier, f"{log}.{number}")


def _write_pid(path: str) -> None:
    pidfile = _open(path, os.O_TRUNC, 0o600)
    os.write(pidfile, f"{os.getpid()}\n".encode())
    os.close(pidfile)


def _open(path: str, flags: int, mode: int) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, mode)
    except OSError as error:
        raise XlError(f"cannot write {path}: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
