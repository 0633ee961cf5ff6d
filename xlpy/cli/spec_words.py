"""Specs of devices from the words of a command line, each of them one KEY=VALUE."""

from __future__ import annotations

from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from xlpy.cli.session import Session

    T = TypeVar("T")


def read_spec(
    session: Session,
    read: Callable[[str], T],
    words: Sequence[str],
    xl_words: str,
    exit_status: int = 1,
    lacking: Mapping[str, tuple[str, int]] | None = None,
) -> T:
    """What these words describe. Raises ConfigError; as xl in xl's words, with the word in question for ``{}``.

    ``lacking`` are xl's words and status for what is wrong with no word: by our message.
    """
    from xlpy.config.diagnostic import SpecError, command_line_error

    text = ",".join(words)
    try:
        return read(text)
    except SpecError as error:
        found = command_line_error(error, text, "command line")
        if session.xl and lacking and error.message in lacking:
            said, status = lacking[error.message]
            raise ConfigError(said, found.hint, detail=str(found), exit_status=status) from error
        if session.xl:
            word = next((word for word, end in _ends(words) if error.offset < end), text)
            raise ConfigError(
                xl_words.format(word), found.hint, detail=str(found), exit_status=exit_status
            ) from error
        raise found from error


def _ends(words: Sequence[str]) -> list[tuple[str, int]]:
    """Each word with the offset behind it in the words joined by commas."""
    found, offset = [], 0
    for word in words:
        offset += len(word) + 1
        found.append((word, offset))
    return found
