"""Settling a migration that was cut off: exactly one copy goes on, by the word of the target.

The target's answer is final in both directions: ``accepted`` is written down there, ``absent`` is a promise. So it does
no harm if two clients do this at once, or one while another still leads the migration.
"""

from __future__ import annotations

import select

from xlpy.errors import InvalidState, UsageError, XlError
from xlpy.model.migration import Peer
from xlpy.protocol.places import default_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.client.host import Host
    from xlpy.model.migration import Transfer

_ATTEMPTS, _PAUSE_S = 40, 0.25


def peer_of(host: Host) -> Peer:
    """This host, as the one at the other end of a migration shall know it."""
    address = host.address
    if address in ("", "local"):
        import os

        address = f"unix://{default_socket(os.getuid(), os.environ)}"
    return Peer(
        name=host.address or "local",
        instance=host.hello.instance,
        address=address if address.startswith(("unix://", "/")) else None,
    )


def find_transfer(host: Host, domid: int) -> Transfer | None:
    """The migration in which this domain is."""
    return next((transfer for transfer in host.list_transfers() if transfer.domid == domid), None)


def settle(source: Host, target: Host, transfer: Transfer) -> str:
    """Have both hosts do what follows from the target's word, and return it: ``accepted`` or ``absent``.

    Raises UsageError when ``target`` isn't the host that the domain was sent to, and what either host raises.
    """
    if target.hello.instance != transfer.peer.instance:
        raise UsageError(
            f"{target.address} is not the host that domain {transfer.name!r} was sent to",
            f"that one was called {transfer.peer.name}",
        )
    outcome: str = target.give_up_restored(transfer.transfer_id)
    try:
        source.settle_transfer(transfer.transfer_id, outcome)
    except InvalidState:
        if any(other.transfer_id == transfer.transfer_id for other in source.list_transfers()):
            raise
        # somebody else has settled it meanwhile, by the same word
    return outcome


def settle_after_loss(source: Host, target: Host, transfer_id: str) -> str | None:
    """After the connection to either host broke: connect anew and settle. ``accepted``, ``absent``, or None if it can't be.

    What an xlpyd makes of a lost client takes it a moment; this waits for it, but not long.
    """
    source.close()
    target.close()
    try:
        for _ in range(_ATTEMPTS):
            waiting = [other for other in source.list_transfers() if other.transfer_id == transfer_id]
            if not waiting:
                return target.give_up_restored(transfer_id)
            if waiting[0].state == "sent":
                return settle(source, target, waiting[0])
            select.select([], [], [], _PAUSE_S)
    except XlError:
        pass  # it is said how to do it by hand
    return None


def by_hand(source: Host, target: Host, name: str) -> str:
    """The command that settles it, as a hint."""
    at = "" if source.address in ("", "local") else f"-H {source.address} "
    return f"when both hosts can be reached: xlpy {at}migrate --resume {name} {target.address}"
