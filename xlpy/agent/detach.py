"""Daemons that detach themselves: whoever starts one waits until it is ready, and hears on standard error why it isn't."""

from __future__ import annotations

import logging
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_READY_TIMEOUT_S = 60


def detached(program: str, serve: Callable[[Callable[[], None]], int]) -> int:
    """Run ``serve`` in a process of its own; return 0 when that is ready, else 1 with its error on standard error.

    ``serve`` calls what it is given when it is ready, and has no terminal from there on; what it returns is the exit
    status of its process.
    """
    ready, told = os.pipe()
    if os.fork() == 0:
        os.close(ready)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        status = 1
        try:
            status = serve(lambda: _release_parent(told))
        except Exception:
            sys.excepthook(*sys.exc_info())  # on stderr while somebody waits there for us to get ready
            logging.getLogger(program).exception("this is a bug in xlpy")
        finally:
            logging.shutdown()
            os._exit(status)
    os.close(told)
    os.wait()
    answered = select.select([ready], [], [], _READY_TIMEOUT_S)[0]
    said = os.read(ready, 1) if answered else b""
    os.close(ready)
    if said == b"\n":
        return 0
    if not answered:
        print(f"{program}: not ready after {_READY_TIMEOUT_S} s; it goes on trying", file=sys.stderr)
    return 1


def _release_parent(told: int) -> None:
    """Say that we serve, and have no terminal from here on."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    os.write(told, b"\n")
    os.close(told)
