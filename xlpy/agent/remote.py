"""What the agent does on behalf of another machine: it introduces itself and relays, or runs an errand and ends."""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

from xlpy.agent.find import find_xlpyd, is_guarded
from xlpy.agent.relay import CodeGone, FarRelay, StdioCarrier
from xlpy.agent.start import Shipment
from xlpy.errors import MissingProgram, NotSupported, XlError
from xlpy.protocol.introduction import (
    Introduction,
    failure_line,
    introduction_line,
    need_line,
    read_parcel,
    report_line,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from xlpy.agent.find import Found


def serve(channel: BinaryIO, output_fd: int, load: Callable[[bytes], None]) -> int:
    """Do what the other side wishes: relay until the channel ends, or run an errand; the exit status.

    ``channel`` is the input, which goes on as it is; ``load`` makes more modules importable.
    """
    wishes = marshal.loads(read_parcel(channel))

    def fetch(which: str) -> bytes:
        _write_all(output_fd, need_line(which))
        return read_parcel(channel)

    def fetch_xlpyd() -> bytes:
        _write_all(output_fd, need_line(_for_this_host()))
        missing = _prepare_for_xlpyd()  # while it is on its way
        code = read_parcel(channel)
        if missing is not None:
            raise missing
        return code

    try:
        if wishes.get("errand"):
            _write_all(output_fd, report_line(_run_errand(wishes, fetch(_everything()), load)))
            return 0
        found = find_xlpyd(wishes, Shipment(wishes["digest"], fetch_xlpyd, load))
    except XlError as error:
        _write_all(output_fd, failure_line(error))
        return 1
    _write_all(output_fd, introduction_line(_introduction(found)))
    again = {**wishes, "socket": found.socket}
    shipment = Shipment(wishes["digest"], _nothing_to_fetch, load)
    carrier = StdioCarrier(channel.fileno(), output_fd)
    relay = FarRelay(carrier, found.socket, lambda: find_xlpyd(again, shipment))
    try:
        relay.run()
    except (OSError, XlError) as error:
        print(f"xlpy agent: {error}", file=sys.stderr)
        return 1
    finally:
        relay.close_all()
    return 0


def _introduction(found: Found) -> Introduction:
    return Introduction(
        python=".".join(map(str, sys.version_info[:3])),
        uid=os.getuid(),
        host=os.uname().nodename,
        socket=found.socket,
        started=found.started,
        installed=found.installed,
        magic=MAGIC_NUMBER.hex(),
        guarded=is_guarded(found.socket),
    )


def _run_errand(
    wishes: Mapping[str, object], code: bytes, load: Callable[[bytes], None]
) -> dict[str, object]:
    """Do something once, with all modules at hand. Raises XlError."""
    load(code)
    from xlpy.agent.errands import ERRANDS

    errand = ERRANDS.get(str(wishes["errand"]))
    if errand is None:
        raise NotSupported(f"the agent has no errand {wishes['errand']!r:.40}")
    return errand(wishes, code)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _prepare_for_xlpyd() -> MissingProgram | None:
    """Import what xlpyd, which is forked from here, needs of the standard library; what is wrong if it can't be had."""
    from importlib import import_module

    try:
        for module in ("json", "logging", "socket", "sqlite3", "threading", "uuid"):
            import_module(module)
    except ImportError as error:
        return MissingProgram(
            f"the Python on {os.uname().nodename} is not complete: it has no module {error.name}",
            "install the rest of it, on Debian: apt install python3",
            detail=str(error),
        )
    return None


def _for_this_host() -> str:
    """The modules that an xlpyd here may need: libxl's engine isn't where Xen isn't."""
    return _everything() if os.path.exists("/proc/xen") else "xenless.zlib"


def _everything() -> str:
    """All modules. A Python may have been built without the better packing."""
    try:
        import bz2  # noqa: F401
    except ImportError:
        return "all.zlib"
    return "all.bz2"


def _nothing_to_fetch() -> bytes:
    raise CodeGone("this agent cannot be sent more")
