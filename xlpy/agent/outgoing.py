"""The source's half of a handover (``agent.handover`` tells the whole): a domain's state goes out."""

from __future__ import annotations

import logging
import threading
import time

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.going_on import GoingOn
from xlpy.agent.lifecycle import destroy_in_engine, with_identity
from xlpy.errors import Aborted, InvalidState, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.agent.event_log import EventLog
    from xlpy.agent.store import Store
    from xlpy.agent.stream import Stream
    from xlpy.engine.base import Engine
    from xlpy.model.domain import DomainInfo
    from xlpy.model.migration import MigrationLimits, Peer, Report, SavedDomain, TransferProgress
    from xlpy.model.remus import RemusOptions

    Ask = Callable[[Peer, str], str]

log = logging.getLogger("xlpyd")

ASK_AGAIN_AFTER_S = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
ASK_FOR_S = 900.0
OUTCOMES = ("accepted", "absent", "lost")


class Outgoing:
    """Save and send. ``ask`` is how an xlpyd that can be reached from here is asked for the outcome of a transfer."""

    def __init__(
        self, store: Store, engine: Engine, events: EventLog, look_again: Callable[[int], None], ask: Ask
    ) -> None:
        self._store = store
        self._engine = engine
        self._events = events
        self._look_again = look_again
        self._going_on = GoingOn(store, engine, look_again)
        self._ask = ask
        self._stopping = threading.Event()
        self._settling: dict[str, threading.Thread] = {}
        self._leaving: dict[str, Callable[[], None]] = {}  # by uuid: how to break off the stream under way
        self._called_off: set[str] = set()
        self._changing = threading.Lock()
        self.led: set[str] = set()  # the uuids that wait for a client which is still there

    def stop(self, timeout_s: float = 10) -> None:
        """Ask no more; what is unsettled is settled by the next xlpyd."""
        self._stopping.set()
        with self._changing:
            threads = list(self._settling.values())
        for thread in threads:
            thread.join(timeout_s)

    # -- sending

    def describe(self, domid: int, transfer_id: str) -> SavedDomain:
        """What precedes the stream, under the domain's own name and uuid."""
        record = self._going_on.record(domid)
        saved = self._engine.describe_domain(domid)
        return saved.replace(
            config=with_identity(saved.config, record.uuid, record.name, None),
            config_text=record.config_text,
            transfer_id=transfer_id,
            consoles=self._engine.console_histories(domid),
        )

    def save(
        self,
        domid: int,
        stream: Stream,
        break_off: Callable[[], None],
        described: SavedDomain | None,
        *,
        limits: MigrationLimits | None,
        live: bool,
        peer: Peer | None,
        progress: Report | None,
    ) -> TransferProgress:
        """Send the state; afterwards the domain stands still. On failure it is as it was before.

        ``described`` is what ``describe`` has told the client that leads a migration.
        """
        record = self._going_on.record(domid)
        info = self._require_running(record)
        if peer is not None and described is None:
            raise InvalidState("a migration has to begin with describe_domain on the same connection")
        self._store.move(
            record.uuid,
            Phase.SAVING,
            paused=info.paused,
            receiver=peer,
            transfer_id=described.transfer_id if peer and described else None,
        )
        with self._changing:
            self._leaving[record.uuid] = break_off
            self.led.add(record.uuid)
        try:
            result = self._engine.save_domain(domid, stream.hand_over(), limits, live, peer, progress)
            # from this transaction on the client may have had the target's xlpyd accept it
            sent = peer is not None and bool(peer.instance)
            self._store.move(record.uuid, Phase.SENT if sent else Phase.SAVED, durably=sent)
            if sent and described is not None:
                result = result.replace(consoles=self._engine.console_histories(domid, described.consoles))
        except BaseException as error:
            self.led.discard(record.uuid)
            self._unless_destroyed(record.uuid, Phase.RUNNING)
            self._look_again(domid)
            if record.uuid in self._called_off and isinstance(error, XlError):
                raise Aborted(f"the migration of {record.name!r} was called off by another client") from error
            raise
        finally:
            with self._changing:
                del self._leaving[record.uuid]
                self._called_off.discard(record.uuid)
        return result

    def replicate(self, domid: int, stream: Stream, options: RemusOptions, peer: Peer | None) -> None:
        """Send checkpoints until the domain is destroyed. Raises XlError when they end before; it then runs on."""
        record = self._going_on.record(domid)
        self._require_running(record)
        self._store.move(record.uuid, Phase.SAVING, paused=False, receiver=peer)
        try:
            self._engine.replicate_domain(domid, stream.hand_over(), options, peer)
        finally:
            self._unless_destroyed(record.uuid, Phase.RUNNING)
            self._look_again(domid)

    def _require_running(self, record: DomainRecord) -> DomainInfo:
        info = self._engine.domain_info(record.domid)
        if info.ended:
            raise InvalidState(
                f"domain {record.name!r} has shut down", "there is nothing to save; destroy it"
            )
        return info

    def release(self, domid: int) -> None:
        """From here on a receiver without an xlpyd may have it, and nobody will ever tell: see ``Engine.release_saved``."""
        record = self._going_on.record(domid)
        if record.phase is not Phase.SAVED or record.receiver is None:
            raise InvalidState(f"domain {record.name!r} does not wait for another host to take it")
        self._engine.release_saved(domid)
        self._store.move(record.uuid, Phase.SENT, durably=True)

    def abort(self, domid: int) -> None:
        """Break off a migration under way. Raises InvalidState when it is past that, or there is none."""
        record = self._going_on.record(domid)
        if record.receiver is None or record.phase not in (Phase.SAVING, Phase.SENT):
            raise InvalidState(f"domain {record.name!r} is not being migrated", "see: xlpy list")
        with self._changing:
            break_off = self._leaving.get(record.uuid)
            if break_off is None or record.phase is Phase.SENT:
                raise InvalidState(
                    f"all of domain {record.name!r} has been sent; whether it runs at {record.receiver.name} is up to"
                    " that host",
                    f"'xlpy migrate --abort {record.name} {record.receiver.name}' asks it",
                )
            self._called_off.add(record.uuid)
            break_off()

    def resume(self, domid: int, paused: bool, leads: bool) -> None:
        """Take a domain back that stands still. After a migration only the client that leads it may say so."""
        record = self._going_on.record(domid)
        if record.phase is Phase.SENT and not leads:
            assert record.receiver is not None
            raise InvalidState(
                f"domain {record.name!r} was sent to {record.receiver.name}, and may run there",
                f"'xlpy migrate --resume {record.name} {record.receiver.name}' asks that host and does what follows",
            )
        self._take_back(record, paused)

    # -- settling

    def settle_as(self, transfer_id: str, outcome: str) -> None:
        """Do what follows from the target's word, or from somebody's who knows that there is no target any more."""
        if outcome not in OUTCOMES:
            raise UsageError(f"a transfer has no outcome {outcome!r}", f"outcomes: {', '.join(OUTCOMES)}")
        record = next((record for record in self._store.records() if record.transfer_id == transfer_id), None)
        if record is None or record.receiver is None or record.phase not in (Phase.SAVING, Phase.SENT):
            raise InvalidState(
                "no domain here waits for the outcome of this transfer", "it is settled already"
            )
        detail = f"{record.receiver.name} says: {outcome}"
        if outcome == "accepted":
            self._remove_migrated(record, detail)
            return
        if outcome == "lost":
            detail = f"{record.receiver.name} is lost for good, by the word of whoever asked for this"
        self._take_back(record, record.paused)
        self._events.add("take back after migration", record.domid, record.name, detail=detail)

    def settle(self, uuid: str) -> None:
        """The client is gone, or xlpyd has just started: decide what becomes of a domain that is on its way out.

        Before it was sent nobody can have it: it is taken back at once. Afterwards the target has the say; where it
        can be asked from here that takes a thread, and maybe long, else it takes a client.
        """
        self.led.discard(uuid)
        record = self._store.by_uuid(uuid)
        if record is None or record.phase not in (Phase.SAVING, Phase.SAVED, Phase.SENT):
            return
        if record.receiver is None or record.phase is not Phase.SENT:
            what = "take back after save" if record.receiver is None else "take back after migration"
            self._take_back_alone(record, what)
            return
        if record.receiver.address is None:
            self._note_unsettled(record, "nobody here can ask that host")
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
                if record is None or record.phase is not Phase.SENT:
                    return  # settled by hand
                problem = self._settle_once(record)
                if problem is None:
                    return
                last = time.monotonic() > deadline
                if attempt == 0 or last:
                    self._note_unsettled(record, problem)
                if last or self._stopping.wait(ASK_AGAIN_AFTER_S[min(attempt, len(ASK_AGAIN_AFTER_S) - 1)]):
                    return
        except XlError as error:
            log.warning("settling the migration of %s: %s", uuid, error)
        finally:
            with self._changing:
                self._settling.pop(uuid, None)

    def _settle_once(self, record: DomainRecord) -> str | None:
        """Ask the peer and do what follows; why it couldn't be done yet, if so."""
        assert record.receiver is not None
        try:
            outcome = self._ask(record.receiver, record.transfer_id or "")
        except XlError as error:
            return str(error)
        detail = f"{record.receiver.name} says: {outcome}"
        if outcome == "accepted":
            self._remove_migrated(record, detail)
        elif outcome == "absent":
            self._take_back_alone(record, "take back after migration", detail)
        else:
            return detail
        return None

    def _note_unsettled(self, record: DomainRecord, why: str) -> None:
        assert record.receiver is not None
        way = f"'xlpy migrate --resume {record.name} {record.receiver.name}' asks"
        if not record.receiver.instance:
            way = f"look there with xl list, then: {record.receiver.by_hand(record.name)}"
        self._events.add(
            "migration waits to be settled",
            record.domid,
            record.name,
            result="unsettled",
            detail=f"it stands still here until it is known whether it runs at {record.receiver.name} ({why}); {way}",
        )

    def _remove_migrated(self, record: DomainRecord, detail: str) -> None:
        self._store.move(record.uuid, Phase.DESTROYING)
        destroy_in_engine(self._engine, record)
        self._store.remove(record.uuid)
        self._events.add("migrated away", record.domid, record.name, detail=detail)

    # -- inside

    def _take_back(self, record: DomainRecord, paused: bool) -> None:
        self.led.discard(record.uuid)
        resume = self._engine.resume_saved
        if record.phase is Phase.SAVING and record.uuid not in self._leaving:
            resume = self._engine.take_back_unfinished
        self._going_on.let(record, lambda: resume(record.domid, paused), paused=paused)

    def _take_back_alone(self, record: DomainRecord, why: str, detail: str | None = None) -> None:
        """Nobody waits for it: how that went is written down."""
        result = "ok"
        try:
            self._take_back(record, record.paused)
        except InvalidState as error:
            result, detail = error.code, str(error)
        self._events.add(why, record.domid, record.name, result=result, detail=detail)

    def _unless_destroyed(self, uuid: str, phase: Phase, **changes: Any) -> None:
        try:
            self._store.move(uuid, phase, receiver=None, transfer_id=None, **changes)
        except InvalidState:
            pass  # it was destroyed meanwhile
