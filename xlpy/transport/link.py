"""Link: the two-way channel to a command that runs on another machine, whatever it is made of."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Link(Protocol):
        """Standard input and output of a remote command.

        ``label`` is the host as the user named it. Used by one thread at a time, but for ``close``.
        """

        label: str

        def fileno(self) -> int:
            """The descriptor to poll: readable when ``read`` has something or the end has come."""

        def read(self) -> bytes:
            """What has arrived, nothing at the end. Raises BlockingIOError when nothing has; OSError or XlError when
            the connection is broken."""

        def write(self, data: bytes) -> None:
            """Send all of it, and wait for that. Raises OSError or XlError when it breaks or doesn't move any more."""

        def close(self) -> None:
            """Close both directions; whoever waits in another method is woken."""

        def said(self) -> str:
            """What the command has said on its standard error, the last few KiB of it."""

        def exit_status(self) -> int | None:
            """How the command ended, or None."""
