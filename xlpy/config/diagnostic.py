"""What reading a config had to say that isn't a reason to stop."""

from __future__ import annotations

from xlpy.errors import ConfigError
from xlpy.model.record import Record


class Diagnostic(Record):
    """A warning about a config. ``code`` is stable and short, ``detail`` the line with a caret."""

    code: str
    message: str
    where: str
    hint: str | None = None
    detail: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class SettingError(ConfigError):
    """A config that can't be used. ``finding`` is the error's own code, as stable and short as a Diagnostic's.

    ``parts`` are the errors that this one sums up, itself the first, if there are several.
    """

    def __init__(
        self,
        finding: str,
        message: str,
        hint: str | None = None,
        *,
        detail: str | None = None,
        where: str | None = None,
        exit_status: int | None = None,
        parts: tuple[SettingError, ...] = (),
    ) -> None:
        super().__init__(message, hint, detail=detail, where=where, exit_status=exit_status)
        self.finding = finding
        self.parts = parts


class SpecError(Exception):
    """A spec (``disk=``, ``vif=`` ... or the argument of an attach command) that can't be used.

    ``offset`` and ``length`` say where in the spec. Who knows the place of the spec makes a ConfigError of it.
    """

    def __init__(
        self,
        message: str,
        offset: int = 0,
        length: int = 1,
        hint: str | WordHint | None = None,
        exit_status: int = 1,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.late_hint = hint
        self.exit_status = exit_status

    @property
    def hint(self) -> str | None:
        """What to try."""
        return hint_text(self.late_hint)


def command_line_error(error: SpecError, text: str, source: str) -> ConfigError:
    """The error to raise for a spec that stood on the command line; ``source`` is what to call that."""
    offset = min(error.offset, len(text))
    caret = " " * offset + "^" * max(1, min(error.length, len(text) - offset))
    return ConfigError(
        error.message,
        error.hint,
        detail=f"{text}\n{caret}",
        where=f"{source}:1:{offset + 1}",
        exit_status=error.exit_status,
    )


class WordHint:
    """A hint for a word that isn't among the known ones, worked out when it is shown: that takes a while."""

    __slots__ = ("_known", "_names_all", "_word")

    def __init__(self, known: tuple[str, ...], word: str, names_all: bool) -> None:
        self._known = known
        self._word = word
        self._names_all = names_all

    def text(self) -> str | None:
        """The nearest known word; without one all of them, if there are few."""
        from xlpy.model.nearest import nearest

        meant = nearest(self._word, self._known)
        if meant is not None:
            return f"did you mean '{meant}'?"
        return "one of " + " ".join(self._known) if self._names_all else None


def one_of(known: tuple[str, ...], word: str) -> WordHint:
    """A hint for a word that isn't among a few known ones."""
    return WordHint(known, word, True)


def perhaps(known: tuple[str, ...], word: str) -> WordHint:
    """A hint for a word that isn't among many known ones."""
    return WordHint(known, word, False)


def hint_text(hint: str | WordHint | None) -> str | None:
    """What to show of a hint."""
    return hint.text() if isinstance(hint, WordHint) else hint
