"""``xlpy lab``: real Xen hosts in QEMU."""

from __future__ import annotations

import os

from xlpy.cli.numbers import number_of
from xlpy.errors import InvalidState, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.lab.lab import Lab


def up(session: Session, args: Arguments) -> None:
    """Make hosts, or start those that are there, and enter them in the inventory."""
    from xlpy.lab.lab import FIRST_NAME, Wish

    wish = Wish(
        xen=args.value("xen"),
        memory_mib=number_of(args, "memory", "memory size in MiB", 1024, 65536),
        cpus=number_of(args, "cpus", "number of cpus", 1, 16),
        guest=args.value("guest"),
    )
    lab = _lab(session)
    for name in args.rest or [FIRST_NAME]:
        if session.rehearses(f"run a Xen host, {name}, in QEMU, and enter it in the inventory", host=None):
            continue
        host = lab.up(name, wish)
        session.say(f"{name} runs Xen {host.record.xen}; try: xlpy -H {name} list, or: xlpy lab ssh {name}")


def down(session: Session, args: Arguments) -> None:
    """End hosts and forget them; all of them if none is named."""
    lab = _lab(session)
    for name in named_hosts(session, args.rest):
        if not session.rehearses(f"end {name} and remove its disks", host=None):
            lab.down(name)


def named_hosts(session: Session, names: list[str]) -> list[str]:
    """The hosts that are named, or else all there are. Raises InvalidState for one that isn't there."""
    lab = _lab(session)
    return [lab.host(name).name for name in names] if names else [host.name for host in lab.hosts()]


def status(session: Session, args: Arguments) -> None:
    """The hosts there are, and how they are."""
    from xlpy.render.lab import lab_host_kind

    lab = _lab(session)
    session.show(lab_host_kind(), [lab.host(name) for name in args.rest] or lab.hosts())


def ssh(session: Session, args: Arguments) -> int:
    """A login on a host, or a command there; this process becomes ssh."""
    name, *words = args.rest
    host = _lab(session).host(name)
    if host.pid is None:
        raise InvalidState(f"{name} does not run", f"start it: xlpy lab up {name}")
    argv = host.ssh_argv(words)
    os.execv(argv[0], argv)


def snapshot(session: Session, args: Arguments) -> None:
    """Keep a host's present state under a name, or as the one that ``reset`` goes back to."""
    name, tag = _name_and_snapshot(args)
    lab = _lab(session)
    if not session.rehearses(f"keep the state of {lab.host(name).name} as {tag}", host=None):
        lab.save_snapshot(name, tag)


def reset(session: Session, args: Arguments) -> None:
    """Put a host back into a state that was kept, or into that of its first start."""
    name, tag = _name_and_snapshot(args)
    lab = _lab(session)
    if not session.rehearses(f"put {lab.host(name).name} back into its state {tag}", host=None):
        lab.reset(name, tag)


def _lab(session: Session) -> Lab:
    from xlpy.lab.lab import Lab
    from xlpy.lab.places import Places

    return Lab(Places(os.environ), session.say)


def _name_and_snapshot(args: Arguments) -> tuple[str, str]:
    from xlpy.lab.machine import READY

    name, *more = args.rest
    if len(more) > 1:
        raise UsageError(f"{more[1]!r} is one word too many", "a host, and a snapshot's name")
    return name, more[0] if more else READY
