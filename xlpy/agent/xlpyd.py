"""xlpyd: the process that supervises a host's domains.

    xlpyd [--foreground] [--socket PATH] [--state-dir DIR] [--log FILE] [--engine NAME]

It detaches itself and returns when it serves; it can be killed at any time, the domains run on, and the next one takes
them up again. SIGTERM ends it in good order. Under systemd it says when it is ready (sd_notify).
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys

from xlpy import __version__
from xlpy.agent.daemon import Daemon
from xlpy.agent.detach import detached
from xlpy.agent.listener import listen, lock_dir, make_private_dir
from xlpy.agent.supervisor import Supervisor
from xlpy.engine.choose import ENGINES, choose_engine
from xlpy.errors import XlError
from xlpy.model.record import Record
from xlpy.protocol.places import default_socket, default_state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from xlpy.engine.base import Engine

    MakeEngine = Callable[[str, str, str], Engine]

log = logging.getLogger("xlpyd")

_LOG_LIMIT_BYTES = 4 << 20


class Options(Record):
    """Where an xlpyd listens and keeps its records, both absolute, and how it runs."""

    socket: str
    state_dir: str
    log: str | None = None
    engine: str = "auto"
    foreground: bool = False


def main(arguments: Sequence[str] | None = None, make_engine: MakeEngine = choose_engine) -> int:
    """Run the program; the exit status is 0 once it serves (or, in the foreground, has served)."""
    options = _parse(arguments)
    if options.foreground:
        return _serve(options, make_engine, lambda: None)
    return start_detached(options, make_engine)


def option_parser(socket_path: str, state_dir: str) -> argparse.ArgumentParser:
    """The options, with these defaults."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="xlpyd", description="Supervises the domains of this host for xlpy."
    )
    parser.add_argument("--foreground", action="store_true", help="stay attached and log to standard error")
    parser.add_argument("--socket", default=socket_path, metavar="PATH", help="listen here (%(default)s)")
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        help="records, log and core dumps; by default"
        f" {state_dir}, or 'state' beside a socket of your choice",
    )
    parser.add_argument("--log", metavar="FILE", help="log here (xlpyd.log in the state directory)")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="what makes domains run")
    parser.add_argument("--version", action="version", version=f"xlpyd {__version__}")
    return parser


def _parse(arguments: Sequence[str] | None) -> Options:
    socket_path = default_socket(os.getuid(), os.environ)
    own = default_state_dir(os.getuid(), os.environ)
    given = option_parser(socket_path, own).parse_args(arguments)
    chosen = os.path.abspath(given.socket)
    beside = os.path.join(os.path.dirname(chosen), "state")
    usual = own if chosen == socket_path else beside
    return Options(
        socket=chosen,
        state_dir=os.path.abspath(given.state_dir or usual),
        log=given.log,
        engine=given.engine,
        foreground=given.foreground,
    )


def start_detached(options: Options, make_engine: MakeEngine = choose_engine) -> int:
    """Serve in a process of its own; return when that is ready, or 1 with its error on standard error."""
    return detached("xlpyd", lambda ready: _serve(options, make_engine, ready))


def _serve(options: Options, make_engine: MakeEngine, ready: Callable[[], None]) -> int:
    """Be the daemon until a signal ends it."""
    try:
        os.umask(0o077)
        run_dir = os.path.dirname(options.socket)
        make_private_dir(run_dir)
        make_private_dir(options.state_dir)
        _start_log(options)
        locks = [lock_dir(directory) for directory in sorted({run_dir, options.state_dir})]
        engine = make_engine(options.engine, run_dir, options.state_dir)
        supervisor = Supervisor(engine, options.state_dir, run_dir=run_dir)
    except XlError as error:
        _complain(error)
        return 1
    try:
        supervisor.take_up()
        listener = listen(options.socket)
        daemon = Daemon(listener, supervisor)
        daemon.stop_on_signals()
        log.info("xlpyd %s serves %s with the %s engine", __version__, options.socket, engine.name)
        ready()
        _notify_systemd("READY=1")
        _settle_memory()
        daemon.run()
        _notify_systemd("STOPPING=1")
        os.unlink(options.socket)  # it is ours while we hold the lock
        listener.close()
        daemon.close()
    except XlError as error:
        _complain(error)
        return 1
    finally:
        supervisor.close()
        for lock in locks:
            os.close(lock)
    log.info("xlpyd ends; its domains run on")
    return 0


def _settle_memory() -> None:
    """What is there now stays: the collector need not look at it.

    It writes into all that it looks at, and after each fork of libxl's or ours the kernel has to copy what is written to.
    """
    gc.collect()
    gc.freeze()


def _start_log(options: Options) -> None:
    """Log to the file, or in the foreground to standard error; an old file that grew large is set aside."""
    handler: logging.Handler
    if options.foreground and options.log is None:
        handler = logging.StreamHandler()
    else:
        path = options.log or f"{options.state_dir}/xlpyd.log"
        try:
            if os.path.isfile(path) and os.path.getsize(path) > _LOG_LIMIT_BYTES:
                os.replace(path, f"{path}.old")
            handler = logging.FileHandler(path)
        except OSError as error:
            raise XlError(f"cannot log to {path}: {error.strerror}") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full disk costs us the log and no more


def _complain(error: XlError) -> None:
    """Why there will be no xlpyd: in the log if that is a file, and for whoever started it."""
    if any(isinstance(handler, logging.FileHandler) for handler in logging.getLogger().handlers):
        log.error("%s", error)
    print(f"xlpyd: {error}", file=sys.stderr)
    for line in filter(None, (error.detail, error.hint and f"({error.hint})")):
        print(f"  {line}", file=sys.stderr)


def _notify_systemd(state: str) -> None:
    """Tell systemd, if it started us with Type=notify (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        try:
            notify.connect(address)
            notify.sendall(state.encode())
        except OSError as error:
            log.warning("cannot tell systemd %r: %s", state, error)


if __name__ == "__main__":
    sys.exit(main())
