"""Extended files: what xlpy reads beyond xl, in files that ask for it by their first line.

    #xlpy: extended
    include "common.cfg"
    name = "${name}"
    disk = ["vdev=xvda, target=/srv/${name}.img"]

``include`` puts another file in the place of its line. ``${name}`` in a string is what ``--set name=...`` says;
``$${`` is a plain ``${``. A file without that first line is read as xl reads it, also where it is included.
"""

from __future__ import annotations

import re

from xlpy.config.diagnostic import SettingError
from xlpy.config.lexer import string_end, tokens
from xlpy.config.literal import quoted
from xlpy.config.source import Piece, Source
from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    ReadFile = Callable[[str], str]

MARK = "#xlpy: extended"
_INCLUDE = re.compile(
    r"""^[ \t]*include[ \t]+("[^"\n]*"|'[^'\n]*')[ \t]*(?:\#[^\n]*)?(?:\n|\Z)""", re.MULTILINE
)
_VARIABLE = re.compile(r"\$(\$?)\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_FILES = 1000
_DEEPEST = 20
_MOST_CHARACTERS = 1 << 24


def is_extended(text: str) -> bool:
    """Whether a config text asks for what xl doesn't have."""
    return text.startswith(MARK) and text[len(MARK) :].partition("\n")[0].strip() == ""


def parse_variables(words: list[str]) -> dict[str, str]:
    """The values of ``NAME=VALUE`` words. Raises ConfigError."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ConfigError(
                f"'{word:.60}' sets no variable", "write NAME=VALUE; a name is letters, digits and _"
            )
        found[name] = value
    return found


def extended_source(
    name: str,
    text: str,
    overrides: tuple[str, ...],
    variables: Mapping[str, str],
    read_file: ReadFile | None,
) -> Source:
    """An extended file with the files that it includes. ``read_file`` gets a path and may raise ConfigError."""
    pieces = _Includes(read_file).pieces(name, text, ())
    return Source(name, "", overrides, tuple(pieces), variables)


def without_includes(text: str) -> str:
    """An extended text with a comment of the same length for each ``include``, so that every offset stays true."""
    return _INCLUDE.sub(lambda match: match.group().replace("i", "#", 1), text)


class _Includes:
    """Puts files together; counts them, so that a few lines can't stand for gigabytes."""

    def __init__(self, read_file: ReadFile | None) -> None:
        self._read_file = read_file
        self._files = 0
        self._characters = 0

    def pieces(self, name: str, text: str, within: tuple[str, ...]) -> Iterator[Piece]:
        """The text in pieces, those of included files in their places; ``within`` are the files around this one."""
        self._files += 1
        self._characters += len(text)
        extended = is_extended(text)
        start, line = 0, 1
        for match in _INCLUDE.finditer(text) if extended else ():
            yield Piece(text[start : match.start()], name, line, extended)
            line += text.count("\n", start, match.start())
            yield from self._included(name, text, line, match, (*within, name))
            line += 1
            start = match.end()
        rest = text[start:]
        if within and not rest.endswith("\n"):
            rest += "\n"
        yield Piece(rest, name, line, extended)

    def _included(
        self, name: str, text: str, line: int, match: re.Match[str], within: tuple[str, ...]
    ) -> Iterator[Piece]:
        path = _beside(name, match.group(1)[1:-1])
        column = match.start(1) - match.start() + 2
        try:
            if path in within:
                raise SettingError("extended", f"{path} includes itself")
            if len(within) > _DEEPEST:
                raise SettingError("extended", f"files are included more than {_DEEPEST} deep")
            if self._files >= _MOST_FILES or self._characters > _MOST_CHARACTERS:
                raise SettingError("extended", "too much is included")
            if self._read_file is None:
                raise SettingError("extended", "files can't be included here")
            included = self._read_file(path)
        except ConfigError as error:
            if error.where is not None:
                raise
            length = len(match.group(1)) - 2
            shown = match.group().rstrip("\n")
            raise SettingError(
                "extended",
                error.message,
                error.hint,
                detail=f"{shown}\n{' ' * (column - 1)}{'^' * max(1, length)}",
                where=f"{name}:{line}:{column}",
                exit_status=1,
            ) from error
        yield from self.pieces(path, included, within)


def _beside(name: str, path: str) -> str:
    """A path as the file ``name`` means it: beside itself."""
    from os.path import dirname, join, normpath

    return normpath(join(dirname(name), path))


class Substitution:
    """Puts the values of variables into strings, and remembers which were asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._used: set[str] = set()

    @property
    def unused(self) -> list[str]:
        """The variables that were given and never asked for."""
        return [name for name in self._variables if name not in self._used]

    def apply(self, text: str, offset: int, report: Callable[[int, int, str, str | None], None]) -> str:
        """The text with its variables replaced; one without a value is reported."""

        def value(match: re.Match[str]) -> str:
            escaped, name = match.groups()
            if escaped:
                return match.group()[1:]
            self._used.add(name)
            if name in self._variables:
                return self._variables[name]
            place = offset + match.start()
            if _NAME.fullmatch(name):
                report(
                    place,
                    len(match.group()),
                    f"no value for '{name:.40}'",
                    f"give it by --set {name:.40}=...",
                )
            else:
                report(
                    place, len(match.group()), f"'{name:.40}' is no name", "a name is letters, digits and _"
                )
            return match.group()

        return _VARIABLE.sub(value, text)


def plain_text(source: Source) -> str:
    """The text of an extended source as xl can read it: with everything included and every variable replaced."""
    if source.variables is None:
        return source.text
    text = source.text
    substitution = Substitution(source.variables)
    pieces: list[str] = []
    position = 0
    if is_extended(text):
        position = text.find("\n") + 1 or len(text)
    for kind, start, value in tokens(text, _ignore):
        if kind == "STRING" and "${" in value and source.is_extended_at(start):
            pieces += (text[position:start], quoted(substitution.apply(value, start, _ignore)))
            position = string_end(text, start)
    pieces.append(text[position:])
    return "".join(pieces)


def _ignore(offset: int, length: int, message: str, hint: str | None) -> None:
    """Errors were reported when the source was read."""
