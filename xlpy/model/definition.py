"""Managed domains: domains that are remembered with their configuration whether they run or not."""

from __future__ import annotations

from xlpy.model.domain import DomainType
from xlpy.model.domain_config import DomainConfig
from xlpy.model.record import Record


class DefinedDomain(Record):
    """A managed domain in short. ``autostart_order`` is None for one that isn't started when the host is."""

    name: str
    uuid: str
    version: int
    changed_s: float  # seconds since the epoch
    domain_type: DomainType = DomainType.PV
    max_memory_kib: int = 0
    max_vcpus: int = 1
    autostart_order: int | None = None
    autostart_delay_s: float = 0.0


class DefinitionVersion(Record):
    """One of the configurations that a managed domain has had; ``who`` is the uid that gave it."""

    version: int
    changed_s: float
    who: str
    text_bytes: int = 0


class Definition(Record):
    """A managed domain's configuration. ``directory`` is where the relative paths in ``config_text`` begin."""

    name: str
    uuid: str
    version: int
    changed_s: float
    who: str
    config: DomainConfig
    config_text: str | None = None
    directory: str | None = None
