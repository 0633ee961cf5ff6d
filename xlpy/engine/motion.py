"""State in motion: the operations for saving, restoring and migrating. The agent's ``handover`` says who owns a domain when.

source                                  target
check_outgoing, describe_domain         check_incoming             nothing is changed yet
                                        prepare_incoming           only if disks are copied as well
copy_disk                               serve_disk                 one stream for each disk
save_domain                             restore_domain             the stream of the state
                                        accept_restored            from here on it is the target's
destroy_domain

To a host that has xl alone: save_domain, then release_saved when all has arrived, then destroy_domain.
"""

from __future__ import annotations

from xlpy.engine.operation import Refusing, operation
from xlpy.errors import InvalidState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.console_history import ConsoleHistory
    from xlpy.model.domain import DomainInfo
    from xlpy.model.migration import (
        DirectRoute,
        Finding,
        MigrationLimits,
        Peer,
        Report,
        SavedDomain,
        Transfer,
        TransferProgress,
    )
    from xlpy.model.remus import RemusOptions


class Motion(Refusing):
    """What ``Engine`` has of these. Those that only the agent can do say so."""

    saves_into_files = False  # whether the stream of a save may be a regular file: see ``break_off_save``

    # -- a look before

    @operation
    def check_outgoing(self, domid: int, copy_disks: bool = False) -> tuple[Finding, ...]:
        """What keeps this domain from leaving now: everything, not the first. Changes nothing.

        ``copy_disks`` says that its disks are to go along.
        """
        return ()

    @operation
    def check_incoming(self, saved: SavedDomain, copy_disks: bool = False) -> tuple[Finding, ...]:
        """What keeps this host from taking the domain in: everything that would fail later. Changes nothing."""
        return ()

    # -- the source

    @operation
    def describe_domain(self, domid: int) -> SavedDomain:
        """What has to precede the stream of ``save_domain``."""
        raise self._refuse("save a domain")

    def console_histories(
        self, domid: int, after: tuple[ConsoleHistory, ...] = ()
    ) -> tuple[ConsoleHistory, ...]:
        """What a domain's consoles have said, as far as it is kept and a domain takes along; or only what came ``after``.

        For the agent, which gives it to the target: in ``SavedDomain``, and the rest to ``accept_restored``.
        """
        return ()

    @operation
    def save_domain(
        self,
        domid: int,
        stream: int,
        limits: MigrationLimits | None = None,
        live: bool = False,
        peer: Peer | None = None,
        progress: Report | None = None,
    ) -> TransferProgress:
        """Write the domain's state to ``stream``; on return it is complete and the domain stands still.

        It then waits for ``resume_saved`` or ``destroy_domain``. ``live`` lets the guest run while most of its memory
        goes over. ``peer`` is the host that receives a migration, None for a save; one without an xlpyd may have it only
        after ``release_saved``. On failure or abort the domain runs on.
        """
        raise self._refuse("save a domain", stream)

    def break_off_save(self, domid: int) -> None:
        """Have a ``save_domain`` into a file end soon, with an error. For the agent, when it has lost who asked for it.

        Nothing happens where it has not begun; the agent asks again until it is over.

        Engines that set ``saves_into_files`` can; into a pipe or a socket nothing goes any more that has no other end.
        """

    @operation
    def replicate_domain(
        self, domid: int, stream: int, options: RemusOptions, peer: Peer | None = None
    ) -> None:
        """Send checkpoints of a running domain through ``stream``, a socket, until somebody destroys it.

        Raises XlError when the replication ends otherwise; the domain then runs on here, and where ``peer`` has taken
        the end for the loss of this host, there, too.
        """
        raise self._refuse("replicate a domain (Remus)", stream)

    @operation
    def release_saved(self, domid: int) -> None:
        """Let a ``peer`` without an xlpyd have a domain whose state is complete there; it stands still here.

        From here on only ``resume_saved`` by this client, ``settle_transfer`` or ``destroy_domain`` end that. Raises
        InvalidState for one that was not saved for such a peer.
        """
        raise self._refuse("migrate to a host that has xl alone")

    @operation
    def resume_saved(self, domid: int, paused: bool = False) -> None:
        """Take back a domain that stands still after ``save_domain``.

        After a migration this is for the client that leads it; ``settle_transfer`` is for everybody else.
        """
        raise self._refuse("resume a saved domain")

    def take_back_unfinished(self, domid: int, paused: bool = False) -> None:
        """Have a domain go on whose ``save_domain`` was killed. For the agent, which was as well."""
        self.resume_saved(domid, paused)

    @operation
    def copy_disk(self, domid: int, vdev: str, stream: int, bandwidth_bytes_per_s: int | None = None) -> None:
        """Begin to copy a disk through ``stream``, a socket, to where ``serve_disk`` has the other end.

        Returns when the copying has begun. From then on what the guest writes goes there too; ``save_domain`` waits
        until both are equal, and ends it. If the caller is lost before, the copying is given up.
        """
        raise self._refuse("copy a domain's disks", stream)

    def give_up_copies(self, domid: int) -> None:
        """Stop copying this domain's disks. For the agent, when it has lost who asked for it."""

    # -- the target

    @operation
    def prepare_incoming(self, saved: SavedDomain, supervised: bool = True) -> int:
        """Make empty disks for a domain whose disks are to come along, and have it wait for them and for its state.

        Returns its domid; ``restore_domain`` with the same ``saved`` then fills it. Until it is accepted it is the
        caller's: if that one is lost, domain and disks are removed.
        """
        raise self._refuse("copy a domain's disks")

    @operation
    def serve_disk(self, domid: int, vdev: str, stream: int) -> None:
        """Connect ``stream``, a socket, to a disk of a domain that was prepared; whoever has its other end fills it."""
        raise self._refuse("copy a domain's disks", stream)

    @operation
    def restore_domain(
        self,
        saved: SavedDomain,
        stream: int,
        supervised: bool = True,
        progress: Report | None = None,
    ) -> int:
        """Make a domain from a state stream; on return it is complete, paused and called ``NAME--incoming``.

        Returns its domid. It is the caller's until ``accept_restored``; if the caller is lost before, it is destroyed.
        """
        raise self._refuse("restore a domain", stream)

    def require_restored(self, domid: int) -> None:
        """Raise InvalidState if a restored domain has died meanwhile. For the agent, which asks before it accepts one."""
        if self.domain_info(domid).ended:
            raise InvalidState(f"domain {domid} has died")

    def domain_info(self, domid: int) -> DomainInfo:
        """See ``Engine``."""
        raise self._refuse("describe a domain")

    @operation
    def accept_restored(
        self, domid: int, paused: bool = False, consoles: tuple[ConsoleHistory, ...] = ()
    ) -> None:
        """Give a restored domain its name and let it run: from here on this host has it.

        ``consoles`` is what it has said at the source after what came with its description.
        """
        raise self._refuse("restore a domain")

    # -- a stream of the hosts' own, which the agents make: not over the client

    @operation
    def open_meeting(self, transfer_id: str) -> str:
        """Have a place where the state of this transfer will arrive: the path of a socket for one connection, once."""
        raise self._refuse("receive a domain directly from another host")

    @operation
    def receive_direct(
        self, saved: SavedDomain, supervised: bool = True, progress: Report | None = None
    ) -> int:
        """As ``restore_domain``, with what comes to the meeting place of this transfer as the stream."""
        raise self._refuse("receive a domain directly from another host")

    @operation
    def send_direct(
        self,
        domid: int,
        route: DirectRoute,
        limits: MigrationLimits | None = None,
        peer: Peer | None = None,
        progress: Report | None = None,
    ) -> TransferProgress:
        """As ``save_domain`` of a live domain, through a remote shell that is started on this host.

        Raises ConnectError with that one's own words when it doesn't get there.
        """
        raise self._refuse("send a domain directly to another host")

    # -- settling a migration that was cut off: the agent's own

    @operation
    def list_transfers(self) -> tuple[Transfer, ...]:
        """The migrations that are not over yet on this host's side."""
        return ()

    @operation
    def abort_transfer(self, domid: int) -> None:
        """Break off a migration while the state is on its way; whoever leads it is told, the domain runs on at the source.

        Raises InvalidState when all of it has been sent: then the target decides (``give_up_restored``).
        """
        raise self._refuse("abort a migration")

    @operation
    def restored_outcome(self, transfer_id: str) -> str:
        """What became of a domain that was to be restored here: ``accepted``, ``pending`` or ``absent``.

        ``absent`` is a promise: this transfer will never be accepted here from now on.
        """
        raise self._refuse("restore a domain")

    @operation
    def give_up_restored(self, transfer_id: str) -> str:
        """Give up what is being restored here, unless it was accepted. Returns ``accepted`` or ``absent``, for good."""
        raise self._refuse("restore a domain")

    @operation
    def settle_transfer(self, transfer_id: str, outcome: str) -> None:
        """Tell the source what became of a domain that it has sent.

        ``accepted``: it runs at the target, and what is left here is removed. ``absent``: it will never run there, and
        goes on here. ``lost``: the target is gone for good, somebody vouches for it; it goes on here.
        Raises InvalidState when no domain waits for the outcome of this transfer.
        """
        raise self._refuse("settle a migration")
