"""What ``xl config-update`` has left, as the host's xl reads it; here a script stands for that xl."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlpy.engine.libxl.left_config import read_as_xl
from xlpy.errors import ConfigError, MissingProgram

XL = """\
#!/bin/sh
test "$1 $2 $3" = "create --dryrun --quiet" || exit 1
. "$4" || exit 1
printf '{"c_info": {"type": "pvh", "name": "%s"}, "b_info": {"max_memkb": %s}}\\n' "$name" $((memory * 1024))
"""


@pytest.fixture
def xl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An xl that knows two keys."""
    xl = tmp_path / "xl"
    xl.write_text(XL)
    xl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return xl


def test_its_text_becomes_a_configuration(xl: Path) -> None:
    config = read_as_xl(b'name="web"\nmemory=64\n')
    assert (config.c_info.name, config.b_info.max_memkb) == ("web", 64 << 10)


def test_what_xl_cannot_read(xl: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read") as caught:
        read_as_xl(b"name=(\n")
    assert caught.value.detail


def test_without_xl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram):
        read_as_xl(b"")
