"""The viewer of a domain's display: vncviewer (libxl_vncviewer_exec)."""

from __future__ import annotations

import os

from xlpy.cli.failure import worded_as_xl
from xlpy.errors import MissingProgram, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.device import VncAddress

VNC_BASE_PORT = 5900


def vncviewer(session: Session, args: Arguments) -> None:
    """Become a viewer of the domain's display."""
    domid = session.domid(args.rest[0])
    with worded_as_xl(session, "Cannot get vnc-port"):
        address = session.host.vnc_address(domid)
    session.close()
    become_viewer(address, args.flag("autopass"), os.environ)


def become_viewer(address: VncAddress, autopass: bool, environ: Mapping[str, str]) -> None:
    """Replace this process by ``$VNCVIEWER``, or by vncviewer. Raises MissingProgram.

    With ``autopass`` the viewer reads the password from its standard input, through a pipe no one else can see.
    """
    command = viewer_command(address, autopass, environ)
    if autopass and address.password is not None:
        _give_on_stdin(address.password)
    try:
        os.execvp(command[0], command)
    except FileNotFoundError as error:
        raise MissingProgram(
            f"there is no VNC viewer {command[0]!r}",
            f"install one (apt-get install tigervnc-viewer), name one in VNCVIEWER, "
            f"or point your own at {address.host}:{address.port}",
        ) from error
    except OSError as error:
        raise XlError(f"cannot run {command[0]}: {error.strerror}") from error


def viewer_command(address: VncAddress, autopass: bool, environ: Mapping[str, str]) -> list[str]:
    """The viewer's command line: the display as HOST:NUMBER, its port being 5900 and up."""
    program = environ.get("VNCVIEWER") or "vncviewer"
    display = f"{address.host}:{address.port - VNC_BASE_PORT}"
    return [program, display, *(["-autopass"] if autopass else [])]


def _give_on_stdin(password: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, password.encode())
    os.close(writing)
    os.dup2(reading, 0)
    os.close(reading)
