"""What two xl say to each other during a migration (tools/xl/xl.h, xl_migrate.c), besides the domain itself.

source                              target: xl migrate-receive
                                    BANNER
the header of a save file, the stream
                                    READY
GO                                                               from here on the target has it
                                    REPORT, status
                                    GO                           only if the status isn't 0: the source has it again

The banner ends with a newline, all others with a NUL byte.
"""

from __future__ import annotations

import os

from xlpy.errors import ProtocolError

BANNER = b"xl migration receiver ready, send binary domain data.\n"
READY = b"domain received, ready to unpause\0"
GO = b"domain is yours, you are cleared to unpause\0"
REPORT = b"my copy unpause results are as follows\0"
SUCCESS = b"\0"
FAILURE = b"\3"  # libxl's ERROR_FAIL, negated
_SHOWN_BYTES = 80


def expect(fd: int, message: bytes, who: str) -> None:
    """Read this message. Raises ProtocolError for another one, as soon as it is another one, or none; OSError."""
    said = b""
    while message.startswith(said):
        if said == message:
            return
        piece = os.read(fd, len(message) - len(said))
        if not piece:
            break
        said += piece
    if not said:
        raise ProtocolError(f"{who} hung up instead of saying {_shown(message)}")
    raise ProtocolError(f"{who} said {_shown(said)} instead of {_shown(message)}")


def _shown(message: bytes) -> str:
    text = message.rstrip(b"\0\n").decode("ascii", "backslashreplace")
    return repr(text[:_SHOWN_BYTES])
