"""What becomes of a user's domains at the last logout, by what systemd-logind says."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from xlpy.agent.lingering import Logout

SOMEBODY = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
UID = SOMEBODY.pw_uid


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with a logind that kills."""
    (tmp_path / "run/systemd/users").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    answer(tmp_path, "yes")
    return tmp_path


def answer(place: Path, kills: str, *spared: str) -> None:
    program = place / "loginctl"
    lines = f"EnableWallMessages=yes\\nKillUserProcesses={kills}\\nKillExcludeUsers={' '.join(spared)}\\n"
    program.write_text(f'#!/bin/sh\n[ "$*" = show-user ] && printf "{lines}"\n')
    program.chmod(0o755)


def notice(uid: int, root: Path) -> str | None:
    logout = Logout(uid, str(root))
    logout.ask()
    return logout.notice()


def test_domains_are_killed(root: Path) -> None:
    found = notice(UID, root)
    assert found is not None
    assert f"KillExcludeUsers=root {SOMEBODY.pw_name} prevents it" in found


def test_they_are_not(root: Path) -> None:
    answer(root, "no")
    assert notice(UID, root) is None
    answer(root, "yes", "root", SOMEBODY.pw_name)
    assert notice(UID, root) is None


def test_root_and_hosts_without_logind(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert notice(0, root) is None
    assert notice(UID, tmp_path / "elsewhere") is None
    (root / "loginctl").unlink()
    monkeypatch.setenv("PATH", str(root))
    assert notice(UID, root) is None
