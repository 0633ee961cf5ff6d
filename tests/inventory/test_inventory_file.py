"""hosts.yaml: what is read from it, and what is said about one that is wrong."""

from __future__ import annotations

import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.errors import ConfigError, PermissionRefused, XlError
from xlpy.inventory.entry import HostEntry, Inventory
from xlpy.inventory.file import parse_inventory, read_inventory
from xlpy.inventory.place import inventory_path

SAMPLE = Path(__file__).parents[2] / "configs" / "hosts.yaml"


def parse(text: str) -> Inventory:
    return parse_inventory(text.encode(), "hosts.yaml")


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value


def place_of_what_is_wrong(text: str) -> str | None:
    try:
        parse(text)
    except XlError as error:
        return error.where or ""
    return None


def test_sample_says_all_that_can_be_said() -> None:
    inventory = read_inventory(str(SAMPLE))
    assert [entry.name for entry in inventory.hosts] == ["xen1.example.org", "xen2", "xen3", "demo"]
    first, second, third, demo = inventory.hosts
    assert first == HostEntry(
        name="xen1.example.org", address="xen1.example.org", user="root", connect_timeout_s=10.0
    )
    unset = {name for name in HostEntry.fields_ if getattr(second, name) == getattr(HostEntry, name, None)}
    assert unset == {"via"}, "the sample shows every setting, and that is none"
    assert (second.user, second.port, second.labels["contract"]) == ("admin", 2222, "2027")
    assert second.identity_file == os.path.expanduser("~/.ssh/id_ed25519")
    assert (third.address, third.user, third.port, third.groups) == ("2001:db8::3", "root", 22, ("rack1",))
    assert demo.unix_path == "/run/user/1000/demo/xlpy.sock"
    assert inventory.groups == {
        "rack1": ("xen1.example.org", "xen2", "xen3"),
        "prod": ("xen2",),
        "lab": ("demo",),
        "everything": ("xen1.example.org", "xen2", "xen3", "demo"),
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\n", "hosts:\n", "hosts: {}\ngroups:\n"])
def test_empty_inventories(text: str) -> None:
    assert parse(text).hosts == ()


def test_defaults_hold_unless_said_otherwise() -> None:
    inventory = parse(
        "defaults: {user: root, labels: {site: a, owner: x}, sudo: yes}\n"
        "hosts:\n  one: {user: me, labels: {site: b}, sudo: off}\n  two:\n"
    )
    one, two = inventory.hosts
    assert (one.user, one.labels, one.sudo) == ("me", {"site": "b", "owner": "x"}, False)
    assert (two.user, two.labels, two.sudo) == ("root", {"site": "a", "owner": "x"}, True)


def test_groups_in_a_circle_have_the_same_members() -> None:
    groups = parse('hosts: {h: , i: }\ngroups: {a: [h, "@b"], b: [i, "@a"], c: []}\n').groups
    assert groups == {"a": ("h", "i"), "b": ("h", "i"), "c": ()}


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        ("hots: {}\n", "1:1", "no section 'hots'", "'hosts'"),
        ("version: 2\n", "1:10", "expected version 1", "too old"),
        ("hosts: [a]\n", "1:8", "not a list", None),
        ("hosts:\n  a:\n    usr: x\n", "3:5", "no setting 'usr'", "'user'"),
        ("hosts:\n  a: {identity-file: x}\n", "2:7", "no setting 'identity-file'", "'identity_file'"),
        ("defaults: {address: x}\n", "1:12", "no default 'address'", None),
        ("hosts:\n  a: {port: ssh}\n", "2:13", "expected a port", "65535"),
        ("hosts:\n  a: {port: 70000}\n", "2:13", "expected a port", None),
        ("hosts:\n  a: {port: 0}\n", "2:13", "expected a port", None),
        ("hosts:\n  a: {user: yes}\n", "2:13", "not 'yes'", "quotes"),
        ("hosts:\n  a: {user: -oProxyCommand=x}\n", "2:13", "no user's name", None),
        ("hosts:\n  a: {sudo: 1}\n", "2:13", "true or false", None),
        ("hosts:\n  a: {connect_timeout_s: -1}\n", "2:26", "number of seconds", None),
        ("hosts:\n  a: {answer_timeout_s: .nan}\n", "2:25", "number of seconds", None),
        ("hosts:\n  a: {identity_file: key}\n", "2:22", "relative path", "~/"),
        ("hosts:\n  a: {socket: ~/x}\n", "2:15", "full path", None),
        ("hosts:\n  a: {python: python3 -E}\n", "2:15", "no program", None),
        ("hosts:\n  a: {proxy_jump: 'x y'}\n", "2:19", "no host to jump over", None),
        ("hosts:\n  a: {address: 'ftp://x'}\n", "2:16", "no such kind of address", "ssh://"),
        ("hosts:\n  a: {address: 'x:22'}\n", "2:16", "no address", "ssh://x:22"),
        ("hosts:\n  a: {address: 'ssh://b@x', user: c}\n", "2:6", "the user stands in the address", None),
        ("hosts:\n  a:\n  b:\n  a:\n", "4:3", "'a' is there twice", "line 2"),
        ("hosts:\n  a: {user: x, user: y}\n", "2:16", "'user' is there twice", None),
        ("hosts:\n  all:\n", "2:3", "a meaning of its own", None),
        ("hosts:\n  no:\n", "2:3", "expected a text", "quotes"),
        ("hosts:\n  'a,b':\n", "2:3", "is no name", None),
        ("hosts:\n  a: {groups: [x, 'y z']}\n", "2:19", "is no name", None),
        ("hosts:\n  a: {labels: [x]}\n", "2:15", "expected labels", "site"),
        ("hosts: {xen1: }\ngroups: {r: [xen2]}\n", "2:14", "no host 'xen2'", "xen1"),
        ("groups: {r: ['@s']}\n", "1:14", "no group 's'", None),
        ("hosts:\n  a: &x {port: 1}\n  b: *x\n", "2:6", "anchors", "defaults"),
        ("hosts: !!python/object:os.system {}\n", "1:8", "tags", None),
        ("hosts: {\n", "2:1", "no YAML", None),
        ("hosts:\n\ta: 1\n", "2:1", "no YAML", None),
        ("a: b: c\n", "1:5", "no YAML", None),
        ("---\na: 1\n---\nb: 2\n", "3:1", "second document", None),
        ("[" * 1000, "1:17", "too deep", None),
        ("? {a: b}\n: c\n", "1:3", "expected a name", None),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, where: str, message: str, hint: str | None) -> None:
    error = refusal(text)
    assert error.where == f"hosts.yaml:{where}"
    assert message in error.message
    if hint is not None:
        assert hint in (error.hint or "")


def test_all_that_is_wrong_is_said_at_once() -> None:
    error = refusal("hosts:\n  a: {port: x}\n  b: {usr: y}\ngroups: {g: [c]}\n")
    assert error.where == "hosts.yaml:2:13"
    assert error.detail is not None
    assert error.detail.startswith("  a: {port: x}\n            ^\n")
    assert "hosts.yaml:3:7: " in error.detail
    assert "hosts.yaml:4:14: there is no host 'c'" in error.detail


def test_not_utf8() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_inventory(b"hosts:\n  a: \xff\n", "f")
    assert caught.value.where == "f:2:6"


def test_too_large() -> None:
    with pytest.raises(ConfigError, match="larger"):
        parse_inventory(b"#" * (2 << 20), "f")


@given(st.text(alphabet=string.printable + "äß\u2028\0\ufeff", max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert place_of_what_is_wrong(text) != ""


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(
                st.sampled_from(["hosts", "groups", "defaults", "version", "a", "address", "port", "labels"]),
                inner,
                max_size=5,
            ),
        ),
        max_leaves=20,
    )
)
def test_any_yaml_is_read_or_refused(value: object) -> None:
    import yaml

    assert place_of_what_is_wrong(yaml.safe_dump(value)) != ""


def test_where_the_inventory_is() -> None:
    home = os.path.expanduser("~")
    assert inventory_path({}) == f"{home}/.config/xlpy/hosts.yaml"
    assert inventory_path({"XDG_CONFIG_HOME": "/c"}) == "/c/xlpy/hosts.yaml"
    assert inventory_path({"XDG_CONFIG_HOME": "/c", "XLPY_INVENTORY": "/x.yaml"}) == "/x.yaml"


def test_an_inventory_not_made_yet_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLPY_INVENTORY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert read_inventory().hosts == ()
    monkeypatch.setenv("XLPY_INVENTORY", str(tmp_path / "gone.yaml"))
    with pytest.raises(ConfigError, match="no such inventory"):
        read_inventory()


def test_a_file_that_anybody_can_write_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yaml"
    path.write_text("hosts: {a: }\n")
    path.chmod(0o646)
    with pytest.raises(PermissionRefused, match="everybody"):
        read_inventory(str(path))


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="directory"):
        read_inventory(str(tmp_path))
