"""The records of an xlpyd in SQLite: its domains and what became of transfers.

Every change is one transaction, done when the method returns; a kill at any moment leaves the state before or after.
Readers get the records from memory.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import contextmanager

from xlpy.agent.domain_record import DOING, TRANSITIONS, DomainRecord, Phase
from xlpy.errors import DomainExists, InvalidState, XlError
from xlpy.model.codec import record_from_wire, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE domains (
    uuid TEXT PRIMARY KEY,
    domid INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE transfers (
    transfer_id TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    time_s REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_s REAL NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    domid INTEGER,
    name TEXT,
    result TEXT NOT NULL,
    detail TEXT
);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_TRANSFERS_KEPT = 10_000
LAST_DOMID = 32751  # Xen's DOMID_FIRST_RESERVED - 1


class Store:
    """The database at ``path``; from any thread. Raises XlError when it can't be used.

    ``taken_domids`` gives domids that must not be chosen though no record has them.
    """

    def __init__(self, path: str, taken_domids: Callable[[], frozenset[int]] = frozenset) -> None:
        self._taken_domids = taken_domids
        self.lock = threading.RLock()
        self._changes: list[tuple[str, DomainRecord | None]] = []  # of the transaction under way
        try:
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute("PRAGMA cache_size=-512")
            self._make_schema(path)
            self._records = {
                record.uuid: record
                for record in map(_read, self._database.execute("SELECT record FROM domains"))
            }
        except sqlite3.Error as error:
            raise XlError(
                f"cannot use the database {path}: {error}", "is its disk full or damaged?"
            ) from error
        self._by_domid = {record.domid: record for record in self._records.values()}

    def close(self) -> None:
        """Close the database."""
        with self.lock:
            self._database.close()

    # -- domains

    def records(self) -> list[DomainRecord]:
        """All of them, in order of domid."""
        with self.lock:
            return [self._by_domid[domid] for domid in sorted(self._by_domid)]

    def by_domid(self, domid: int) -> DomainRecord | None:
        """The record of this domain."""
        return self._by_domid.get(domid)

    def by_uuid(self, uuid: str) -> DomainRecord | None:
        """The record of this domain."""
        return self._records.get(uuid)

    def add(self, record: DomainRecord, wanted_domid: int | None = None) -> DomainRecord:
        """Reserve name, uuid and a domid; the record's own domid doesn't count. Raises DomainExists."""
        with self._transaction():
            domid = self._free_domid(wanted_domid)
            record = record.replace(domid=domid)
            self._refuse_taken(record)
            self._write(record)
        return record

    def adopt(self, record: DomainRecord) -> None:
        """Add a record for a domain that is there already, with its domid. Raises DomainExists."""
        with self._transaction():
            self._refuse_taken(record)
            self._write(record)

    def move(self, uuid: str, phase: Phase, durably: bool = False, **changes: Any) -> DomainRecord:
        """Go to another phase and change fields on the way.

        Raises InvalidState when the domain can't go there from where it is, or is gone. ``durably`` makes it survive
        a loss of power.
        """
        with self._transaction(durably):
            record = self._movable(uuid, phase).replace(phase=phase, **changes)
            self._write(record)
        return record

    def change(self, uuid: str, **changes: Any) -> DomainRecord:
        """Change fields of a domain with which nothing is being done. Raises InvalidState, DomainExists."""
        with self._transaction():
            record = self._records.get(uuid)
            if record is None or record.phase is not Phase.RUNNING:
                raise _not_now(record, uuid)
            record = record.replace(**changes)
            self._refuse_taken(record)
            self._write(record)
        return record

    def begin_recreation(self, uuid: str, started_s: float) -> DomainRecord:
        """Give a restarting domain the domid of its new self."""
        with self._transaction():
            domid = self._free_domid(None)
            record = self._movable(uuid, Phase.RECREATING)
            record = record.replace(phase=Phase.RECREATING, domid=domid, started_s=started_s)
            self._write(record)
        return record

    def split(self, old: DomainRecord, new: DomainRecord) -> None:
        """Write two records at once: what is left of a domain under another name and uuid, and its successor."""
        with self._transaction():
            self._erase(new.uuid)
            self._write(old)
            self._write(new)

    def remove(self, uuid: str) -> None:
        """The domain is gone."""
        with self._transaction():
            self._erase(uuid)

    def new_domid(self) -> int:
        """A domid that nobody has had for long."""
        with self._transaction():
            return self._free_domid(None)

    # -- transfers

    def add_incoming(self, record: DomainRecord, wanted_domid: int | None = None) -> DomainRecord:
        """Reserve what an incoming domain needs. Raises DomainExists, and InvalidState for a transfer that is over."""
        with self._transaction():
            if record.transfer_id is not None:
                if self._outcome(record.transfer_id) is not None:
                    raise InvalidState("this transfer was given up already", "start the migration again")
                self._set_outcome(record.transfer_id, "pending")
            record = record.replace(domid=self._free_domid(wanted_domid))
            self._refuse_taken(record)
            self._write(record)
        return record

    def accept(self, uuid: str, paused: bool) -> DomainRecord:
        """An incoming domain is ours from here on, whatever happens. Raises InvalidState."""
        with self._transaction(durably=True):
            record = self._movable(uuid, Phase.ACCEPTED).replace(phase=Phase.ACCEPTED, paused=paused)
            self._write(record)
            if record.transfer_id is not None:
                self._set_outcome(record.transfer_id, "accepted")
        return record

    def give_up_incoming(self, uuid: str) -> None:
        """An incoming domain will never be accepted; what there is of it is to be destroyed. Raises InvalidState."""
        with self._transaction(durably=True):
            record = self._records.get(uuid)
            if record is None or record.phase is not Phase.INCOMING:
                raise _not_now(record, uuid)
            if record.transfer_id is not None:
                self._set_outcome(record.transfer_id, "absent")
            self._write(record.replace(phase=Phase.DESTROYING))

    def outcome(self, transfer_id: str) -> str:
        """``accepted``, ``pending`` or ``absent``; one we have never heard of is refused from now on."""
        with self._transaction(durably=True):
            outcome = self._outcome(transfer_id)
            if outcome is None:
                outcome = "absent"
                self._set_outcome(transfer_id, outcome)
            return outcome

    # -- facts

    def exchange_fact(self, name: str, value: str) -> str | None:
        """Remember a value and return the one before."""
        with self._transaction():
            row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
        return None if row is None else str(row[0])

    def settled_fact(self, name: str, value: str) -> str:
        """A value that is remembered when it is first given, and stays."""
        with self._transaction():
            self._database.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))
            row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    # -- inside

    @contextmanager
    def _transaction(self, durably: bool = False) -> Iterator[None]:
        with self.lock:
            try:
                if durably:
                    self._database.execute("PRAGMA synchronous=FULL")
                self._database.execute("BEGIN IMMEDIATE")
                self._changes.clear()
                try:
                    yield
                    self._database.execute("COMMIT")
                    self._apply_changes()
                except BaseException:
                    if self._database.in_transaction:
                        self._database.execute("ROLLBACK")
                    raise
                finally:
                    if durably:
                        self._database.execute("PRAGMA synchronous=NORMAL")
            except sqlite3.Error as error:
                raise XlError(
                    f"xlpyd cannot write its records: {error}", "is the disk of its state directory full?"
                ) from error

    @contextmanager
    def transaction(self, durably: bool = False) -> Iterator[sqlite3.Connection]:
        """Several statements as one transaction (``agent.definitions``)."""
        with self._transaction(durably):
            yield self._database

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """One statement as a transaction of its own (``agent.event_log``, ``agent.definitions``)."""
        with self._transaction():
            return self._database.execute(statement, values).fetchall()

    def _make_schema(self, path: str) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version == _SCHEMA_VERSION:
            return
        if version != 0:
            raise XlError(
                f"{path} was written by another version of xlpy (schema {version}, not {_SCHEMA_VERSION})",
                "use that version, or another --state-dir",
            )
        self._database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={_SCHEMA_VERSION};COMMIT;")

    def _movable(self, uuid: str, phase: Phase) -> DomainRecord:
        record = self._records.get(uuid)
        if record is None or phase not in TRANSITIONS[record.phase]:
            raise _not_now(record, uuid)
        return record

    def _refuse_taken(self, record: DomainRecord) -> None:
        for other in self._records.values():
            if other.uuid == record.uuid:
                if other.domid != record.domid:
                    raise DomainExists(f"a domain with the uuid {record.uuid} exists already: {other.name!r}")
            elif other.name == record.name:
                raise DomainExists(
                    f"a domain named {record.name!r} exists already (domain {other.domid})",
                    "choose another name, or destroy that one first",
                )
            elif other.domid == record.domid:
                raise DomainExists(f"there is a domain {record.domid} already: {other.name!r}")

    def _free_domid(self, wanted: int | None) -> int:
        """A domid counts up and begins anew at the end, as Xen's does."""
        if wanted is not None:
            if not 0 < wanted <= LAST_DOMID:
                raise InvalidState(f"no domain can have the domid {wanted}")
            return wanted
        row = self._database.execute("SELECT value FROM facts WHERE name = 'last domid'").fetchone()
        domid = int(row[0]) if row else 0
        taken = self._taken_domids()
        for _ in range(LAST_DOMID):
            domid = domid + 1 if domid < LAST_DOMID else 1
            if domid not in self._by_domid and domid not in taken:
                break
        self._database.execute("INSERT OR REPLACE INTO facts VALUES ('last domid', ?)", (str(domid),))
        return domid

    def _write(self, record: DomainRecord) -> None:
        # Delete, then insert: a new domid must not meet the old one of the same row as a conflict.
        self._erase(record.uuid)
        self._database.execute(
            "INSERT INTO domains VALUES (?, ?, ?, ?)",
            (record.uuid, record.domid, _storable(record.name), json.dumps(to_wire(record))),
        )
        self._changes.append((record.uuid, record))

    def _erase(self, uuid: str) -> None:
        self._database.execute("DELETE FROM domains WHERE uuid = ?", (uuid,))
        self._changes.append((uuid, None))

    def _apply_changes(self) -> None:
        """Do in memory what has been committed."""
        for uuid, record in self._changes:
            known = self._records.pop(uuid, None)
            if known is not None and self._by_domid.get(known.domid) is known:
                del self._by_domid[known.domid]
            if record is not None:
                self._records[uuid] = record
                self._by_domid[record.domid] = record

    def _outcome(self, transfer_id: str) -> str | None:
        row = self._database.execute(
            "SELECT outcome FROM transfers WHERE transfer_id = ?", (transfer_id,)
        ).fetchone()
        return None if row is None else str(row[0])

    def _set_outcome(self, transfer_id: str, outcome: str) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO transfers VALUES (?, ?, ?)", (transfer_id, outcome, time.time())
        )
        self._database.execute(
            "DELETE FROM transfers WHERE transfer_id IN"
            " (SELECT transfer_id FROM transfers ORDER BY time_s DESC LIMIT -1 OFFSET ?)",
            (_TRANSFERS_KEPT,),
        )


def _read(row: tuple[str]) -> DomainRecord:
    return record_from_wire(DomainRecord, json.loads(row[0]))


def _storable(name: str) -> str:
    """SQLite's text is UTF-8: bytes of a name that are none are written as escapes, in the column alone."""
    return name.encode("utf-8", "backslashreplace").decode()


def _not_now(record: DomainRecord | None, uuid: str) -> InvalidState:
    if record is None:
        return InvalidState(f"the domain {uuid} is gone")
    hint = None
    if record.phase is Phase.SENT:
        hint = f"'xlpy migrate --resume {record.name}' asks that host, and lets the domain go on where it belongs"
    return InvalidState(f"domain {record.name!r} {DOING[record.phase]}", hint)
