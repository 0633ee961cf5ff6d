"""Domains in motion: to a file, from a file, from one host to another; and who owns them at each step.

    source                                target
    save_domain        saving             restore_domain     incoming   (paused, not yet ours)
       state complete  sent                  state complete
                                          accept_restored    accepted   <- this transaction is the moment of handing over
    destroy_domain     destroying                            running

The client leads, and the two hosts need not be able to reach each other. It has the domain accepted only after both have
answered. So, whatever is killed or cut off, and whenever:

- The target destroys what is ``incoming`` once it has lost the client, and keeps what it has accepted.
- The source takes back what is ``saving`` once it has lost the client: nobody can have been told to accept it.
- What was ``sent`` stands still there until the target's word is known: ``accepted`` and the source's copy is removed,
  ``absent``, which is a promise of the target's, and it runs on. A client brings that word (``settle_transfer``; ``xlpy
  migrate --resume``). Where the source can reach the target itself, it asks; it believes only the xlpyd that the client
  spoke to, by its instance.

A save to a file has no target: without its client the domain is taken back. A target that has xl alone remembers nothing,
so the state is ``saved`` until the client says that it is about to let that target start the domain (``release_saved``).
Then it is ``sent``; if the client is lost before it hears from the target, somebody has to look.
"""

from __future__ import annotations

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.incoming import Incoming
from xlpy.agent.outgoing import Outgoing
from xlpy.agent.peer import ask_outcome
from xlpy.model.migration import Peer, Transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.agent.event_log import EventLog
    from xlpy.agent.outgoing import Ask
    from xlpy.agent.store import Store
    from xlpy.engine.base import Engine


class Handover:
    """Both halves: ``source`` for what leaves this host, ``target`` for what comes to it."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        events: EventLog,
        look_again: Callable[[int], None],
        ask: Ask = ask_outcome,
    ) -> None:
        self._store = store
        self.source = Outgoing(store, engine, events, look_again, ask)
        self.target = Incoming(store, engine, look_again)

    def stop(self) -> None:
        """End what runs in the background; the next xlpyd goes on with it."""
        self.source.stop()

    def client_lost(self, record: DomainRecord) -> None:
        """Decide in place of the client that led this domain's transfer."""
        self.target.drop(record)
        self.source.settle(record.uuid)

    def transfers(self) -> tuple[Transfer, ...]:
        """The migrations that are not over yet, in order of domid."""
        found = (self._transfer(record) for record in self._store.records())
        return tuple(transfer for transfer in found if transfer is not None)

    def _transfer(self, record: DomainRecord) -> Transfer | None:
        if record.transfer_id is None:
            return None
        if record.phase in (Phase.SAVING, Phase.SENT) and record.receiver is not None:
            side, peer, led = "source", record.receiver, record.uuid in self.source.led
        elif record.phase in (Phase.INCOMING, Phase.ACCEPTED):
            side, peer, led = "target", Peer(name=record.sender or "a file"), record.phase is Phase.INCOMING
        else:
            return None
        return Transfer(
            transfer_id=record.transfer_id,
            domid=record.domid,
            name=record.name,
            uuid=record.uuid,
            side=side,
            state=record.phase.value,
            peer=peer,
            led=led,
            paused=record.paused,
        )
