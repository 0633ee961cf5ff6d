"""A domain's memory as an ELF core, as QEMU writes it (``dump-guest-memory``): for crash, gdb and drgn."""

from __future__ import annotations

import os
import stat

from xlpy.engine.qemu.qmp import QmpClosed, QmpError
from xlpy.errors import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.engine.qemu.domain import QemuDomain

_TIMEOUT_S = 3600.0
_FDNAME = "core"


def dump_core(domain: QemuDomain, stream: int) -> None:
    """Write the core to ``stream``, which is closed in the end; a running domain goes on afterwards.

    It stands still meanwhile, so that the core is of one moment. QEMU writes headers first and needs no seeking, so
    that the stream may be a socket. Raises EngineError, for a full disk too.
    """
    try:
        os.set_blocking(stream, True)
        with domain.expect("DUMP_COMPLETED") as completed:
            domain.qmp.execute("getfd", {"fdname": _FDNAME}, fds=(stream,))
            try:
                domain.qmp.execute(
                    "dump-guest-memory", {"paging": False, "protocol": f"fd:{_FDNAME}", "detach": True}
                )
            except QmpError:
                _take_back(domain)
                raise
            result = completed.wait(_TIMEOUT_S)
        _check(result, stream)
    finally:
        os.close(stream)


def _take_back(domain: QemuDomain) -> None:
    """Close QEMU's copy of a stream that it didn't use."""
    try:
        domain.qmp.execute("closefd", {"fdname": _FDNAME})
    except QmpError:
        pass  # it was used up after all


def _check(result: dict[str, Any] | None, stream: int) -> None:
    if result is None:
        raise QmpClosed("the domain's QEMU ended while it wrote the core")
    if "error" in result:
        kind = os.fstat(stream).st_mode
        raise EngineError(
            "the core could not be written",
            "is the file system full?" if stat.S_ISREG(kind) else "did the receiver go away?",
            detail=str(result["error"]),
        )
