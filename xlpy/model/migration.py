"""Moving a domain's state: to a file, or to another host."""

from __future__ import annotations

from xlpy.model.domain_config import DomainConfig
from xlpy.model.record import Record


class SavedDomain(Record):
    """What a state stream needs before it: goes into the header of a save file and ahead of a migration.

    ``stream_format`` names who can read the stream (``qemu`` or ``libxl``) and ``stream_version`` its version.
    ``machine`` is the engine's own description of the machine that the stream fits, such as the places of its devices.
    ``transfer_id`` is new for every attempt: by it the source asks the target what became of the domain.
    """

    config: DomainConfig
    stream_format: str
    stream_version: str
    xlpy_version: str
    config_text: str | None = None
    start_time_s: float | None = None
    machine: dict[str, object] = {}  # noqa: RUF012
    transfer_id: str | None = None


class MigrationLimits(Record):
    """How hard a live migration may try. Downtime starts low and is raised only if it doesn't converge."""

    bandwidth_bytes_per_s: int | None = None
    downtime_ms: int = 30
    max_downtime_ms: int = 2000


class TransferProgress(Record):
    """A moment of a save, restore or migration, and at its end the whole of it."""

    phase: str  # setup active completed failed cancelled
    transferred_bytes: int = 0
    remaining_bytes: int = 0
    total_bytes: int = 0
    rate_bytes_per_s: int = 0
    dirty_rate_bytes_per_s: int = 0
    downtime_ms: int = 0
    elapsed_ms: int = 0
