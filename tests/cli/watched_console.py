"""In which order a domain's console is opened and the domain let run."""

from __future__ import annotations

from typing import Any

import pytest
from fake_engine import FakeEngine


def watch_console(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens from now on, as it happens; the consoles of a domain end when it is let run."""
    seen: list[str] = []
    open_console, unpause = fake.open_console, fake.unpause_domain

    def note_console(domid: int, *args: Any, **kwargs: Any) -> int:
        seen.append("console of a paused domain" if fake.guests[domid].info.paused else "too late")
        return open_console(domid, *args, **kwargs)

    def note_unpause(domid: int) -> None:
        seen.append("unpause")
        unpause(domid)
        fake.guests[domid].close_consoles()

    monkeypatch.setattr(fake, "open_console", note_console)
    monkeypatch.setattr(fake, "unpause_domain", note_unpause)
    return seen
