"""The text of an inventory, and what is found wrong with it: ``hosts.yaml:12:8: …`` with the line and a caret."""

from __future__ import annotations

from xlpy.errors import ConfigError

_MOST_SHOWN = 20


class Source:
    """A file's text by lines. Places are counted from 0 here and from 1 in messages."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.findings: list[ConfigError] = []

    def error(self, line: int, column: int, message: str, hint: str | None = None) -> ConfigError:
        """An error at this place, with the line in its detail."""
        shown = self.lines[line].rstrip("\r") if line < len(self.lines) else ""
        detail = f"{shown}\n{' ' * column}^" if shown.strip() and len(shown) < 200 else None
        return ConfigError(message, hint, detail=detail, where=f"{self.path}:{line + 1}:{column + 1}")

    def report(self, line: int, column: int, message: str, hint: str | None = None) -> None:
        """Note an error and go on looking for more."""
        self.findings.append(self.error(line, column, message, hint))

    def raise_findings(self) -> None:
        """Raise the first error, if there is any, with the places of all others in its detail."""
        if not self.findings:
            return
        first, *others = self.findings
        lines = [first.detail] if first.detail else []
        for other in others[:_MOST_SHOWN]:
            lines.append(f"{other}" + (f" ({other.hint})" if other.hint else ""))
        if len(others) > _MOST_SHOWN:
            lines.append(f"... and {len(others) - _MOST_SHOWN} more")
        raise ConfigError(first.message, first.hint, detail="\n".join(lines) or None, where=first.where)
