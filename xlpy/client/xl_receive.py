"""The target's side of xl's migration protocol (migrate_receive in xl_migrate.c), for a domain that any xl sends.

The sender has the domain until it has said GO; from then on it is this host's. What was received and never accepted is
destroyed here before the sender is told that it may let its own go on.
"""

from __future__ import annotations

import os

from xlpy.client.preflight import HostFinding, refusal
from xlpy.client.save_file import read_header
from xlpy.client.whole_bytes import write_all
from xlpy.client.xl_wire import BANNER, FAILURE, GO, READY, REPORT, SUCCESS, expect
from xlpy.errors import ConnectError, Interrupted, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.client.host import Host
    from xlpy.model.migration import SavedDomain

_SENDER = "the sender"
_STREAM = "the incoming migration"


class Reception:
    """One domain that comes by ``source`` while answers go by ``answers``; both descriptors stay open.

    ``sender`` is what to call the host that it comes from. ``paused`` leaves it paused. ``failover`` means a Remus stream:
    nothing is asked of the sender, which has crashed when the stream ends. ``say`` is told how far it is.
    """

    def __init__(
        self,
        host: Host,
        source: int,
        answers: int,
        *,
        sender: str,
        paused: bool = False,
        supervised: bool = True,
        failover: bool = False,
        say: Callable[[str], None] = lambda text: None,
        show: Callable[[SavedDomain], None] = lambda saved: None,
    ) -> None:
        self._host = host
        self._source = source
        self._answers = answers
        self._sender = sender
        self._paused = paused
        self._supervised = supervised
        self._failover = failover
        self._say = say
        self._show = show

    def run(self) -> int:
        """Receive it and return its domid. Raises XlError; then nothing is left here, unless the error says so."""
        try:
            return self._receive()
        except OSError as error:
            raise Interrupted(
                f"{_SENDER} cannot be answered any more: {error.strerror}",
                "nothing is left here; the domain is where it was",
            ) from error

    def _receive(self) -> int:
        self._require_near()
        self._say("migration target: Ready to receive domain.")
        write_all(self._answers, BANNER)
        saved = read_header(self._source, _STREAM).replace(
            transfer_id=_new_id(), sender=self._sender, failover=self._failover
        )
        self._transfer_id = saved.transfer_id or ""
        self._show(saved)
        self._look(saved)
        domid: int = self._host.restore_domain(saved, os.dup(self._source), self._supervised)
        for fd in (self._source, self._answers):
            os.set_blocking(fd, True)  # QEMU reads without waiting, and that is shared by all copies
        if self._failover:
            self._say(f"migration target: Remus Failover for domain {domid}")
            self._host.accept_restored(domid, self._paused)
        else:
            self._hand_over(domid)
        return domid

    def _require_near(self) -> None:
        """The stream is followed by what is for us, so nobody may read ahead, as the relays of a far host do."""
        if self._host.far:
            raise UsageError(
                f"{self._host.address} is reached over a network, and a domain of xl's is received on the host itself",
                f"run it there: ssh {self._host.address} xlpy migrate-receive",
            )

    def _look(self, saved: SavedDomain) -> None:
        """What would make it fail is said before all the memory has come. Raises XlError."""
        found = [
            HostFinding(host=self._host.address, finding=finding)
            for finding in self._host.check_incoming(saved)
        ]
        problem = refusal(found, f"the domain stays at {self._sender}")
        if problem is not None:
            raise problem

    def _hand_over(self, domid: int) -> None:
        self._say("migration target: Transfer complete, requesting permission to start domain.")
        try:
            write_all(self._answers, READY)
            expect(self._source, GO, _SENDER)
            self._say("migration target: Got permission, starting domain.")
            self._accept(domid)
        except (XlError, OSError) as error:
            if isinstance(error, XlError) and self._is_ours_now(error):
                pass  # the connection to xlpyd broke behind its decision
            else:
                self._give_back(domid)
                raise
        self._say("migration target: Domain started successsfully.")
        write_all(self._answers, REPORT + SUCCESS)

    def _accept(self, domid: int) -> None:
        self._host.accept_restored(domid, self._paused)

    def _is_ours_now(self, error: XlError) -> bool:
        """Whether it was accepted although nobody told us. Raises the error where that can't be known."""
        if not isinstance(error, (ConnectError, Interrupted)):
            return False
        try:
            return self._host.give_up_restored(self._transfer_id) == "accepted"
        except XlError:
            raise error from None

    def _give_back(self, domid: int) -> None:
        """Destroy what there is here; only then may the sender let its own go on."""
        write_all(self._answers, REPORT + FAILURE)
        self._say("migration target: Failure, destroying our copy.")
        if self._host.give_up_restored(self._transfer_id) == "accepted":
            self._host.destroy_domain(domid)
        self._say("migration target: Cleanup OK, granting sender permission to resume.")
        write_all(self._answers, GO)


def _new_id() -> str:
    """A random uuid from the kernel, which is asked sooner than Python's module is imported."""
    with open("/proc/sys/kernel/random/uuid", encoding="ascii") as file:
        return file.read().strip()
