"""Remus, as far as libxl has it: checkpoints of a running domain, sent until it is destroyed."""

from __future__ import annotations

import os

from xlpy.engine.libxl.motion import LibxlMotion, Owned
from xlpy.errors import DomainNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.migration import Peer
    from xlpy.model.remus import RemusOptions


class LibxlRemus(LibxlMotion):
    """The source's side; the target's is ``restore_domain`` of a ``failover`` stream."""

    def replicate_domain(
        self, domid: int, stream: int, options: RemusOptions, peer: Peer | None = None
    ) -> None:
        """libxl_domain_remus_start, which returns when it has failed, or the domain is gone."""
        with Owned(stream), self.contexts.borrow() as context:
            self.require(context, domid)
            answers = os.dup(stream)
            with Owned(answers), context.new("domain_remus_info", _info(options)) as info:
                status = context.call("domain_remus_start", info.memory, domid, stream, answers)
            error = context.failure(f"the replication of domain {domid} has ended", status)
            try:
                if self.domain_info(domid).dying:
                    return
            except DomainNotFound:
                return
            self._take_back(context, domid, paused=False)
            raise error


def _info(options: RemusOptions) -> dict[str, object]:
    """libxl_domain_remus_info in its JSON form."""
    info: dict[str, object] = {
        "interval": options.interval_ms,
        "allow_unsafe": str(options.unsafe),
        "blackhole": str(options.blackhole),
        "compression": str(options.compression),
        "netbuf": str(options.netbuf),
        "diskbuf": str(options.diskbuf),
        "colo": str(False),
        "userspace_colo_proxy": str(False),
    }
    if options.netbuf_script is not None:
        info["netbufscript"] = options.netbuf_script
    return info
