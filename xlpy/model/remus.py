"""Remus: a domain whose state goes to another host again and again while it runs, so that one of the two always has it."""

from __future__ import annotations

from xlpy.model.record import Record


class RemusOptions(Record):
    """How a domain is replicated (libxl_domain_remus_info).

    ``unsafe`` allows what may lose output or writes when the other host takes over: ``blackhole`` (nobody takes the
    checkpoints), no ``netbuf`` and no ``diskbuf``. ``netbuf_script`` sets up the buffering of network output.
    """

    interval_ms: int = 200
    unsafe: bool = False
    blackhole: bool = False
    compression: bool = True
    netbuf: bool = True
    netbuf_script: str | None = None
    diskbuf: bool = True
