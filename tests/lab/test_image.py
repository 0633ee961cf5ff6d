"""Recipes of images; that they can be built is shown by every host of the lab."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest
from source_tree import ROOT

from xlpy.errors import MissingProgram, UsageError
from xlpy.lab import image as image_module
from xlpy.lab import programs
from xlpy.lab.image import Image, ensure_image, find_mirror, mmdebstrap_argv, overlay_tar, recipe_hash
from xlpy.lab.keys import NAMES, Keys
from xlpy.lab.recipe import RELEASES, find_release


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(str(tmp_path_factory.mktemp("keys") / "keys"))
    keys.ensure()
    return keys


def test_keys_are_made_once(keys: Keys) -> None:
    before = [keys.private(name) for name in NAMES]
    keys.ensure()
    assert [keys.private(name) for name in NAMES] == before
    assert len(set(before)) == len(NAMES)


def test_private_keys_are_private(keys: Keys) -> None:
    for name in NAMES:
        assert Path(keys.path(name)).stat().st_mode & 0o077 == 0
    with tarfile.open(fileobj=io.BytesIO(overlay_tar(keys))) as archive:
        modes = {member.name: member.mode for member in archive.getmembers()}
    assert modes["root/.ssh/id_ed25519"] == modes["etc/ssh/ssh_host_ed25519_key"] == 0o600
    assert modes["root/.ssh"] == 0o700


def test_the_users_private_key_stays_here(keys: Keys) -> None:
    assert keys.private("user") not in overlay_tar(keys)
    assert keys.public("user") in overlay_tar(keys)


def test_the_overlay_belongs_to_root_and_has_no_time(keys: Keys) -> None:
    with tarfile.open(fileobj=io.BytesIO(overlay_tar(keys))) as archive:
        assert {(member.uid, member.gid, member.mtime) for member in archive.getmembers()} == {(0, 0, 0)}


def test_each_release_has_its_own_image(keys: Keys) -> None:
    hashes = {recipe_hash(release, keys) for release in RELEASES.values()}
    assert len(hashes) == len(RELEASES)
    assert hashes == {recipe_hash(release, keys) for release in RELEASES.values()}


def test_the_image_depends_on_the_recipe(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    release = find_release("4.17")
    before = recipe_hash(release, keys)
    real = image_module.dom0_file
    monkeypatch.setattr(
        image_module, "dom0_file", lambda name: real(name) + (b"\n#" if name == "pack" else b"")
    )
    assert recipe_hash(release, keys) != before


def test_an_ordinary_user_builds_in_a_namespace() -> None:
    assert "--mode=unshare" in mmdebstrap_argv(find_release("4.20"), "http://mirror/debian", as_root=False)
    words = mmdebstrap_argv(find_release("4.20"), "http://mirror/debian", as_root=True)
    assert "--mode=root" in words
    assert words[-3:] == ["trixie", "-", "deb http://mirror/debian trixie main"]


def test_no_such_xen() -> None:
    with pytest.raises(UsageError, match=r"no Xen 4\.99") as caught:
        find_release("4.99")
    assert caught.value.hint == "versions: 4.14, 4.17, 4.20"


@pytest.mark.parametrize(
    ("text", "mirror"),
    [
        ("deb http://ftp.de.debian.org/debian bookworm main\n", "http://ftp.de.debian.org/debian"),
        ("deb [arch=amd64] https://mirror.example/debian/ sid main\n", "https://mirror.example/debian"),
        (
            "Types: deb\n# http://old.example/debian\nURIs: http://new.example/debian\n",
            "http://new.example/debian",
        ),
        ("deb http://security.debian.org/debian-security bookworm main\n", "http://deb.debian.org/debian"),
        ("deb http://archive.ubuntu.com/ubuntu noble main\n", "http://deb.debian.org/debian"),
    ],
)
def test_the_mirror_is_that_of_apt(
    text: str, mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "debian.sources").write_text(text)
    monkeypatch.setattr(image_module, "_APT_SOURCES", (str(tmp_path / "missing.list"), str(tmp_path)))
    assert find_mirror() == mirror


def test_what_is_missing_is_said_with_the_line_that_installs_it(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "search_path", lambda: str(tmp_path))
    with pytest.raises(MissingProgram, match="mmdebstrap") as caught:
        ensure_image(str(tmp_path), find_release("4.17"), keys, print)
    assert caught.value.hint is not None
    assert "apt install qemu-system-x86 qemu-utils" in caught.value.hint
    assert " mmdebstrap" in caught.value.hint


def test_the_hooks_find_their_programs() -> None:
    """What a minimal Debian may lack, which mmdebstrap's hooks call, is looked for before, and script/setup installs it."""
    assert {"mke2fs", "mount", "qemu-img"} <= set(programs.TO_BUILD)
    setup = (ROOT / "script/setup").read_text()
    installed = set(re.findall(r"^[a-z0-9-]+ program ([a-z0-9_-]+)$", setup, re.MULTILINE))
    there = {"ssh", "setpriv"}  # with ssh-keygen, and essential in Debian
    assert set(programs.TO_BUILD) <= installed | there


def test_an_image_is_used_as_long_as_a_host_is_there(tmp_path: Path) -> None:
    image = Image(str(tmp_path / "image"), find_release("4.17"))
    host = tmp_path / "host"
    host.mkdir()
    assert not image.is_used
    image.note_use(str(host))
    image.note_use(str(host))
    assert image.is_used
    host.rmdir()
    assert not image.is_used
