"""The record of managed domains: what each shall be, every version of it, and whether it starts with the host."""

from __future__ import annotations

import json
import time
import uuid as uuid_module

from xlpy.errors import ConfigError, DomainExists, DomainNotFound, InvalidState
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.definition import DefinedDomain, Definition, DefinitionVersion
from xlpy.model.domain_config import DomainConfig
from xlpy.model.mac import made_up_mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.agent.store import Store

_TABLES = (
    "CREATE TABLE IF NOT EXISTS definitions ("
    " name TEXT PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, autostart_order INTEGER, autostart_delay_s REAL NOT NULL"
    ") WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS definition_versions ("
    " name TEXT NOT NULL, version INTEGER NOT NULL, changed_s REAL NOT NULL, who TEXT NOT NULL,"
    " config TEXT NOT NULL, config_text TEXT, directory TEXT, PRIMARY KEY (name, version)"
    ") WITHOUT ROWID",
)
_NEWEST = (
    "SELECT d.name, d.uuid, d.autostart_order, d.autostart_delay_s, v.version, v.changed_s, v.config FROM definitions d"
    " JOIN definition_versions v ON v.name = d.name"
    " WHERE v.version = (SELECT MAX(version) FROM definition_versions WHERE name = d.name)"
)
VERSIONS_KEPT = 100
"""Of each domain; older ones go when a new one comes."""


class Definitions:
    """Managed domains in the tables of ``store``. Every change is one transaction that survives a loss of power."""

    def __init__(self, store: Store) -> None:
        self._store = store
        for table in _TABLES:
            store.execute(table)

    def all(self) -> tuple[DefinedDomain, ...]:
        """All of them, in order of name."""
        return tuple(_short(row) for row in self._store.execute(f"{_NEWEST} ORDER BY d.name"))

    def get(self, name: str, version: int | None = None) -> Definition:
        """One configuration. Raises DomainNotFound, InvalidState."""
        newest = self._newest(name)
        wanted = newest.version if version is None else version
        rows = self._store.execute(
            "SELECT changed_s, who, config, config_text, directory FROM definition_versions WHERE name = ? AND version = ?",
            (name, wanted),
        )
        if not rows:
            raise InvalidState(
                f"{name} has no version {version}", f"see its versions: xlpy config log {name}"
            )
        changed_s, who, config, config_text, directory = rows[0]
        return Definition(
            name=name,
            uuid=newest.uuid,
            version=wanted,
            changed_s=changed_s,
            who=who,
            config=record_from_wire(DomainConfig, json.loads(config)),
            config_text=_text(config_text),
            directory=_text(directory),
        )

    def versions(self, name: str) -> tuple[DefinitionVersion, ...]:
        """All that are kept, oldest first. Raises DomainNotFound."""
        self._newest(name)
        rows = self._store.execute(
            "SELECT version, changed_s, who, IFNULL(LENGTH(config_text), 0) FROM definition_versions"
            " WHERE name = ? ORDER BY version",
            (name,),
        )
        return tuple(
            DefinitionVersion(version=version, changed_s=changed_s, who=who, text_bytes=length)
            for version, changed_s, who, length in rows
        )

    def define(
        self,
        config: DomainConfig,
        config_text: str | None,
        directory: str | None,
        base_version: int | None,
        who: str,
    ) -> DefinedDomain:
        """Write a new version. Raises ConfigError, DomainExists, InvalidState."""
        name = config.c_info.name
        if not name:
            raise ConfigError("a domain needs a name", 'name = "..." in its configuration')
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ConfigError(f"the name {name!r} of a managed domain has to be UTF-8")
        with self._store.transaction(durably=True) as database:
            row = database.execute("SELECT uuid FROM definitions WHERE name = ?", (name,)).fetchone()
            last = database.execute(
                "SELECT MAX(version) FROM definition_versions WHERE name = ?", (name,)
            ).fetchone()[0]
            if base_version is not None and base_version != last:
                raise InvalidState(
                    f"the configuration of {name} was changed meanwhile: it is at version {last}, not {base_version}",
                    f"see the newest: xlpy config log {name}",
                )
            known = None if last is None else self._config(database, name, last)
            config = _completed(config, None if row is None else row[0], known)
            uuid = config.c_info.uuid
            other = database.execute(
                "SELECT name FROM definitions WHERE uuid = ? AND name != ?", (uuid, name)
            ).fetchone()
            if other is not None:
                raise DomainExists(
                    f"the managed domain {other[0]!r} has the uuid {uuid} already", "leave uuid= out"
                )
            if row is None:
                database.execute("INSERT INTO definitions VALUES (?, ?, NULL, 0)", (name, uuid))
            else:
                database.execute("UPDATE definitions SET uuid = ? WHERE name = ?", (uuid, name))
            database.execute(
                "INSERT INTO definition_versions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    (last or 0) + 1,
                    time.time(),
                    who,
                    json.dumps(to_wire(config)),
                    _storable(config_text),
                    _storable(directory),
                ),
            )
            database.execute(
                "DELETE FROM definition_versions WHERE name = ? AND version <= ?",
                (name, (last or 0) + 1 - VERSIONS_KEPT),
            )
        return self._newest(name)

    def undefine(self, name: str) -> None:
        """Forget it. Raises DomainNotFound."""
        self._newest(name)
        with self._store.transaction(durably=True) as database:
            database.execute("DELETE FROM definitions WHERE name = ?", (name,))
            database.execute("DELETE FROM definition_versions WHERE name = ?", (name,))

    def set_autostart(self, name: str, order: int | None, delay_s: float) -> None:
        """Say whether and when it starts with the host. Raises DomainNotFound."""
        self._newest(name)
        with self._store.transaction(durably=True) as database:
            database.execute(
                "UPDATE definitions SET autostart_order = ?, autostart_delay_s = ? WHERE name = ?",
                (order, delay_s, name),
            )

    def to_start(self) -> list[DefinedDomain]:
        """Those that start with the host, in their order."""
        chosen = [domain for domain in self.all() if domain.autostart_order is not None]
        return sorted(chosen, key=lambda domain: (domain.autostart_order, domain.name))

    def _newest(self, name: str) -> DefinedDomain:
        rows = self._store.execute(f"{_NEWEST} AND d.name = ?", (name,))
        if not rows:
            from difflib import get_close_matches

            near = get_close_matches(name, [domain.name for domain in self.all()], n=1)
            raise DomainNotFound(
                f"there is no managed domain {name!r}",
                f"did you mean {near[0]}?"
                if near
                else "see them: xlpy list --all; make one: xlpy define FILE",
            )
        return _short(rows[0])

    def _config(self, database: Any, name: str, version: int) -> DomainConfig:
        row = database.execute(
            "SELECT config FROM definition_versions WHERE name = ? AND version = ?", (name, version)
        ).fetchone()
        return record_from_wire(DomainConfig, json.loads(row[0]))


def _short(row: tuple[Any, ...]) -> DefinedDomain:
    name, uuid, order, delay_s, version, changed_s, text = row
    config = record_from_wire(DomainConfig, json.loads(text))
    return DefinedDomain(
        name=name,
        uuid=uuid,
        version=version,
        changed_s=changed_s,
        domain_type=config.c_info.type,
        max_memory_kib=config.b_info.max_memkb or config.b_info.target_memkb or 0,
        max_vcpus=config.b_info.max_vcpus or 1,
        autostart_order=order,
        autostart_delay_s=delay_s,
    )


def _completed(config: DomainConfig, uuid: str | None, before: DomainConfig | None) -> DomainConfig:
    """With a uuid and MAC addresses: the ones it had, else new ones, for a guest notices when they change."""
    c_info = config.c_info.replace(
        uuid=(config.c_info.uuid or uuid or str(uuid_module.uuid4())).lower(), domid=None
    )
    earlier = before.nics if before is not None else ()
    nics = tuple(
        nic
        if nic.mac is not None
        else nic.replace(mac=(earlier[index].mac if index < len(earlier) else None) or made_up_mac())
        for index, nic in enumerate(config.nics)
    )
    return config.replace(c_info=c_info, nics=nics)


def _storable(text: str | None) -> bytes | None:
    """Texts may hold bytes that are no UTF-8, as lone surrogates."""
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _text(data: bytes | str | None) -> str | None:
    return data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
