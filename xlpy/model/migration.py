"""Moving a domain's state: to a file, or to another host."""

from __future__ import annotations

from xlpy.model.console_history import ConsoleHistory
from xlpy.model.device_config import DiskConfig
from xlpy.model.domain_config import DomainConfig
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class SavedDomain(Record):
    """What a state stream needs before it: goes into the header of a save file and ahead of a migration.

    ``stream_format`` names who can read the stream (``qemu`` or ``libxl``) and ``stream_version`` its version.
    ``machine`` is the engine's own description of the machine that the stream fits, such as the places of its devices.
    ``transfer_id`` is new for every attempt: by it the target is asked what became of the domain. ``sender`` is what the
    client that leads the migration calls its source. ``failover`` marks a stream of checkpoints (Remus), which goes on
    until its sender is lost. ``consoles`` is what its consoles have said up to now. What follows is for ``check_incoming``,
    as far as the engine knows it: the version of its program, the processor features that the guest has seen, each disk's
    size by its vdev.
    """

    config: DomainConfig
    stream_format: str
    stream_version: str
    xlpy_version: str
    config_text: str | None = None
    start_time_s: float | None = None
    machine: dict[str, object] = {}  # noqa: RUF012
    transfer_id: str | None = None
    sender: str | None = None
    failover: bool = False
    consoles: tuple[ConsoleHistory, ...] = ()
    program_version: str | None = None
    cpu_features: tuple[str, ...] = ()
    disk_bytes: dict[str, int] = {}  # noqa: RUF012


class Peer(Record):
    """The host at the other end of a migration. ``name`` is what the client that leads it calls that host.

    ``instance`` is its xlpyd's (``protocol.messages.Hello``): only that one knows what became of the transfer. It is empty
    for a host that has xl alone, which remembers nothing. ``address`` is where other xlpyds may reach it by themselves, if
    they may: ``unix:///path``.
    """

    name: str
    instance: str = ""
    address: str | None = None

    def by_hand(self, domain: str) -> str:
        """What settles a migration to a host that has xl alone, once somebody has looked there."""
        return f"'xlpy destroy {domain}' here if it runs there, 'xlpy migrate --resume --force {domain}' here if it does not"


class DirectRoute(Record):
    """How the source's host reaches the target's by itself, for the state alone.

    ``command`` is a remote shell, such as ssh with its options and destination: what follows as one more word is run at the
    target. There it connects, with the interpreter ``python``, to the socket ``meeting_place`` of the xlpyd.
    """

    command: tuple[str, ...]
    meeting_place: str
    python: str = "python3"


class Transfer(Record):
    """A domain on its way from host to host, as one of the two sees it.

    ``side`` is ``source`` or ``target``, ``state`` the agent's word for how far it is: ``saving`` and ``sent`` at the
    source, ``incoming`` and ``accepted`` at the target. ``led`` says whether the client that leads it is still there.
    """

    transfer_id: str
    domid: int
    name: str
    uuid: str
    side: str
    state: str
    peer: Peer
    led: bool = False
    paused: bool = False


class Finding(Record):
    """Something that a look before a migration has shown: an ``error`` that would make it fail, or a ``warning``.

    ``code`` is that of the error it would end in (``xlpy.errors``), or a word for the warning.
    """

    severity: str
    code: str
    text: str
    hint: str | None = None


class MigrationLimits(Record):
    """How hard a live migration may try. Downtime starts low and is raised only if it doesn't converge."""

    bandwidth_bytes_per_s: int | None = None
    downtime_ms: int = 30
    max_downtime_ms: int = 2000


class TransferProgress(Record):
    """A moment of a save, restore or migration, and at its end the whole of it.

    In the phase ``disks`` the numbers are those of the disks that are copied, else those of the memory. At the end of a
    migration ``consoles`` is what they have said since ``describe_domain``.
    """

    phase: str  # setup disks active completed failed cancelled
    transferred_bytes: int = 0
    remaining_bytes: int = 0
    total_bytes: int = 0
    rate_bytes_per_s: int = 0
    dirty_rate_bytes_per_s: int = 0
    downtime_ms: int = 0
    elapsed_ms: int = 0
    consoles: tuple[ConsoleHistory, ...] = ()


if TYPE_CHECKING:
    Report = Callable[[TransferProgress], None]


def copied_disks(config: DomainConfig) -> tuple[DiskConfig, ...]:
    """The disks that are taken along when disks are copied: those that the guest may write to."""
    return tuple(disk for disk in config.disks if disk.readwrite and not disk.is_cdrom and disk.pdev_path)
