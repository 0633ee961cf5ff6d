"""The lock that xl takes while it makes domains is ours, too."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from xlpy.engine.libxl import balloon
from xlpy.errors import XlError

# what xl's acquire_lock does, but without waiting
TRY = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)"


def others_can_have(path: Path) -> bool:
    return not subprocess.run(
        [sys.executable, "-c", TRY, str(path)], stderr=subprocess.DEVNULL, check=False
    ).returncode


def test_others_wait_while_we_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "xl"
    with balloon.XlLock(str(path)):
        assert not others_can_have(path)
    assert others_can_have(path)


def test_threads_take_turns(tmp_path: Path) -> None:
    lock = balloon.XlLock(str(tmp_path / "xl"))
    had: list[str] = []

    def second() -> None:
        with lock:
            had.append("second")

    with lock:
        thread = threading.Thread(target=second)
        thread.start()
        had.append("first")
    thread.join()
    assert had == ["first", "second"]


def test_its_place_is_what_xl_conf_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, path = tmp_path / "xl.conf", tmp_path / "elsewhere"
    settings.write_text(f'# a comment\nlockfile = "{path}"\n')
    monkeypatch.setattr(balloon, "_SETTINGS", str(settings))
    with balloon.XlLock():
        assert not others_can_have(path)


def test_one_that_cannot_be_had_is_given_back(tmp_path: Path) -> None:
    lock = balloon.XlLock(str(tmp_path / "nowhere" / "xl"))
    for _ in range(2):
        with pytest.raises(XlError, match="cannot take xl's lock"):
            lock.take()
