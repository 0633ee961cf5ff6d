"""What is wanted at the end of a command line, by getopt's rules (``cli.options``) and the tables of commands."""

from __future__ import annotations

from xlpy.cli.commands import find_command, subcommands
from xlpy.cli.global_options import GLOBALS, XL_GLOBALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.cli.command import Command
    from xlpy.cli.options import Option


class Place:
    """Where the cursor is.

    ``front`` is the part of the current word that is settled (``--host=``) and ``word`` the rest. One of these is
    wanted: the value of ``option``, or else, with ``dashed``, an option, or else an argument: the ``arguments`` before
    it are there. Without ``command`` that is a command; ``group`` is the first word of one that has two.
    """

    def __init__(self, xl: bool) -> None:
        self.xl = xl
        self.command: Command | None = None
        self.group: str | None = None
        self.arguments: list[str] = []
        self.hosts: list[str] = []
        self.option: Option | None = None
        self.dashed = False
        self.front = ""
        self.word = ""

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that may stand here."""
        if self.command is None:
            return XL_GLOBALS if self.xl else GLOBALS
        return self.command.options if self.xl else (*self.command.options, *GLOBALS)


def find_place(words: Sequence[str], xl: bool) -> Place | None:
    """The place of the last of these words, which stand behind the program's name; None if nothing fits there."""
    place = Place(xl)
    *before, current = words
    options_over = False
    for word in before:
        if place.option is not None:
            _note(place, place.option, word)
            place.option = None
        elif word == "--" and not options_over:
            options_over = True
        elif word.startswith("-") and len(word) > 1 and not options_over:
            place.option = _given(place, word)
        elif place.command is not None:
            place.arguments.append(word)
        elif not _take_command(place, word):
            return None
    if place.option is None and current.startswith("-") and not options_over:
        name, equals, value = current.partition("=")
        option = _long(place, name[2:]) if name.startswith("--") and equals else None
        if option is not None and option.metavar is not None:
            place.option, place.front, current = option, f"{name}=", value
        place.dashed = place.option is None
    place.word = current
    return place


def _take_command(place: Place, word: str) -> bool:
    """Let the word be the name of the command, or half of it; False if there is none of this name."""
    name = word if place.group is None else f"{place.group} {word}"
    place.command = find_command(name)
    if place.command is not None:
        place.group = None
    elif place.group is None and not place.xl and subcommands(word):
        place.group = word
    else:
        return False
    return True


def _given(place: Place, word: str) -> Option | None:
    """The option at the end of this word whose value is the next word."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        option = _long(place, name)
        if option is None or option.metavar is None:
            return None
        if equals:
            _note(place, option, value)
        return None if equals or option.optional else option
    letters = {letter: option for option in reversed(place.options) for letter in option.letters}
    for position, letter in enumerate(word[1:], 2):
        option = letters.get(letter)
        if option is not None and option.metavar is not None:
            if position == len(word):
                return None if option.optional else option
            _note(place, option, word[position:])
            return None
    return None


def _long(place: Place, name: str) -> Option | None:
    """The option of this long name, or of which it is an unambiguous beginning."""
    matching: dict[str, Option] = {}
    for option in place.options:
        for long in option.longs:
            if long == name:
                return option
            if long.startswith(name):
                matching.setdefault(long, option)
    return next(iter(matching.values())) if len(matching) == 1 else None


def _note(place: Place, option: Option, value: str) -> None:
    """Remember which hosts were named: their domains are asked for."""
    if option in GLOBALS and option.name == "host":
        place.hosts += [name for name in value.split(",") if name]
