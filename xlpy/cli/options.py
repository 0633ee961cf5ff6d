"""Options as getopt_long(3) reads them, because scripts rely on xl's rules.

Short options cluster (``-lv``), a value is glued on or is the next word (``-fFILE``, ``-f FILE``), long options may
be shortened to any unambiguous beginning and take ``=VALUE``, a value that may be left out is always glued on, options
may stand after the arguments, ``--`` ends them, and a lone ``-`` is an argument.
"""

from __future__ import annotations

import os

from xlpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Option:
    """One option: its letters and long names, and whether it takes a value (``metavar``), perhaps an ``optional`` one.

    ``name`` is what a command asks for: the first long name, or the letter where there is none.
    """

    __slots__ = ("help", "hidden", "letters", "longs", "metavar", "name", "optional")

    def __init__(
        self, names: str, metavar: str | None, help: str, hidden: bool, optional: bool = False
    ) -> None:
        words = names.split()
        self.letters = "".join(word[1] for word in words if word[1] != "-")
        self.longs = tuple(word[2:] for word in words if word[1] == "-")
        self.name = self.longs[0] if self.longs else self.letters[0]
        self.metavar = metavar
        self.help = help
        self.hidden = hidden
        self.optional = optional

    def spelled(self) -> str:
        """All its names as a user writes them: ``-f FILE, --defconfig=FILE``."""
        short = f" {self.metavar}" if self.metavar else ""
        long = f"={self.metavar}" if self.metavar else ""
        if self.optional:
            short, long = f"[{self.metavar}]", f"[{long}]"
        return ", ".join(
            [f"-{letter}{short}" for letter in self.letters] + [f"--{name}{long}" for name in self.longs]
        )


def flag(names: str, help: str = "", *, hidden: bool = False) -> Option:
    """An option without a value; giving it several times is counted."""
    return Option(names, None, help, hidden)


def value(names: str, metavar: str, help: str = "", *, hidden: bool = False) -> Option:
    """An option with a value; the last one given counts, unless the command asks for all."""
    return Option(names, metavar, help, hidden)


def optional_value(names: str, metavar: str, help: str = "") -> Option:
    """An option whose value may be left out (getopt_long's optional_argument): ``--port`` or ``--port=5910``."""
    return Option(names, metavar, help, False, optional=True)


class Arguments:
    """What stood on a command line after the command's name. ``rest`` are the arguments proper."""

    def __init__(self, options: Iterable[Option]) -> None:
        self._given: dict[str, list[str]] = {option.name: [] for option in options}
        self.rest: list[str] = []
        self.help_wanted = False

    def declare(self, option: Option) -> None:
        """Let an option be asked for that could not be given."""
        self._given.setdefault(option.name, [])

    def copy(self) -> Arguments:
        """The same arguments, to be changed."""
        copied = Arguments(())
        copied._given = {name: list(texts) for name, texts in self._given.items()}
        copied.rest = list(self.rest)
        return copied

    def replace(self, name: str, texts: list[str]) -> None:
        """Have other values of an option. LookupError for one that the command doesn't have."""
        if name not in self._given:
            raise LookupError(name)
        self._given[name] = list(texts)

    def knows(self, name: str) -> bool:
        """Whether there is such an option at all."""
        return name in self._given

    def add(self, option: Option, text: str) -> None:
        """Note that an option was given, with its value or an empty text."""
        self._given[option.name].append(text)

    def count(self, name: str) -> int:
        """How many times the option was given. LookupError for one that the command doesn't have."""
        return len(self._given[name])

    def flag(self, name: str) -> bool:
        """Whether the option was given."""
        return bool(self._given[name])

    def value(self, name: str) -> str | None:
        """The option's last value, or None."""
        given = self._given[name]
        return given[-1] if given else None

    def values(self, name: str) -> list[str]:
        """All values of the option, in order."""
        return list(self._given[name])


class OptionError(UsageError):
    """An option that doesn't exist, or lacks its value, or has one too many.

    ``optopt`` is what getopt_long would leave in its variable of that name: xl prints that character, which is a
    NUL for an unknown long option.
    """

    def __init__(self, message: str, optopt: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.optopt = optopt


def parse(words: Sequence[str], options: Sequence[Option], more: Sequence[Option] = ()) -> Arguments:
    """Sort the words into options and arguments; raises OptionError.

    ``more`` are options of lower rank: a name of theirs that collides with, or shortens to, one of ``options`` is
    not theirs. Parsing stops at ``-h``/``--help`` with ``help_wanted`` set, as xl's does.
    """
    return _Parser(words, options, more, permute="POSIXLY_CORRECT" not in os.environ).run()


def parse_leading(words: Sequence[str], options: Sequence[Option]) -> Arguments:
    """Read options up to the first word that is none; what follows it is left in ``rest`` untouched."""
    return _Parser(words, options, (), permute=False).run()


class _Parser:
    """One pass over the words."""

    def __init__(
        self, words: Sequence[str], options: Sequence[Option], more: Sequence[Option], permute: bool
    ) -> None:
        self.words = list(words)
        self.ranks = (options, more)
        self.permute = permute
        self.found = Arguments((*more, *options))
        self.letters: dict[str, Option] = {}
        for option in (*more, *options):
            for letter in option.letters:
                self.letters[letter] = option

    def run(self) -> Arguments:
        found = self.found
        while self.words and not found.help_wanted:
            word = self.words.pop(0)
            if word == "--":
                found.rest += self.words
                break
            if word.startswith("--"):
                self.long_option(word[2:])
            elif word.startswith("-") and len(word) > 1:
                self.short_options(word[1:])
            else:
                found.rest.append(word)
                if not self.permute:
                    found.rest += self.words
                    break
        return found

    def short_options(self, cluster: str) -> None:
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            option = self.letters.get(letter)
            if option is None:
                if letter == "h":
                    self.found.help_wanted = True
                    return
                raise OptionError(f"there is no option -{letter}", letter)
            if option.metavar is None:
                self.found.add(option, "")
                continue
            if option.optional:
                self.found.add(option, cluster)
                return
            if not cluster and not self.words:
                raise OptionError(f"option -{letter} needs a value", letter)
            self.found.add(option, cluster or self.words.pop(0))
            return

    def long_option(self, word: str) -> None:
        name, equals, text = word.partition("=")
        option = self.lookup(name)
        if option is None:
            self.found.help_wanted = True
            return
        optopt = option.letters[:1] or "\0"
        if option.metavar is None:
            if equals:
                raise OptionError(f"option --{name} takes no value", optopt)
        elif not equals and not option.optional:
            if not self.words:
                raise OptionError(f"option --{name} needs a value", optopt)
            text = self.words.pop(0)
        self.found.add(option, text)

    def lookup(self, name: str) -> Option | None:
        """The option of this long name or beginning; None is ``--help``."""
        for options in self.ranks:
            for option in options:
                if name in option.longs:
                    return option
        if name == "help":
            return None
        for rank, options in enumerate(self.ranks):
            matching: list[Option | None] = [
                option for option in options if any(long.startswith(name) for long in option.longs)
            ]
            if rank == 0 and "help".startswith(name):
                matching.append(None)
            if len(matching) == 1:
                return matching[0]
            if matching:
                spelled = sorted(
                    f"--{long}"
                    for option in matching
                    for long in (option.longs if option else ("help",))
                    if long.startswith(name)
                )
                raise OptionError(f"option --{name} is ambiguous", "\0", f"could be {', '.join(spelled)}")
        raise OptionError(f"there is no option --{name}", "\0", self.suggestion(name))

    def suggestion(self, name: str) -> str | None:
        """A hint that names the nearest long option, if one is near."""
        from difflib import get_close_matches

        longs = [long for options in self.ranks for option in options for long in option.longs]
        near = get_close_matches(name, longs, n=1)
        return f"did you mean --{near[0]}?" if near else None
