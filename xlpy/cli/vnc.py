"""The viewer of a domain's display: vncviewer (libxl_vncviewer_exec), through a tunnel where the domain is far away."""

from __future__ import annotations

import os
import signal
import sys

from xlpy.cli.failure import worded_as_xl
from xlpy.cli.numbers import whole_number
from xlpy.errors import MissingProgram, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.client.vnc_tunnel import VncTunnel
    from xlpy.model.device import VncAddress

VNC_BASE_PORT = 5900
_DEADLY = (signal.SIGTERM, signal.SIGHUP)


def vncviewer(session: Session, args: Arguments) -> int | None:
    """Show the domain's display, or only open a port that leads to it.

    A viewer on the domain's own host takes the place of this process, as xl's does.
    """
    domid = session.domid(args.rest[0])
    if args.flag("port"):
        return open_port(session, domid, _port(args))
    with worded_as_xl(session, "Cannot get vnc-port"):
        address = session.host.vnc_address(domid)
    if not is_here(session.host.address):
        return view_through_tunnel(session, domid, address, args.flag("autopass"))
    session.close()
    become_viewer(address, args.flag("autopass"), os.environ)
    return None


def start_viewer(session: Session, domid: int, autopass: bool) -> None:
    """Start a viewer of the domain's display and leave it alone (``xl create -V``)."""
    from xlpy.client.own_program import own_program

    address = session.host.vnc_address(domid)
    sys.stdout.flush()
    sys.stderr.flush()
    if not is_here(session.host.address):
        words = ["-H", session.host.address, "vncviewer", *(["--autopass"] if autopass else []), str(domid)]
        os.posix_spawn(sys.executable, own_program("xlpy", *words), os.environ)
        return
    if os.fork():
        return
    try:
        become_viewer(address, autopass, os.environ)
    except XlError as error:
        from xlpy.cli.failure import report

        report(error, session)
    finally:
        os._exit(1)


def is_here(host_address: str) -> bool:
    """Whether a host of this address is this machine, so that its loopback ports are ours."""
    return host_address in ("", "local") or host_address.startswith(("/", "unix://"))


def open_port(session: Session, domid: int, port: int) -> int:
    """Print where viewers shall connect, and let them through until the domain is gone, or Ctrl-C."""
    from xlpy.client.vnc_tunnel import LOOPBACK
    from xlpy.render.device import port_kind

    session.host.vnc_address(domid)  # says so at once if there is nothing to see
    with _tunnel(session, domid, port) as tunnel:
        if session.structured:
            session.show(port_kind(), [(LOOPBACK, tunnel.port)])
            sys.stdout.flush()
        else:
            print(f"{LOOPBACK}:{tunnel.port}", flush=True)
        try:
            tunnel.serve()
        except KeyboardInterrupt:
            pass  # as intended
    return 0


def view_through_tunnel(session: Session, domid: int, address: VncAddress, autopass: bool) -> int:
    """Start a viewer and stay with it; returns its exit status."""
    from xlpy.client.vnc_tunnel import LOOPBACK

    with _tunnel(session, domid) as tunnel:
        command = viewer_command(f"{LOOPBACK}::{tunnel.port}", autopass, os.environ)
        pid = _start(command, address.password if autopass else None)
        pidfd = os.pidfd_open(pid)
        try:
            for number in _DEADLY:
                signal.signal(number, _end)
            tunnel.serve(until=pidfd)
        except BaseException:
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)
            raise
        finally:
            os.close(pidfd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if status >= 0 else 128 - status


def become_viewer(address: VncAddress, autopass: bool, environ: Mapping[str, str]) -> None:
    """Replace this process by ``$VNCVIEWER``, or by vncviewer. Raises MissingProgram.

    With ``autopass`` the viewer reads the password from its standard input, through a pipe no one else can see.
    """
    command = viewer_command(f"{address.host}:{address.port - VNC_BASE_PORT}", autopass, environ)
    if autopass and address.password is not None:
        reading = _pipe_with(address.password)
        os.dup2(reading, 0)
        os.close(reading)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise _not_started(command, error, f"or point your own at {address.host}:{address.port}") from error


def viewer_command(display: str, autopass: bool, environ: Mapping[str, str]) -> list[str]:
    """The viewer's command line for a display, HOST:NUMBER or HOST::PORT."""
    program = environ.get("VNCVIEWER") or "vncviewer"
    return [program, display, *(["-autopass"] if autopass else [])]


def _port(args: Arguments) -> int:
    text = args.value("port") or "0"
    if args.flag("autopass"):
        raise UsageError("--port starts no viewer that a password could be passed to", "leave out --autopass")
    return whole_number(text, "port", most=0xFFFF, hint="1 to 65535, as in --port=5910; or --port alone")


def _tunnel(session: Session, domid: int, port: int = 0) -> VncTunnel:
    from xlpy.client.vnc_tunnel import VncTunnel

    return VncTunnel(session.host, domid, session.warn, port)


def _start(command: list[str], password: str | None) -> int:
    """Start a viewer, the password on its standard input; returns its process id. Raises MissingProgram."""
    actions: list[tuple[int, ...]] = []
    reading = None
    if password is not None:
        reading = _pipe_with(password)
        actions = [(os.POSIX_SPAWN_DUP2, reading, 0)]
    try:
        return os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    except OSError as error:
        raise _not_started(command, error, "or use your own with --port") from error
    finally:
        if reading is not None:
            os.close(reading)


def _pipe_with(password: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, password.encode())
    os.close(writing)
    return reading


def _not_started(command: list[str], error: OSError, otherwise: str) -> XlError:
    if isinstance(error, FileNotFoundError):
        return MissingProgram(
            f"there is no VNC viewer {command[0]!r}",
            f"install one (apt-get install tigervnc-viewer), name one in VNCVIEWER, {otherwise}",
        )
    return XlError(f"cannot run {command[0]}: {error.strerror}")


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
