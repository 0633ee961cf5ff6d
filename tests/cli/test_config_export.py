"""xlpy config export: a domain's configuration as a file that makes it again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine

from xlpy.config.disk import read_disk_spec
from xlpy.config.domain import parse_domain_config
from xlpy.config.libxl_json import domain_json

CONFIG = (
    'name = "web"\ntype = "pvh"\nkernel = "/k"\nmemory = 64\nvcpus = 2\ncmdline = "quiet"\n'
    'disk = ["vdev=xvda, target=/srv/web.img"]\nvif = ["mac=00:16:3e:01:02:03,bridge=office"]\n'
)


@pytest.fixture(autouse=True)
def web(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web.cfg").write_text(CONFIG)
    assert call("create", "web.cfg").status == 0


def running(fake: FakeEngine) -> str:
    """What the domain is like, but for its domid."""
    config = fake.domain_config(max(fake.guests))
    return domain_json(config.replace(c_info=config.c_info.replace(domid=None)))


def read(text: str) -> str:
    return domain_json(parse_domain_config(text, "exported").config)


def test_to_standard_output(call: Call, fake: FakeEngine) -> None:
    result = call("config", "export", "web")
    assert (result.status, result.err) == (0, "")
    assert read(result.out) == running(fake)
    assert call("config", "export", "web", "-").out == result.out


def test_to_a_file_with_what_was_changed_since(call: Call, fake: FakeEngine) -> None:
    config = fake.domain_config(max(fake.guests))
    more = read_disk_spec("phy:/dev/vg/more,xvdb,r")
    fake.update_config(max(fake.guests), config.replace(disks=(*config.disks, more)))
    result = call("config", "export", "web", "now.cfg")
    assert (result.status, result.out, result.err) == (0, "", "")
    text = Path("now.cfg").read_text()
    assert read(text) == running(fake)
    assert "/dev/vg/more" in text


def test_a_file_that_is_there_is_left_alone(call: Call) -> None:
    result = call("config", "export", "web", "web.cfg")
    assert result.status == 1
    assert result.err == "xlpy: web.cfg is there already\n  (--force writes over it)\n"
    assert Path("web.cfg").read_text() == CONFIG
    os.chmod("web.cfg", 0o640)
    assert call("config", "export", "--force", "web", "web.cfg").status == 0
    assert Path("web.cfg").read_text() != CONFIG
    assert Path("web.cfg").stat().st_mode & 0o777 == 0o640
    assert [name for name in os.listdir() if name.startswith("web")] == ["web.cfg"]


def test_a_place_that_can_not_be_written(call: Call) -> None:
    result = call("config", "export", "web", "nowhere/web.cfg")
    assert result.err == (
        "xlpy: cannot write nowhere/web.cfg: No such file or directory\n  (is there a directory nowhere?)\n"
    )


def test_what_no_file_can_say_is_named(call: Call, fake: FakeEngine) -> None:
    domid = max(fake.guests)
    config = fake.domain_config(domid)
    fake.update_config(domid, config.replace(b_info=config.b_info.replace(target_memkb=65537)))
    result = call("config", "export", "web", "now.cfg")
    assert result.status == 1
    assert result.err == (
        "xlpy: a config file can't say all of this configuration\n"
        "  lost: b_info.target_memkb\n  (libxl's JSON can)\n"
    )
    assert not os.path.exists("now.cfg")
