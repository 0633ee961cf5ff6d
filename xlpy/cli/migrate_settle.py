"""Migrations that were cut off, or shall be: ``xlpy migrate --list``, ``--resume`` and ``--abort``."""

from __future__ import annotations

from xlpy.errors import ConnectError, InvalidState, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.client.host import Host
    from xlpy.model.migration import Transfer


def settle(session: Session, args: Arguments) -> int | None:
    """One of the three."""
    if [args.flag(option) for option in ("list", "resume", "abort")].count(True) > 1:
        raise UsageError("--list, --resume and --abort exclude each other")
    if args.flag("list"):
        _show(session, args)
        return None
    if not args.rest:
        raise UsageError("which domain?", "xlpy migrate --list shows those whose migration is not over")
    transfer = _transfer(session, args.rest[0])
    if transfer is None:
        _resume_after_save(session, args.rest[0])
    elif args.flag("abort"):
        _abort(session, args, transfer)
    else:
        _resume(session, args, transfer)
    return None


def _show(session: Session, args: Arguments) -> None:
    from xlpy.render.migration import transfer_kind

    if args.rest:
        found = _transfer(session, args.rest[0])
        session.show(transfer_kind(), () if found is None else (found,))
    else:
        session.show(transfer_kind(), session.host.list_transfers())


def _transfer(session: Session, reference: str) -> Transfer | None:
    """The migration of this domain; one that is still being received is no domain of the target yet."""
    for transfer in session.host.list_transfers():
        if reference in (transfer.name, str(transfer.domid), transfer.uuid):
            return transfer
    return None


def _resume_after_save(session: Session, reference: str) -> None:
    """It may stand still after a save to a file. Raises InvalidState for one that doesn't stand still at all."""
    domain = session.domain(reference)
    if domain.activity != "saved":
        raise InvalidState(
            f"domain {reference} doesn't stand still after a migration", "see: xlpy list, xlpy events"
        )
    session.host.resume_saved(domain.domid)


def _resume(session: Session, args: Arguments, transfer: Transfer) -> None:
    """Have it go on where it belongs, by the target's word."""
    source = session.host
    if args.flag("force"):
        _require_source(transfer)
        source.settle_transfer(transfer.transfer_id, "lost")
        session.note(
            f"{transfer.name} goes on at {source.address}; it must never be started at {transfer.peer.name}"
        )
        return
    if transfer.side == "source" and transfer.led and transfer.state == "saving":
        raise InvalidState(
            f"the migration of {transfer.name} to {transfer.peer.name} is under way",
            f"'xlpy migrate --abort {transfer.name}' breaks it off",
        )
    _settle(session, args, transfer)


def _abort(session: Session, args: Arguments, transfer: Transfer) -> None:
    """Have it stay at the source, unless the target has it already."""
    if transfer.side == "source" and transfer.state == "saving":
        try:
            session.host.abort_transfer(transfer.domid)
        except InvalidState:
            pass  # all of it has been sent meanwhile: then the target has the say
        else:
            session.note(
                f"the migration of {transfer.name} is called off; it goes on at {session.host.address}"
            )
            return
    if transfer.side == "target" and len(args.rest) < 2:
        outcome: str = session.host.give_up_restored(transfer.transfer_id)
        if outcome == "absent":
            session.note(f"{transfer.name} is given up here; it goes on at {transfer.peer.name}")
    else:
        outcome = _settle(session, args, transfer)
    if outcome == "accepted":
        raise InvalidState(
            f"too late to abort: {transfer.name} has been taken by its target, and runs there",
            "migrate it back if it is to run where it came from",
        )


def _settle(session: Session, args: Arguments, transfer: Transfer) -> str:
    """Ask the target and tell the source. Returns ``accepted`` or ``absent``."""
    from xlpy.client.settle import settle as settle_hosts

    if transfer.side == "source" and not transfer.peer.instance:
        raise InvalidState(
            f"{transfer.peer.name} has xl alone, which cannot be asked what became of {transfer.name}",
            f"look there with xl list, then: {transfer.peer.by_hand(transfer.name)}",
        )
    other = _other_host(session, args, transfer)
    source, target = (session.host, other) if transfer.side == "source" else (other, session.host)
    if transfer.side == "target":
        transfer = _at_source(source, transfer)
    outcome = settle_hosts(source, target, transfer)
    where = target.address if outcome == "accepted" else source.address
    session.note(f"{transfer.name} goes on at {where}")
    return outcome


def _other_host(session: Session, args: Arguments, transfer: Transfer) -> Host:
    """The other side of the transfer: as named now, or as the client called it then. Raises ConnectError."""
    name = args.rest[1] if len(args.rest) > 1 else transfer.peer.name
    other = session.other_host(name)
    try:
        other.hello  # noqa: B018 -- whether it answers
    except ConnectError as error:
        raise ConnectError(
            f"{name} has the say in what becomes of {transfer.name}, and cannot be asked: {error.message}",
            f"if {name} is lost for good: xlpy migrate --resume --force {transfer.name}",
            detail=error.detail,
        ) from error
    return other


def _at_source(source: Host, transfer: Transfer) -> Transfer:
    """The same transfer, as the source sees it."""
    for other in source.list_transfers():
        if other.transfer_id == transfer.transfer_id:
            return other
    raise InvalidState(
        f"{source.address} does not wait for {transfer.name}", "is it the host that it comes from?"
    )


def _require_source(transfer: Transfer) -> None:
    if transfer.side != "source":
        raise UsageError(
            f"{transfer.name} is being received here", "--force is for the host that it comes from"
        )
