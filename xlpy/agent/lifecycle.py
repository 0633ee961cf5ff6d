"""What becomes of a domain that has ended: its on_poweroff, on_reboot, on_crash, on_watchdog and on_soft_reset.

Each ended domain is seen to by a thread of its own, for as long as that takes. Every step is written down first, so that
the next xlpyd finishes what a killed one began (``agent.adoption``). The actions are xl's (tools/xl/xl_vmcontrol.c).
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid as uuid_module

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.strangers import heed_name
from xlpy.errors import DomainNotFound, InvalidState, NotSupported, XlError
from xlpy.model.domain import ActionOnShutdown, ShutdownReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.agent.event_log import EventLog
    from xlpy.agent.store import Store
    from xlpy.engine.base import Engine
    from xlpy.model.domain_config import DomainConfig

log = logging.getLogger("xlpyd")

AT_ONCE = 8
# xl waits 2 s before it starts a domain anew. Here only a domain that ended sooner than that has to wait for the rest.
SHORTEST_LIFE_S = 2.0

_COREDUMP_FIRST = {
    ActionOnShutdown.COREDUMP_DESTROY: ActionOnShutdown.DESTROY,
    ActionOnShutdown.COREDUMP_RESTART: ActionOnShutdown.RESTART,
}


def action_for(config: DomainConfig, reason: ShutdownReason) -> ActionOnShutdown | None:
    """What the configuration says; None for an end that is none (suspend)."""
    if reason is ShutdownReason.SUSPEND:
        return None
    return config.action_on(reason) or ActionOnShutdown.DESTROY


class Lifecycle:
    """Applies the rules. ``stop`` ends waits at once; what is under way is finished by the next xlpyd."""

    def __init__(self, store: Store, engine: Engine, events: EventLog, dump_dir: str) -> None:
        self._store = store
        self._engine = engine
        self._events = events
        self._dump_dir = dump_dir
        self._stopping = threading.Event()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._busy: set[str] = set()
        self._threads: set[threading.Thread] = set()
        self._changing = threading.Lock()

    def ended(self, uuid: str, reason: ShutdownReason) -> None:
        """See to a domain that has stopped running; returns at once."""
        with self._changing:
            if uuid in self._busy or self._stopping.is_set():
                return
            self._busy.add(uuid)
            thread = threading.Thread(target=self._see_to, args=(uuid, reason), name="lifecycle", daemon=True)
            self._threads.add(thread)
        thread.start()

    def finish_restart(self, record: DomainRecord) -> None:
        """Do the rest of a restart that is written down as begun. Raises XlError."""
        if record.phase is Phase.RESTARTING:
            destroy_in_engine(self._engine, record)
            record = self._store.begin_recreation(record.uuid, time.time())
        self._recreate(record)

    def stop(self, timeout_s: float = 10) -> None:
        """Begin nothing any more and wait for what is under way."""
        self._stopping.set()
        with self._changing:
            threads = set(self._threads)
        for thread in threads:
            thread.join(timeout_s)

    # -- one ended domain

    def _see_to(self, uuid: str, reason: ShutdownReason) -> None:
        try:
            with self._turns:
                self._apply(uuid, reason)
        except InvalidState as error:  # somebody destroyed it meanwhile, or is doing so
            log.info("nothing to do for an ended domain: %s", error)
        except XlError as error:
            record = self._store.by_uuid(uuid)
            domid, name = (record.domid, record.name) if record else (None, uuid)
            self._events.add("end of domain", domid, name, result=error.code, detail=str(error))
        finally:
            with self._changing:
                self._busy.discard(uuid)
                self._threads.discard(threading.current_thread())
        self._look_again(uuid)

    def _look_again(self, uuid: str) -> None:
        """A domain that ended while it was being restarted was nobody's business then."""
        record = self._store.by_uuid(uuid)
        if record is None or record.phase is not Phase.RUNNING or not record.supervised:
            return
        try:
            info = self._engine.domain_info(record.domid)
        except XlError:
            return
        if info.ended:
            self.ended(uuid, info.shutdown_reason or ShutdownReason.UNKNOWN)

    def _apply(self, uuid: str, reason: ShutdownReason) -> None:
        record = self._store.by_uuid(uuid)
        if record is None or record.phase is not Phase.RUNNING or not record.supervised:
            return
        action = action_for(record.config, reason)
        if action is None:
            return
        record = self._under_its_name(record)
        self._events.add("end of domain", record.domid, record.name, detail=f"{reason.value}: {action.value}")
        if action in _COREDUMP_FIRST:
            self._dump_core(record)
            action = _COREDUMP_FIRST[action]
        if action is ActionOnShutdown.PRESERVE:
            self._store.change(uuid, supervised=False)
        elif action is ActionOnShutdown.RESTART:
            self._restart(record)
        elif action is ActionOnShutdown.RESTART_RENAME:
            self._restart_beside(record)
        elif action is ActionOnShutdown.SOFT_RESET:
            self._soft_reset(record)
        else:
            self._destroy(record)

    def _under_its_name(self, record: DomainRecord) -> DomainRecord:
        """Where others rename domains too, it goes on under the name that it has now."""
        if not self._engine.shared:
            return record
        try:
            return heed_name(self._store, record, self._engine.domain_info(record.domid))
        except DomainNotFound:
            return record

    def _destroy(self, record: DomainRecord) -> None:
        self._store.move(record.uuid, Phase.DESTROYING)
        destroy_in_engine(self._engine, record)
        self._store.remove(record.uuid)

    def _restart(self, record: DomainRecord) -> None:
        """Destroy, then create with a new domid, under the same name and uuid."""
        self._wait_out(record)
        config = self._config_for_restart(record)
        self.finish_restart(
            self._store.move(record.uuid, Phase.RESTARTING, config=config, updated=False, paused=False)
        )

    def _soft_reset(self, record: DomainRecord) -> None:
        """In the same memory and under the same domid; where no guest asks for that, or we are killed, a restart."""
        config = self._config_for_restart(record)
        record = self._store.move(record.uuid, Phase.RESTARTING, config=config, updated=False, paused=False)
        try:
            self._engine.soft_reset_domain(
                record.domid, with_identity(config, record.uuid, record.name, record.domid)
            )
        except NotSupported:
            self._wait_out(record)
            self.finish_restart(record)
        except XlError as error:
            self._give_up(record, "soft reset", error)
        else:
            self._store.move(record.uuid, Phase.RUNNING)
            self._events.add("soft reset", record.domid, record.name)

    def _restart_beside(self, record: DomainRecord) -> None:
        """Keep what is left under another name and uuid, and start the domain anew (libxl_domain_preserve)."""
        self._wait_out(record)
        config = self._config_for_restart(record)
        stamp = time.strftime("-%Y%m%dT%H%MZ", time.gmtime())
        old = record.replace(
            uuid=str(uuid_module.uuid4()), name=self._free_name(f"{record.name}{stamp}"), supervised=False
        )
        new = record.replace(
            domid=self._store.new_domid(),
            phase=Phase.RECREATING,
            config=config,
            updated=False,
            paused=False,
            started_s=time.time(),
        )
        self._store.split(old, new)
        self._engine.preserve_domain(old.domid, old.name, old.uuid)
        self._recreate(new)

    def _recreate(self, record: DomainRecord) -> None:
        """Start the domain of this record; one that can't be started is gone, as it is with xl."""
        try:
            self._engine.create_domain(
                with_identity(record.config, record.uuid, record.name, record.domid),
                paused=record.paused,
                supervised=record.supervised,
                config_text=record.config_text,
            )
        except XlError as error:
            self._give_up(record, "restart", error)
            return
        self._store.move(record.uuid, Phase.RUNNING)
        self._events.add("restart", record.domid, record.name)

    def _give_up(self, record: DomainRecord, what: str, error: XlError) -> None:
        destroy_in_engine(self._engine, record)
        self._store.remove(record.uuid)
        self._events.add(what, record.domid, record.name, result=error.code, detail=str(error))

    def _wait_out(self, record: DomainRecord) -> None:
        """Keep a domain that dies at once from doing so again and again without a pause."""
        lived_s = time.time() - record.started_s
        if 0 <= lived_s < SHORTEST_LIFE_S and self._stopping.wait(SHORTEST_LIFE_S - lived_s):
            raise InvalidState("xlpyd ends; the next one restarts the domain")

    def _config_for_restart(self, record: DomainRecord) -> DomainConfig:
        """What config-update said; else how the domain ran last, with what was plugged in (xl's reload_domain_config)."""
        try:
            left = self._engine.left_config(record.domid)
            if left is not None:
                return left
        except XlError as error:
            self._events.add("config-update", record.domid, record.name, result=error.code, detail=str(error))
        if record.updated:
            return record.config
        try:
            return self._engine.domain_config(record.domid)
        except XlError as error:
            log.info("domain %d is restarted from its first configuration: %s", record.domid, error)
            return record.config

    def _free_name(self, name: str) -> str:
        """Two restarts within a minute must not meet in one name."""
        taken = {record.name for record in self._store.records()}
        candidates = [name, *(f"{name}-{number}" for number in range(2, 1000))]
        return next(candidate for candidate in candidates if candidate not in taken)

    def _dump_core(self, record: DomainRecord) -> None:
        """A core in the dump directory; a failure is told and holds nothing up, as with xl."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = f"{self._dump_dir}/{record.name.replace('/', '_')}-{stamp}.core"
        try:
            os.makedirs(self._dump_dir, mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            self._engine.dump_core(record.domid, os.open(path, flags, 0o600))
        except (XlError, OSError) as error:
            self._events.add("dump-core", record.domid, record.name, result="failed", detail=str(error))
        else:
            self._events.add("dump-core", record.domid, record.name, detail=path)


def with_identity(config: DomainConfig, uuid: str, name: str, domid: int | None) -> DomainConfig:
    """The configuration for the domain of this uuid and name; a domid asks the engine for that one."""
    return config.replace(c_info=config.c_info.replace(uuid=uuid, name=name, domid=domid))


def destroy_in_engine(engine: Engine, record: DomainRecord) -> None:
    """Make sure that the engine has it no more.

    Where others make domains too, one of those may have its domid by now: the uuid tells.
    """
    try:
        if not engine.shared or engine.domain_info(record.domid).uuid == record.uuid:
            engine.destroy_domain(record.domid)
    except DomainNotFound:
        pass  # then it is gone
