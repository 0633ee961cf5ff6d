"""What stands behind -H."""

from __future__ import annotations

import pytest

from xlpy.errors import UsageError
from xlpy.inventory.address import parse_address
from xlpy.inventory.choose import choose, explicit
from xlpy.inventory.entry import HostEntry
from xlpy.inventory.file import parse_inventory

INVENTORY = parse_inventory(
    b"defaults: {user: root, port: 2200}\n"
    b"hosts:\n  xen1: {address: 192.0.2.1, groups: [rack1]}\n  xen2: {groups: [rack1]}\n  backup: {user: me}\n"
    b"groups: {nobody: []}\n",
    "hosts.yaml",
)
EMPTY = parse_inventory(b"", "hosts.yaml")


def names(*wanted: str) -> list[str]:
    return [entry.name for entry in choose(INVENTORY, wanted)]


def refusal(*wanted: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        choose(INVENTORY, wanted)
    return caught.value


def test_in_the_order_of_the_command_line_each_once() -> None:
    assert names("xen2", "xen1", "xen2") == ["xen2", "xen1"]
    assert names("backup", "@rack1", "all") == ["backup", "xen1", "xen2"]
    assert names("local", "all") == ["local", "xen1", "xen2", "backup"]
    assert names() == []


def test_a_name_that_the_inventory_lacks_is_an_ssh_host_with_its_defaults() -> None:
    (entry,) = choose(INVENTORY, ["db.example.org"])
    assert entry == HostEntry(name="db.example.org", address="db.example.org", user="root", port=2200)
    (entry,) = choose(INVENTORY, ["ssh://me@[::1]:22"])
    assert (entry.name, entry.address, entry.user, entry.port) == ("ssh://me@[::1]:22", "::1", "me", 22)


def test_hosts_on_the_way_are_the_inventorys() -> None:
    inventory = parse_inventory(
        b"defaults: {proxy_jump: gate}\n"
        b"hosts:\n  gate: {address: 192.0.2.9, user: me, port: 2222}\n  xen1: {}\n"
        b"  deep: {proxy_jump: 'gate,me@other'}\n  six: {address: '2001:db8::1', proxy_jump: xen1}\n"
        b"  seven: {proxy_jump: six}\n",
        "hosts.yaml",
    )
    gate, xen1, deep, six, seven = choose(inventory, ["all"])
    assert (gate.proxy_jump, gate.via) == (None, ()), "it isn't in its own way"
    assert (xen1.proxy_jump, xen1.via) == ("gate", (gate,))
    assert (deep.via, deep.ssh_jump) == ((gate,), "me@192.0.2.9:2222,me@other")
    assert six.via == (xen1,)
    assert seven.ssh_jump == "[2001:db8::1]"


def test_hosts_that_are_in_each_others_way() -> None:
    inventory = parse_inventory(b"hosts:\n  a: {proxy_jump: b}\n  b: {proxy_jump: a}\n", "hosts.yaml")
    (entry,) = choose(inventory, ["a"])
    assert [hop.name for hop in entry.via] == ["b"]
    assert entry.via[0].via == ()


def test_another_login_on_a_known_host() -> None:
    (entry,) = choose(INVENTORY, ["me@xen1"])
    assert (entry.name, entry.address, entry.user, entry.groups) == ("me@xen1", "192.0.2.1", "me", ("rack1",))


def test_sockets_have_no_defaults() -> None:
    assert choose(INVENTORY, ["unix:///a/b", "/a/c"]) == [
        HostEntry(name="unix:///a/b", address="unix:///a/b"),
        HostEntry(name="/a/c", address="unix:///a/c"),
    ]


def test_a_slip_of_the_keyboard_is_not_sent_to_some_host() -> None:
    error = refusal("xem1")
    assert "no host 'xem1'" in error.message
    assert error.hint == "did you mean xen1? ssh://xem1 is taken as it is"
    assert names("ssh://xem1") == ["ssh://xem1"]
    assert "did you mean @rack1" in (refusal("@rak1").hint or "")
    assert "@rack1" in (refusal("@other").hint or "")
    assert (refusal("rack1").hint or "").startswith("write @rack1;")
    assert names("ssh://rack1") == ["ssh://rack1"]


def test_all_of_nothing_is_an_error() -> None:
    assert "no hosts in the group 'nobody'" in refusal("xen1", "@nobody").message
    with pytest.raises(UsageError, match="no hosts") as caught:
        choose(EMPTY, ["all"])
    assert "host add" in (caught.value.hint or "")


def test_names_that_need_no_inventory() -> None:
    assert explicit(["local", "unix:///a", "local"]) == [
        HostEntry(name="local", address="local"),
        HostEntry(name="unix:///a", address="unix:///a"),
    ]
    assert explicit(["local", "xen1"]) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("xen1", ("xen1", None, None)),
        ("root@xen1", ("xen1", "root", None)),
        ("ssh://xen1/", ("xen1", None, None)),
        ("ssh://me@xen1:23", ("xen1", "me", 23)),
        ("2001:db8::1", ("2001:db8::1", None, None)),
        ("[fe80::1%eth0]", ("fe80::1%eth0", None, None)),
        ("ssh://[fe80::1]:23", ("fe80::1", None, 23)),
        ("/run/x", ("unix:///run/x", None, None)),
        ("local", ("local", None, None)),
    ],
)
def test_addresses(text: str, parts: tuple[str, str | None, int | None]) -> None:
    address = parse_address(text)
    assert (address.place, address.user, address.port) == parts


NO_ADDRESSES = """
-oX  a b  a:22  ssh://  ssh://a:0  ssh://a:99999999999  ssh://a:x  ssh://[a]  [::1  [::1]:22  @a  a@  -x@a
unix://a  http://a  a,b  ssh://a/b  fe80::1%  ssh://a\tb  ssh://::1:22x
"""


@pytest.mark.parametrize("text", ["", *NO_ADDRESSES.replace("\n", "  ").split("  ")])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


def test_how_long_a_host_may_take() -> None:
    assert HostEntry(name="a", address="a").limit_s == 40
    assert HostEntry(name="a", address="a", connect_timeout_s=1.0, answer_timeout_s=0.5).limit_s == 1.5
