"""Keeping a copy of a running domain on another host, which goes on there when this host is lost (main_remus)."""

from __future__ import annotations

import os

from xlpy.client.preflight import describe
from xlpy.client.save_file import header_bytes
from xlpy.client.whole_bytes import write_all
from xlpy.client.xl_wire import BANNER
from xlpy.errors import NotSupported, ProtocolError
from xlpy.model.migration import Peer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.client.host import Host
    from xlpy.client.xl_peer import XlPeer
    from xlpy.model.remus import RemusOptions

_XL_FORMAT = "libxl"


def replicate(source: Host, domid: int, peer: XlPeer, options: RemusOptions) -> None:
    """Replicate a domain to ``peer``, which runs ``xl migrate-receive -r``, until it is destroyed here.

    Raises XlError when that ends otherwise; the domain then runs on here.
    """
    saved = describe(source, domid, None)
    if saved.stream_format != _XL_FORMAT:
        raise NotSupported(f"the {saved.stream_format} engine does not replicate domains")
    try:
        peer.expect(BANNER)
        write_all(peer.fileno(), header_bytes(saved))
    except (ProtocolError, OSError) as error:
        peer.hang_up()
        raise peer.unreachable(ProtocolError(str(error))) from error
    source.replicate_domain(domid, os.dup(peer.fileno()), options, Peer(name=peer.name))


def replicate_to_nowhere(source: Host, domid: int, options: RemusOptions) -> None:
    """As ``replicate``, and nobody has the copy."""
    source.replicate_domain(domid, os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), options)
