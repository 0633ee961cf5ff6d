"""Domains in motion: to a file, from a file, from one host to another; and who owns them at each step.

    source                                target
    save_domain        saving             restore_domain     incoming   (paused, not yet ours)
       state complete  sent                  state complete
                                          accept_restored    accepted   <- this transaction is the moment of handing over
    destroy_domain     destroying                            running

Whatever is killed, and whenever: the target destroys what is ``incoming`` once it has lost the client, and keeps what it
has accepted. The source, once it has lost the client, asks the target by the transfer's id: ``accepted`` and it destroys its
own copy, ``absent`` and it lets it run; while it gets no answer its copy stands still. ``absent`` is a promise of
the target. A save to a file has no target: without its client the domain is taken back.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid as uuid_module

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.lifecycle import destroy_in_engine, with_identity
from xlpy.agent.peer import ask_outcome
from xlpy.errors import ConfigError, DomainNotFound, InvalidState, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.agent.event_log import EventLog
    from xlpy.agent.store import Store
    from xlpy.agent.stream import Stream
    from xlpy.engine.base import Engine, Progress
    from xlpy.model.migration import MigrationLimits, SavedDomain, TransferProgress

log = logging.getLogger("xlpyd")

ASK_AGAIN_AFTER_S = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
ASK_FOR_S = 900.0


class Handover:
    """Save, restore and migrate. ``ask`` is how a peer is asked for the outcome of a transfer."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        events: EventLog,
        look_again: Callable[[int], None],
        ask: Callable[[str, str], str] = ask_outcome,
    ) -> None:
        self._store = store
        self._engine = engine
        self._events = events
        self._look_again = look_again
        self._ask = ask
        self._stopping = threading.Event()
        self._settling: dict[str, threading.Thread] = {}
        self._changing = threading.Lock()

    def stop(self, timeout_s: float = 10) -> None:
        """Ask no more; what is unsettled is settled by the next xlpyd."""
        self._stopping.set()
        with self._changing:
            threads = list(self._settling.values())
        for thread in threads:
            thread.join(timeout_s)

    # -- the source

    def describe(self, domid: int, transfer_id: str) -> SavedDomain:
        """What precedes the stream, under the domain's own name and uuid."""
        record = self._record(domid)
        saved = self._engine.describe_domain(domid)
        return saved.replace(
            config=with_identity(saved.config, record.uuid, record.name, None),
            config_text=record.config_text,
            transfer_id=transfer_id,
        )

    def save(
        self,
        domid: int,
        stream: Stream,
        transfer_id: str | None,
        *,
        limits: MigrationLimits | None,
        live: bool,
        peer: str | None,
        progress: Progress | None,
    ) -> TransferProgress:
        """Send the state; afterwards the domain stands still. On failure it is as it was before."""
        record = self._record(domid)
        info = self._engine.domain_info(domid)
        if info.shutdown:
            raise InvalidState(
                f"domain {record.name!r} has shut down", "there is nothing to save; destroy it"
            )
        if peer is not None and transfer_id is None:
            raise InvalidState("a migration has to begin with describe_domain on the same connection")
        self._store.move(
            record.uuid,
            Phase.SAVING,
            paused=info.paused,
            peer=peer,
            transfer_id=transfer_id if peer else None,
        )
        try:
            result = self._engine.save_domain(domid, stream.hand_over(), limits, live, peer, progress)
            self._store.move(record.uuid, Phase.SENT if peer else Phase.SAVED, durably=peer is not None)
        except BaseException:
            self._unless_destroyed(record.uuid, Phase.RUNNING)
            self._look_again(domid)
            raise
        return result

    def resume(self, domid: int, paused: bool, by_its_client: bool) -> None:
        """Take a domain back that stands still. Raises InvalidState when the target has it.

        The client that leads the migration knows that it hasn't had the domain accepted; anybody else is only believed
        while the target doesn't say otherwise.
        """
        record = self._record(domid)
        if record.peer is not None and record.transfer_id is not None:
            self._refuse_if_elsewhere(record, by_its_client)
        self._take_back(record, paused)

    def _refuse_if_elsewhere(self, record: DomainRecord, by_its_client: bool) -> None:
        assert record.peer is not None
        assert record.transfer_id is not None
        try:
            outcome = self._ask(record.peer, record.transfer_id)
        except XlError as error:
            log.info("%s was not reached before taking %s back: %s", record.peer, record.name, error)
            return
        if outcome == "accepted":
            raise InvalidState(
                f"domain {record.name!r} runs at {record.peer} already",
                f"'xlpy migrate --abort {record.name}' destroys the copy that is left here",
            )
        if outcome == "pending" and not by_its_client:
            raise InvalidState(
                f"domain {record.name!r} waits at {record.peer} for its migration to go on",
                "end that migration first (Ctrl-C), or destroy the copy there",
            )

    def _take_back(self, record: DomainRecord, paused: bool) -> None:
        self._let_go_on(record, lambda: self._engine.resume_saved(record.domid, paused), paused=paused)

    def _take_back_alone(self, record: DomainRecord, why: str, detail: str | None = None) -> None:
        """Nobody waits for it: how that went is written down."""
        result = "ok"
        try:
            self._take_back(record, record.paused)
        except InvalidState as error:
            result, detail = error.code, str(error)
        self._events.add(why, record.domid, record.name, result=result, detail=detail)

    def settle(self, uuid: str) -> None:
        """The client is gone, or xlpyd has just started: decide what becomes of a domain that is on its way out.

        Without a peer it is taken back at once; else that takes a thread, and maybe long.
        """
        record = self._store.by_uuid(uuid)
        if record is None or record.phase not in (Phase.SAVING, Phase.SAVED, Phase.SENT):
            return
        if record.peer is None:
            self._take_back_alone(record, "take back after save")
            return
        with self._changing:
            if uuid in self._settling or self._stopping.is_set():
                return
            thread = threading.Thread(target=self._settle_with_peer, args=(uuid,), name="settle", daemon=True)
            self._settling[uuid] = thread
        thread.start()

    def _settle_with_peer(self, uuid: str) -> None:
        deadline = time.monotonic() + ASK_FOR_S
        try:
            for attempt in range(10_000):
                record = self._store.by_uuid(uuid)
                if record is None or record.phase not in (Phase.SAVING, Phase.SENT):
                    return  # settled by hand
                if self._settle_once(record, first=attempt == 0):
                    return
                if time.monotonic() > deadline:
                    self._events.add(
                        "migration is unsettled",
                        record.domid,
                        record.name,
                        result="unsettled",
                        detail=f"{record.peer} doesn't say what became of it; it stands still here",
                    )
                    return
                if self._stopping.wait(ASK_AGAIN_AFTER_S[min(attempt, len(ASK_AGAIN_AFTER_S) - 1)]):
                    return
        except XlError as error:
            log.warning("settling the migration of %s: %s", uuid, error)
        finally:
            with self._changing:
                self._settling.pop(uuid, None)

    def _settle_once(self, record: DomainRecord, first: bool) -> bool:
        """Ask the peer and do what follows; False while it can't say."""
        assert record.peer is not None
        try:
            outcome = self._ask(record.peer, record.transfer_id or "")
            detail = f"{record.peer} says: {outcome}"
        except XlError as error:
            outcome, detail = "unknown", str(error)
        if outcome == "accepted":
            self._store.move(record.uuid, Phase.DESTROYING)
            destroy_in_engine(self._engine, record.domid)
            self._store.remove(record.uuid)
            self._events.add("migrated away", record.domid, record.name, detail=detail)
        elif outcome == "absent":
            self._take_back_alone(record, "take back after migration", detail)
        elif first:
            self._events.add(
                "migration waits to be settled", record.domid, record.name, result="unsettled", detail=detail
            )
        return outcome in ("accepted", "absent")

    # -- the target

    def restore(
        self, saved: SavedDomain, stream: Stream, supervised: bool, progress: Progress | None
    ) -> DomainRecord:
        """Receive a domain; it stands still under the name ``NAME--incoming`` until it is accepted or dropped."""
        name = saved.config.c_info.name
        if not name:
            raise ConfigError("the saved domain has no name")
        uuid = saved.config.c_info.uuid or str(uuid_module.uuid4())
        record = self._store.add_incoming(
            DomainRecord(
                uuid=uuid,
                domid=0,
                name=name,
                phase=Phase.INCOMING,
                config=with_identity(saved.config, uuid, name, None),
                config_text=saved.config_text,
                supervised=supervised,
                transfer_id=saved.transfer_id,
                started_s=time.time(),
            ),
            saved.config.c_info.domid,  # unset, unless the domid shall be kept
        )
        told = saved.replace(config=with_identity(saved.config, uuid, name, record.domid))
        try:
            self._engine.restore_domain(told, stream.hand_over(), supervised, progress)
        except BaseException:
            self.drop(record)
            raise
        return record

    def accept(self, domid: int, paused: bool) -> None:
        """From here on the domain is this host's. Raises InvalidState when it died before."""
        record = self._record(domid)
        try:
            self._engine.require_restored(domid)
        except InvalidState as error:
            self.drop(record)
            raise InvalidState(
                f"domain {record.name!r} died before it could be accepted", detail=error.detail
            ) from error
        self.finish_acceptance(self._store.accept(record.uuid, paused))

    def finish_acceptance(self, record: DomainRecord) -> None:
        """Let an accepted domain have its name and run. Raises InvalidState when it died; then it is this host's crash."""
        self._let_go_on(record, lambda: self._engine.accept_restored(record.domid, record.paused))

    def drop(self, record: DomainRecord) -> None:
        """Give an incoming domain up for good; one that was accepted meanwhile stays."""
        try:
            self._store.give_up_incoming(record.uuid)
        except InvalidState:
            return
        destroy_in_engine(self._engine, record.domid)
        self._store.remove(record.uuid)

    # -- inside

    def _let_go_on(self, record: DomainRecord, go_on: Callable[[], None], **changes: Any) -> None:
        """Have it go on here, and be an ordinary domain again: one that has died meanwhile as well, which raises InvalidState."""
        died: XlError | None = None
        try:
            go_on()
        except XlError as error:
            if not self._has_ended(record.domid):
                raise
            died = error
        self._store.move(record.uuid, Phase.RUNNING, peer=None, transfer_id=None, **changes)
        self._look_again(record.domid)
        if died is not None:
            raise InvalidState(
                f"domain {record.name!r} has crashed while it stood still",
                "its on_crash says what becomes of it; 'xlpy events' shows that",
                detail=died.message,
            ) from died

    def _has_ended(self, domid: int) -> bool:
        try:
            return self._engine.domain_info(domid).shutdown
        except DomainNotFound:
            return False  # somebody has destroyed it

    def _record(self, domid: int) -> DomainRecord:
        record = self._store.by_domid(domid)
        if record is None:
            self._engine.domain_info(domid)  # raises DomainNotFound
            raise InvalidState(f"domain {domid} cannot be saved or migrated")
        return record

    def _unless_destroyed(self, uuid: str, phase: Phase, **changes: Any) -> None:
        try:
            self._store.move(uuid, phase, peer=None, transfer_id=None, **changes)
        except InvalidState:
            pass  # it was destroyed meanwhile
