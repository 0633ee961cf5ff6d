"""Command: one row of the tables ``table_*``.

To add a command: one row in the table of its topic, and the function its ``handler`` names (``module:function`` under
``xlpy.cli``):

    def frobnicate(session: Session, args: Arguments) -> int | None:
        '''What it does and the libxl call or man page it follows.'''

It reads ``args`` (``args.flag("force")``, ``args.value("domain")``, ``args.rest``), asks ``session.host``, shows rows by
``session.show(kind, rows)`` and speaks to the user by ``session.say``. It returns the exit status, None being 0;
what goes wrong is an XlError. It isn't imported before the command runs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.cli.options import Arguments, Option
    from xlpy.cli.session import Session

    Handler = Callable[[Session, Arguments], int | None]


class Command:
    """One command: how it is called, who carries it out, what it may do.

    ``needs`` is how many arguments it takes at least, ``usage`` and ``summary`` are xl's words, and so are ``modifies`` and
    ``dry_run``, which says that the handler itself shows what ``-N`` shows in xl. ``changes`` is whether it can change
    anything, and so has ``-N`` and ``--plan``, if that is not what xl calls it; ``loses`` has ``losses`` asked. ``own``
    marks what xl doesn't have.
    """

    __slots__ = (
        *("changes", "dry_run", "handler", "loses", "modifies", "name"),
        *("needs", "options", "own", "summary", "usage"),
    )

    def __init__(
        self,
        name: str,
        handler: str,
        usage: str,
        summary: str,
        *options: Option,
        needs: int = 0,
        modifies: bool = False,
        dry_run: bool = False,
        changes: bool = False,
        loses: bool = False,
        own: bool = False,
    ) -> None:
        self.name = name
        self.handler = handler
        self.usage = usage
        self.summary = summary
        self.options = options
        self.needs = needs
        self.modifies = modifies
        self.dry_run = dry_run
        self.changes = changes or modifies
        self.loses = loses
        self.own = own

    def carry_out(self, session: Session, args: Arguments) -> int:
        """Do it, after a question if something is lost by it; returns the exit status."""
        self.ask(session, args)
        return self.load()(session, args) or 0

    def ask(self, session: Session, args: Arguments) -> None:
        """Ask whoever sits at the terminal if something is lost by it. Raises Aborted."""
        if self.loses:
            from xlpy.cli.consent import require_consent

            require_consent(session, self, args)

    def load(self) -> Handler:
        """The function that carries the command out; its module is imported now."""
        from xlpy.model.late_import import import_module

        module, _, function = self.handler.partition(":")
        handler: Handler = getattr(import_module(f"xlpy.cli.{module}"), function)
        return handler
