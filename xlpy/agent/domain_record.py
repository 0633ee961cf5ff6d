"""What xlpyd knows about a domain beyond its engine: who it is, what it shall be, and what is being done with it."""

from __future__ import annotations

from xlpy.model.choice import Choice
from xlpy.model.domain_config import DomainConfig
from xlpy.model.migration import Peer
from xlpy.model.record import Record


class Phase(Choice):
    """What is being done with a domain.

    A phase is written before the engine is asked, so that after a kill it says what has to be finished or undone;
    ``agent.adoption`` does.
    """

    CREATING = "creating"  # the engine makes it; undo
    RUNNING = "running"  # nothing is being done; it may be paused, or have ended
    DESTROYING = "destroying"  # finish
    RESTARTING = "restarting"  # its old self has to go before the new one comes; finish
    RECREATING = "recreating"  # its new self is being made, under the domid in the record; finish
    SAVING = "saving"  # its state goes to a stream; take back
    SAVED = (
        "saved"  # its state is complete elsewhere, where nobody may use it yet, the client decides; take back
    )
    SENT = "sent"  # its state is complete at the receiver, which may have been told to accept it; what it says counts
    INCOMING = "incoming"  # its state is coming from a stream, the client decides; undo
    ACCEPTED = "accepted"  # it is ours for good, the engine has to let it run; finish


# From where to where a domain may go; all else is an InvalidState. The last step is to have no record at all.
TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.CREATING: frozenset({Phase.RUNNING}),
    Phase.RUNNING: frozenset({Phase.DESTROYING, Phase.RESTARTING, Phase.SAVING}),
    Phase.DESTROYING: frozenset({Phase.DESTROYING}),
    Phase.RESTARTING: frozenset({Phase.RECREATING, Phase.DESTROYING, Phase.RUNNING}),
    Phase.RECREATING: frozenset({Phase.RECREATING, Phase.RUNNING}),
    Phase.SAVING: frozenset({Phase.SAVED, Phase.SENT, Phase.RUNNING, Phase.DESTROYING}),
    Phase.SAVED: frozenset({Phase.SENT, Phase.RUNNING, Phase.DESTROYING}),
    Phase.SENT: frozenset({Phase.RUNNING, Phase.DESTROYING}),
    Phase.INCOMING: frozenset({Phase.ACCEPTED, Phase.DESTROYING}),
    Phase.ACCEPTED: frozenset({Phase.RUNNING, Phase.DESTROYING}),
}

# How an error says it.
DOING = {
    Phase.CREATING: "is being created",
    Phase.RUNNING: "is running",
    Phase.DESTROYING: "is being destroyed",
    Phase.RESTARTING: "is being restarted",
    Phase.RECREATING: "is being restarted",
    Phase.SAVING: "is being saved or migrated",
    Phase.SAVED: "stands still after a save",
    Phase.SENT: "was sent to another host, which has not confirmed yet that it runs there",
    Phase.INCOMING: "is being received",
    Phase.ACCEPTED: "is being received",
}


class DomainRecord(Record):
    """One domain. ``config`` is what its next start uses; ``updated`` says that it was replaced while it ran."""

    uuid: str
    domid: int
    name: str
    phase: Phase
    config: DomainConfig
    config_text: str | None = None
    supervised: bool = True
    paused: bool = False  # shall be paused when what is being done with it is over
    updated: bool = False
    receiver: Peer | None = None  # the host that it is sent to
    sender: str | None = None  # the host that it comes from, as the client calls it
    transfer_id: str | None = None
    started_s: float = 0.0
