"""Adding hosts to the user's file and removing them: what else stands there stays as it is."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.errors import ConfigError, UsageError
from xlpy.inventory.edit import with_host, without_host
from xlpy.inventory.file import parse_inventory, read_inventory
from xlpy.inventory.rewrite import rewrite

SAMPLE = (Path(__file__).parents[2] / "configs" / "hosts.yaml").read_bytes()

FILE = """\
# my hosts
hosts:   # all of them
    one: {user: me}  # the first
    two:
        port: 22
        # password: none
    # before three
    three:

# the groups
groups:
  a: [one, two, three]
  b: two
  c:
    - one
    - two  # out soon
  d: [ two ]
"""


def add(text: str, name: str = "new", **settings: object) -> str:
    return with_host(text.encode(), "f", name, settings).decode()  # type: ignore[arg-type]


def remove(text: str, name: str) -> str:
    return without_host(text.encode(), "f", name).decode()


def test_a_new_file_says_what_it_is() -> None:
    text = add("", address="192.0.2.1", user="root")
    assert text.startswith("# Hosts of xlpy")
    assert text.endswith("hosts:\n  new:\n    address: 192.0.2.1\n    user: root\n")


def test_a_host_comes_after_the_last_in_its_layout() -> None:
    text = add(FILE, sudo=True, groups=("x", "y"), labels={"site": "no", "b-c": "d e"}, port=2)
    entry = (
        "    new:\n      sudo: true\n      groups: [x, y]\n"
        '      labels: {site: "no", b-c: "d e"}\n      port: 2\n'
    )
    assert text == FILE.replace("    three:\n", "    three:\n" + entry)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("hosts:", "hosts:\n  new:\n"),
        ("hosts: {}\n", "hosts: \n  new:\n"),
        ("hosts: ~ # none\nversion: 1\n", "hosts:  # none\n  new:\nversion: 1\n"),
        ("version: 1\n", "version: 1\nhosts:\n  new:\n"),
        ("hosts:\n  a:\n    user: x", "hosts:\n  a:\n    user: x\n  new:\n"),
        ("hosts:\r\n  a:\r\n", "hosts:\r\n  a:\r\n  new:\r\n"),
        ("hosts:\n  a:\n\n\n# end\n", "hosts:\n  a:\n  new:\n\n\n# end\n"),
        ("hosts:\n  a:\n    labels:\n      x: y\ngroups: {}\n", "hosts:\n  a:\n    labels:\n      x: y\n  new:\ngroups: {}\n"),
    ],
)  # fmt: skip
def test_layouts_that_a_host_is_added_to(before: str, after: str) -> None:
    assert add(before) == after


def test_what_cannot_be_edited_is_left_alone() -> None:
    with pytest.raises(ConfigError, match="braces"):
        add("hosts: {a: {user: b}}\n")
    with pytest.raises(ConfigError, match="braces"):
        remove("hosts: {a: {user: b}}\n", "a")
    with pytest.raises(UsageError, match="already"):
        add(FILE, "two")
    with pytest.raises(UsageError, match="no host 'x'"):
        remove(FILE, "x")
    with pytest.raises(ConfigError):
        add("hosts:\n  a: {prt: 1}\n")
    with pytest.raises(ConfigError):
        add(FILE, user="-o")


def test_a_host_goes_with_what_is_inside_and_from_its_groups() -> None:
    text = remove(FILE, "two")
    assert text == (
        "# my hosts\n"
        "hosts:   # all of them\n"
        "    one: {user: me}  # the first\n"
        "    # before three\n"
        "    three:\n"
        "\n"
        "# the groups\n"
        "groups:\n"
        "  a: [one, three]\n"
        "  b: []\n"
        "  c:\n"
        "    - one\n"
        "  d: [  ]\n"
    )
    for name in ("one", "three"):
        text = remove(text, name)
    assert parse_inventory(text.encode(), "f").hosts == ()
    assert "# the groups" in text


def test_the_sample_keeps_its_comments() -> None:
    text = with_host(SAMPLE, "f", "new", {"groups": ("rack1",)})
    assert without_host(text, "f", "new") == SAMPLE
    without = without_host(SAMPLE, "f", "xen2").decode()
    assert "# The shortest entry" in without
    assert "# Everything that can be said" in without
    assert "sudo: true" not in without


names = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("all", "local")
)


@given(st.lists(names, unique=True, max_size=6), st.data())
def test_adding_and_removing_undo_each_other(hosts: list[str], data: st.DataObject) -> None:
    text = ""
    for name in hosts:
        user = data.draw(st.sampled_from(["root", "no", "0x1", "a'b c", "1.5", "~"]))
        text = add(text, name, labels={"x": user})
    found = parse_inventory(text.encode(), "f").hosts
    assert [host.name for host in found] == hosts
    for name in data.draw(st.permutations(hosts)):
        text = remove(text, name)
        hosts.remove(name)
        assert [host.name for host in parse_inventory(text.encode(), "f").hosts] == hosts


def test_a_file_is_replaced_whole_and_keeps_its_mode_and_place(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "hosts.yaml"
    real.parent.mkdir()
    real.write_text(FILE)
    real.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    rewrite(str(link), lambda data: with_host(data, "f", "new", {}))
    assert link.is_symlink()
    assert real.stat().st_mode & 0o7777 == 0o640
    assert read_inventory(str(link)).find("new") is not None
    assert os.listdir(real.parent) == ["hosts.yaml"]


def test_a_new_file_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "config" / "xlpy" / "hosts.yaml"
    rewrite(str(path), lambda data: with_host(data, "f", "new", {}))
    assert path.stat().st_mode & 0o7777 == 0o600
    with pytest.raises(UsageError):
        rewrite(str(path), lambda data: with_host(data, "f", "new", {}))
    assert os.listdir(path.parent) == ["hosts.yaml"]


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "hosts.yaml")

    def write(number: int) -> None:
        rewrite(path, lambda data: with_host(data, path, f"h{number}", {}))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {host.name for host in read_inventory(path).hosts} == {f"h{number}" for number in range(8)}


def test_where_nothing_can_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write the inventory"):
        rewrite(str(tmp_path / "file" / "hosts.yaml"), lambda data: b"x")
