"""``xlpy config diff``: in what a configuration differs from a domain or another file."""

from __future__ import annotations

import os

from xlpy.cli.config_file import read_config, variables_of, with_absolute_paths
from xlpy.cli.usage import too_many
from xlpy.config.compare import compare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.config.compare import Difference
    from xlpy.model.domain_config import DomainConfig
    from xlpy.render.kind import Kind, Row

LIVE = "live"
RESTART = "restart"


def diff(session: Session, args: Arguments) -> int:
    """Print each difference and how to apply it; 1 if there are any. What is a file's name is taken for a file."""
    path, other = args.rest[:2]
    if len(args.rest) > 2:
        return too_many(session, "config diff", args.rest[2], 2)
    parsed = read_config(session, path, variables=variables_of(args))
    wanted = with_absolute_paths(parsed.config, os.getcwd())
    is_file = os.path.exists(other)
    any_uuid = "uuid" not in parsed.settings
    if is_file:
        second = read_config(session, other, variables=variables_of(args))
        present = with_absolute_paths(second.config, os.getcwd())
        any_uuid = any_uuid or "uuid" not in second.settings
    else:
        present = _config_of(session, other)
    found = compare(wanted, present, any_uuid)
    program = ["xlpy", *(("-H", session.host_names[0]) if session.host_names else ())]
    rows = [_Line(difference, path, other, is_file, program) for difference in found]
    if rows or session.structured:
        session.show(difference_kind(), rows)
    return 1 if rows else 0


def _config_of(session: Session, reference: str) -> DomainConfig:
    """The configuration that a domain runs with, under the name it has now."""
    return session.host.domain_config(session.domain(reference).domid)


class _Line:
    """A difference as it is shown."""

    def __init__(
        self, difference: Difference, path: str, other: str, is_file: bool, program: Sequence[str]
    ) -> None:
        self._program = program
        self.path = path
        self.other = other
        self.setting = difference.setting
        self.wanted = difference.wanted
        self.present = difference.present
        self.commands = () if is_file else tuple([self._shell(words) for words in _known(difference)])
        self.applies = None if is_file else LIVE if self.commands else RESTART

    def how(self) -> str | None:
        """What to do about it, for people."""
        if self.applies is None:
            return None
        if self.commands:
            return "now: " + " && ".join(self.commands)
        return f"at restart: {self._shell(('config-update',))}"

    def _shell(self, words: tuple[str, ...]) -> str:
        """A command as a user would type it."""
        from shlex import join

        command, *rest = words
        if command == "sched-credit2":
            return join([*self._program, command, "-d", self.other, *rest])
        if command == "config-update":
            rest = [self.path]
        return join([*self._program, command, self.other, *rest])


def _known(difference: Difference) -> tuple[tuple[str, ...], ...]:
    """The commands, if this release has all of them."""
    from xlpy.cli.commands import find_command

    return difference.commands if all(find_command(words[0]) for words in difference.commands) else ()


def difference_kind() -> Kind:
    """A setting that two configurations have differently."""
    from xlpy.render.kind import Column, Kind

    return Kind(
        "config-difference",
        (
            Column("setting", "Setting", lambda row: row.setting),
            Column("wanted", "File", lambda row: row.wanted),
            Column("present", "Domain", lambda row: row.present),
            Column("applies", "Applies", lambda row: row.applies),
            Column("commands", "Commands", lambda row: row.commands),
        ),
        _plain,
    )


def _plain(rows: Sequence[Row], headers: bool) -> Iterator[str]:
    """As diff(1) marks it: what the other side has, what the file says, and how to get there."""
    if rows and headers:
        yield f"--- {rows[0].other}"
        yield f"+++ {rows[0].path}"
    for row in rows:
        if row.present is not None:
            yield f"- {row.setting} = {row.present}"
        if row.wanted is not None:
            yield f"+ {row.setting} = {row.wanted}"
        how = row.how()
        if how is not None:
            yield f"    {how}"
