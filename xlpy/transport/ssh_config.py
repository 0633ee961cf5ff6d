"""What ~/.ssh/config and /etc/ssh/ssh_config say about a host, as OpenSSH's client reads them (ssh_config(5)).

Every keyword counts the first time it appears; some may appear several times and add up. ``Include``, ``Host`` and
``Match`` are understood. ``CanonicalizeHostname`` is not (``ssh_settings`` refuses it): names are looked up as they stand.
"""

from __future__ import annotations

import glob
import os
import re
import socket

from xlpy.errors import ConfigError
from xlpy.transport.ssh_words import Unbalanced, matches_any, split_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

USER_CONFIG = ".ssh/config"
SYSTEM_CONFIG = "/etc/ssh/ssh_config"
_DEEPEST_INCLUDE = 16
_ADD_UP = frozenset(("identityfile", "certificatefile"))
# The rest of these lines is a command for the shell: no words are split off.
_RAW = frozenset(("proxycommand", "localcommand", "remotecommand", "knownhostscommand"))
_LINE = re.compile(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$")


class Line:
    """A keyword in lower case with its words, and where it stands."""

    __slots__ = ("keyword", "where", "words")

    def __init__(self, keyword: str, words: Sequence[str], where: str) -> None:
        self.keyword = keyword
        self.words = tuple(words)
        self.where = where


def parse_lines(text: str, path: str) -> list[Line]:
    """The lines of a config file. Raises ConfigError."""
    lines = []
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        where = f"{path}:{number}"
        match = _LINE.match(raw)
        if match is None:
            raise ConfigError(f"{stripped.split()[0]} stands without a value", where=where)
        keyword = match[1].lower()
        try:
            words = [match[2]] if keyword in _RAW else split_words(match[2])
        except Unbalanced as error:
            raise ConfigError(str(error), where=where) from None
        if not words:
            raise ConfigError(f"{match[1]} stands without a value", where=where)
        lines.append(Line(keyword, words, where))
    return lines


class Asked:
    """For which host a config is read, and who asks. ``run`` says whether a command of ``Match exec`` succeeds."""

    def __init__(self, host: str, local_user: str, home: str, run: Callable[[str], bool]) -> None:
        self.host = host
        self.local_user = local_user
        self.home = home
        self.run = run


class Found:
    """What was found for a host: the words of each keyword that was set, in lower case."""

    def __init__(self, asked: Asked, user: str | None = None, port: int | None = None) -> None:
        self.asked = asked
        self._words: dict[str, list[tuple[str, ...]]] = {}
        if user is not None:
            self.add("user", (user,))
        if port is not None:
            self.add("port", (str(port),))
        self.wants_final = False
        self.ran_commands = False  # of ``Match exec``

    def succeeds(self, command: str) -> bool:
        """Whether a command of ``Match exec`` does."""
        self.ran_commands = True
        return self.asked.run(self.expand(command))

    def add(self, keyword: str, words: tuple[str, ...]) -> None:
        """Note a line; but for those that add up the first one counts."""
        known = self._words.setdefault(keyword, [])
        if not known or (keyword in _ADD_UP and words not in known):
            known.append(words)

    def word(self, keyword: str) -> str | None:
        """The only word, or the first."""
        known = self._words.get(keyword)
        return known[0][0] if known else None

    def words(self, keyword: str) -> tuple[str, ...]:
        """All words of the line that counts."""
        known = self._words.get(keyword)
        return known[0] if known else ()

    def lines(self, keyword: str) -> list[str]:
        """The first word of each line of a keyword that adds up."""
        return [words[0] for words in self._words.get(keyword, ())]

    # -- what stands for something else

    @property
    def host_name(self) -> str:
        """The name or address to connect to."""
        name = (self.word("hostname") or "%h").replace("%h", self.asked.host).replace("%%", "%")
        return name if ":" in name else name.lower()  # the zone of an address may have capitals

    def expand(self, text: str, more: Mapping[str, str] | None = None) -> str:
        """The text with its ``%`` tokens and ``${VARIABLES}`` replaced. Raises ConfigError for one that isn't known."""
        asked = self.asked
        local_host = socket.gethostname()
        tokens = {
            "%": "%",
            "d": asked.home,
            "h": self.host_name,
            "i": str(os.getuid()),
            "k": self.word("hostkeyalias") or asked.host,
            "L": local_host.split(".")[0],
            "l": local_host,
            "n": asked.host,
            "p": self.word("port") or "22",
            "r": self.word("user") or asked.local_user,
            "u": asked.local_user,
            "j": "",
            **(more or {}),
        }

        def replacement(match: re.Match[str]) -> str:
            if match[1] is not None:
                value = os.environ.get(match[1])
                if value is None:
                    raise ConfigError(f"{text}: the environment has no {match[1]}", where="~/.ssh/config")
                return value
            if match[2] not in tokens:
                raise ConfigError(f"{text}: there is no token %{match[2]}", where="~/.ssh/config")
            return tokens[match[2]]

        return re.sub(r"\$\{(\w+)\}|%(.?)", replacement, text)

    def path(self, text: str) -> str:
        """The text as a file's path: tokens are replaced, ``~`` is the home."""
        if text == "~" or text.startswith("~/"):
            text = self.asked.home.replace("%", "%%") + text[1:]
        elif text.startswith("~"):
            text = os.path.expanduser(text)
        return self.expand(text)


class SshConfig:
    """The user's and the system's files; a file is read when it is first needed."""

    def __init__(self, home: str, system: str = SYSTEM_CONFIG) -> None:
        self._home = home
        self._system = system
        self._files: dict[str, list[Line]] = {}
        self._stamps: dict[str, tuple[int, ...]] = {}

    def is_current(self) -> bool:
        """Whether all files that were read are still the same."""
        return all(_stamp(path) == stamp for path, stamp in self._stamps.items())

    def look_up(self, asked: Asked, user: str | None = None, port: int | None = None) -> Found:
        """What the files say of a host; user and port that are decided already go before. Raises ConfigError."""
        found = Found(asked, user, port)
        for final in (False, True):
            for path in (f"{self._home}/{USER_CONFIG}", self._system):
                self._apply(path, found, final, True, 0)
            if not found.wants_final:
                break
        return found

    def _apply(self, path: str, found: Found, final: bool, active: bool, depth: int) -> None:
        outer = active
        for line in self._lines(path):
            if line.keyword == "host":
                active = outer and matches_any(line.words, found.asked.host, fold=False)
            elif line.keyword == "match":
                active = _match(line, found, final, outer)
            elif line.keyword == "include":
                if depth == _DEEPEST_INCLUDE:
                    raise ConfigError("files include each other", where=line.where)
                if active:
                    self._include(line, path, found, final, depth)
            elif active:
                found.add(line.keyword, line.words)

    def _include(self, line: Line, path: str, found: Found, final: bool, depth: int) -> None:
        beside = os.path.dirname(self._system) if path == self._system else f"{self._home}/.ssh"
        for word in line.words:
            pattern = f"{self._home}{word[1:]}" if word.startswith("~/") else os.path.join(beside, word)
            for name in sorted(glob.glob(pattern)):
                self._apply(name, found, final, True, depth + 1)

    def _lines(self, path: str) -> list[Line]:
        if path not in self._files:
            self._stamps[path] = _stamp(path)
            try:
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    text = file.read()
            except (FileNotFoundError, NotADirectoryError):
                text = ""
            except OSError as error:
                raise ConfigError(f"cannot read {path}: {error.strerror}", f"ls -l {path}") from error
            self._files[path] = parse_lines(text, path)
        return self._files[path]


def _stamp(path: str) -> tuple[int, ...]:
    """What changes when the file does."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _match(line: Line, found: Found, final: bool, outer: bool) -> bool:
    """Whether all criteria of a ``Match`` line hold."""
    words = list(line.words)
    holds = outer
    while words:
        criterion = words.pop(0)
        negated = criterion.startswith("!")
        name, _, joined = criterion.lstrip("!").partition("=")
        name = name.lower()
        if name in ("all", "canonical", "final"):
            truth = _without_argument(name, found, final)
        elif name in _CRITERIA:
            if not joined and not words:
                raise ConfigError(f"Match {name} needs an argument", where=line.where)
            argument = joined or words.pop(0)
            if not holds:
                continue  # a command is not run for nothing
            truth = _CRITERIA[name](argument, found)
        else:
            raise ConfigError(f"Match doesn't know {name!r}", where=line.where)
        holds = holds and truth is not negated
    return holds


def _without_argument(name: str, found: Found, final: bool) -> bool:
    if name == "final":
        found.wants_final = True
    return name == "all" or (final and name == "final")


def _listed(argument: str, name: str, fold: bool = True) -> bool:
    return matches_any(argument.split(","), name, fold)


_CRITERIA: dict[str, Callable[[str, Found], bool]] = {
    "host": lambda argument, found: _listed(argument, found.host_name),
    "originalhost": lambda argument, found: _listed(argument, found.asked.host),
    "user": lambda argument, found: _listed(argument, found.word("user") or found.asked.local_user, False),
    "localuser": lambda argument, found: _listed(argument, found.asked.local_user, False),
    "exec": lambda argument, found: found.succeeds(argument),
    "tagged": lambda argument, found: _listed(argument, found.word("tag") or "", False),
}
