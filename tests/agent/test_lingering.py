"""What becomes of a user's domains at the last logout, by the files that systemd-logind keeps."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from xlpy.agent.lingering import notice_of_logout

SOMEBODY = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
UID = SOMEBODY.pw_uid
RUN_DIR = f"/run/user/{UID}/xlpy"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host where somebody is logged in."""
    (tmp_path / "run/systemd/users").mkdir(parents=True)
    (tmp_path / f"run/systemd/users/{UID}").touch()
    (tmp_path / "var/lib/systemd/linger").mkdir(parents=True)
    (tmp_path / "etc/systemd/logind.conf.d").mkdir(parents=True)
    return tmp_path


def test_runtime_directory_goes(root: Path) -> None:
    notice = notice_of_logout(UID, RUN_DIR, str(root))
    assert notice is not None
    assert f"/run/user/{UID} is removed then" in notice
    assert notice.endswith(f"loginctl enable-linger {SOMEBODY.pw_name}")


def test_user_who_lingers(root: Path) -> None:
    (root / "var/lib/systemd/linger" / SOMEBODY.pw_name).touch()
    assert notice_of_logout(UID, RUN_DIR, str(root)) is None


def test_root_and_hosts_without_logind(root: Path, tmp_path: Path) -> None:
    assert notice_of_logout(0, "/run/xlpy", str(root)) is None
    assert notice_of_logout(UID, RUN_DIR, str(tmp_path / "elsewhere")) is None


@pytest.mark.parametrize(
    ("file", "text", "kills"),
    [
        ("logind.conf", "[Login]\n#KillUserProcesses=yes\n", False),
        ("logind.conf", "[Login]\nKillUserProcesses=no\n", False),
        ("logind.conf", "[Login]\nKillUserProcesses = yes\n", True),
        ("logind.conf.d/kill.conf", "[Login]\nkilluserprocesses=TRUE\n", True),
    ],
)
def test_processes_go(root: Path, file: str, text: str, kills: bool) -> None:
    (root / "etc/systemd" / file).write_text(text)
    notice = notice_of_logout(UID, f"/tmp/xlpy-{UID}", str(root))
    assert ("KillUserProcesses=yes" in notice) is kills if notice else not kills
