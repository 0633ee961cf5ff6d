"""The inventory: host list, show, add, remove."""

from __future__ import annotations

import os
import sys

from xlpy.cli.host_key import ask
from xlpy.cli.numbers import whole_number
from xlpy.errors import ConfigError, PermissionRefused, UnknownHostKey, UsageError, XlError
from xlpy.inventory.choose import choose, with_way
from xlpy.inventory.edit import with_host, without_host
from xlpy.inventory.entry import HostEntry
from xlpy.inventory.file import parse_inventory, read_inventory
from xlpy.inventory.place import inventory_path
from xlpy.inventory.rewrite import rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.inventory.edit import Settings

_SETTINGS = (
    "user",
    "port",
    "identity-file",
    "known-hosts-file",
    "proxy-jump",
    "python",
    "socket",
    "state-dir",
)


def list_hosts(session: Session, args: Arguments) -> None:
    """The hosts of the inventory, or those that are named, also by their groups."""
    from xlpy.render.inventory import entry_kind

    inventory = read_inventory()
    names = args.rest or session.options.hosts
    entries = choose(inventory, names) if names else inventory.hosts
    session.show(entry_kind(), entries)
    if not inventory.hosts and not names:
        sys.stdout.flush()
        session.say(f"there are no hosts in {inventory.path} yet; xlpy host add NAME adds one")


def show(session: Session, args: Arguments) -> None:
    """All that is known of hosts, defaults included, and what ``~/.ssh/config`` makes of it."""
    from xlpy.client.probe import route
    from xlpy.render.inventory import Reached, reached_kind

    entries = choose(read_inventory(), args.rest)
    session.show(reached_kind(), [Reached(entry, route(entry)) for entry in entries])


def add(session: Session, args: Arguments) -> None:
    """Try to reach a host, agree on its host key, and write it into the inventory.

    For one that is there already only its host key is asked about.
    """
    name, *more = args.rest
    if len(more) > 1:
        raise UsageError(f"{more[1]!r} is one argument too many", "xlpy host add NAME [ADDRESS]")
    settings = _settings(args, more[0] if more else None)
    known = read_inventory().find(name)
    path = inventory_path(os.environ)
    if known is not None and settings:
        raise UsageError(f"there is a host {name!r} in {path} already", f"change it there: {path}")
    if known is None:
        _require_own_name(name)
    entry = known or _entry(path, name, settings)
    if known is None and session.rehearses(f"add {name} to {path}", host=None):
        return
    if known is not None and session.rehearses(f"agree on the host key of {name}", host=None):
        return
    if not args.flag("no-connect"):
        _reach(session, args, entry)
    if known is None:
        rewrite(path, lambda data: with_host(data, path, name, settings))
        session.say(f"{name} is in {path} now")


def remove(session: Session, args: Arguments) -> None:
    """Take hosts out of the inventory, all or none of those that are named."""
    path = inventory_path(os.environ)

    def without(data: bytes) -> bytes:
        for name in args.rest:
            data = without_host(data, path, name)
        return data

    if session.plan is not None:
        for name in choose(read_inventory(), args.rest):
            session.rehearses(f"take {name.name} out of {path}", host=None)
        return
    rewrite(path, without)


def _require_own_name(name: str) -> None:
    from xlpy.inventory.address import is_name

    if not is_name(name):
        raise UsageError(
            f"{name!r} is no name for a host",
            "xlpy host add NAME ADDRESS, e.g. xlpy host add xen1 ssh://root@[::1]",
        )


def _settings(args: Arguments, address: str | None) -> Settings:
    """What the options say, as it is written into the file."""
    found: dict[str, str | int | float | bool | tuple[str, ...] | dict[str, str]] = {}
    if address is not None:
        found["address"] = address
    for option in _SETTINGS:
        text = args.value(option)
        if text is not None:
            found[option.replace("-", "_")] = (
                whole_number(text, "port", 1, 0xFFFF) if option == "port" else text
            )
    if args.flag("sudo"):
        found["sudo"] = True
    groups = tuple(name for text in args.values("group") for name in text.split(",") if name)
    if groups:
        found["groups"] = groups
    labels = dict(_label(text) for text in args.values("label"))
    if labels:
        found["labels"] = labels
    return found


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--label takes NAME=VALUE, not {text!r}")
    return name, value


def _entry(path: str, name: str, settings: Settings) -> HostEntry:
    """The host as the inventory will have it. Raises UsageError for what it would not take."""
    try:
        with open(path, "rb") as file:
            before = file.read()
    except FileNotFoundError:
        before = b""
    parse_inventory(before, path)
    try:
        inventory = parse_inventory(with_host(before, path, name, settings), path)
    except ConfigError as error:
        raise UsageError(error.message, error.hint) from error
    entry = inventory.find(name)
    assert entry is not None
    return with_way(inventory, entry)


def _reach(session: Session, args: Arguments, entry: HostEntry) -> None:
    """Connect, with the user's consent to a new host key. Raises what keeps it from working."""
    from xlpy.client.host import connect_entry

    host = connect_entry(entry, lambda error: _agrees(session, args, error))
    try:
        hello = host.hello
    except UnknownHostKey as error:
        error.hint = (
            "compare it with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then add it with "
            f"--fingerprint {error.fingerprint}, or unseen with --accept-new"
        )
        raise
    except XlError as error:
        error.hint = f"{error.hint}; " if error.hint else ""
        error.hint += "--no-connect adds the host as it is"
        raise
    finally:
        host.close()
    session.note(f"{entry.name}: xlpy {hello.version} with the {hello.engine} engine answers")


def _agrees(session: Session, args: Arguments, error: UnknownHostKey) -> bool:
    """Whether this is the host's key: by what was said on the command line, else by whom sits at the terminal."""
    expected = args.value("fingerprint")
    if expected is not None:
        if expected.removeprefix("SHA256:").rstrip("=") == error.fingerprint.removeprefix("SHA256:"):
            return True
        raise PermissionRefused(
            f"{error.message.partition(':')[0]}: its host key is another one than expected",
            "somebody may be in between, or the fingerprint is that of another kind of key",
            detail=f"{error.detail}\nexpected {expected}",
        )
    if args.flag("accept-new"):
        session.say(f"{error.message.partition(':')[0]}: {error.detail}, accepted unseen")
        return True
    return ask(session, error)
