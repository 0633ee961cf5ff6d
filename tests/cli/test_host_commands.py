"""The inventory's commands, with real sshds and with xlpyds behind sockets."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Call, Result
from host_farm import FarmHost
from ssh_client import SshClient
from ssh_hosts import SshHost, SshLab, ssh_hosts

from xlpy.cli.main import run
from xlpy.inventory.file import read_inventory


@pytest.fixture
def xlpy(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """xlpy in this process, with an inventory of its own that isn't there yet."""
    monkeypatch.setenv("XLPY_INVENTORY", "")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XLPY_BROKER", "no")

    def run_words(*words: str, program: str = "xlpy") -> Result:
        capfd.readouterr()
        status = run(words, program)
        captured = capfd.readouterr()
        return Result(status, captured.out, captured.err)

    return run_words


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[FarmHost]:
    host = FarmHost(tmp_path / "a", "a.example.org", ("web",))
    yield host
    host.close()


def rows(result: Result) -> list[dict[str, object]]:
    found = json.loads(result.out)["rows"]
    assert isinstance(found, list)
    return found


# -- without SSH


def test_an_inventory_that_is_not_there_yet(xlpy: Call, tmp_path: Path) -> None:
    result = xlpy("host", "list")
    assert result.status == 0
    assert (
        result.err == f"there are no hosts in {tmp_path}/xlpy/hosts.yaml yet; xlpy host add NAME adds one\n"
    )
    assert xlpy("host", "check").status == 2


def test_add_list_show_remove(xlpy: Call, tmp_path: Path) -> None:
    added = xlpy(
        *(
            "host",
            "add",
            "xen1",
            "192.0.2.1",
            "--user",
            "me",
            "--port",
            "23",
            "--group",
            "a,b",
            "--group",
            "c",
        ),
        *("--label", "site=x y", "--sudo", "--identity-file", "~/.ssh/k", "--no-connect"),
    )
    assert (added.status, added.err) == (0, f"xen1 is in {tmp_path}/xlpy/hosts.yaml now\n")
    assert xlpy("host", "add", "xen2", "--no-connect", "-q").err == ""
    listing = xlpy("host", "list")
    assert [line.split()[:5] for line in listing.out.splitlines()] == [
        ["name", "address", "user", "port", "groups"],
        ["xen1", "192.0.2.1", "me", "23", "a,b,c"],
        ["xen2", "xen2", "-", "-", "-"],
    ]
    (shown,) = rows(xlpy("host", "show", "xen1", "-o", "json"))
    assert (shown["sudo"], shown["labels"]) == (True, {"site": "x y"})
    assert shown["identity_file"] == os.path.expanduser("~/.ssh/k")
    assert (shown["ssh_user"], shown["ssh_port"]) == ("me", 23)
    assert shown["ssh_identity_files"] == [os.path.expanduser("~/.ssh/k")]
    plain = xlpy("host", "show", "xen1", "xen2").out
    assert plain.startswith("name                   : xen1\naddress                : 192.0.2.1\n")
    assert "\n\nname                   : xen2\n" in plain
    assert "SSH known hosts" in xlpy("host", "show", "xen1", "xen2", "-o", "table").out
    assert [row["name"] for row in rows(xlpy("host", "list", "@b", "-o", "json"))] == ["xen1"]
    assert xlpy("host", "remove", "xen1", "nope").status == 2
    assert len(rows(xlpy("host", "list", "-o", "json"))) == 2
    assert xlpy("host", "remove", "xen1", "xen2").status == 0
    assert read_inventory().hosts == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a,b"], "'a,b' is no name for a host"),
        (["all"], "the name 'all' has a meaning of its own"),
        (["x", "y z"], "no address"),
        (["x", "y", "z"], "one argument too many"),
        (["x", "--port", "y"], "'y' is no port"),
        (["x", "--port", "99999"], "'99999' is no port"),
        (["x", "--label", "y"], "--label takes NAME=VALUE"),
        (["x", "--identity-file", "y"], "relative path"),
    ],
)
def test_what_cannot_be_added(xlpy: Call, words: list[str], said: str) -> None:
    result = xlpy("host", "add", *words, "--no-connect")
    assert result.status == 2
    assert said in result.err
    assert read_inventory().hosts == ()


def test_a_host_that_is_there_already_is_not_changed(xlpy: Call) -> None:
    assert xlpy("host", "add", "x", "--no-connect").status == 0
    result = xlpy("host", "add", "x", "--user", "me")
    assert (result.status, "already" in result.err) == (2, True)


def test_hosts_behind_sockets_are_tried_and_checked(xlpy: Call, farm: FarmHost, tmp_path: Path) -> None:
    assert xlpy("host", "add", "a", farm.address).status == 0
    gone = xlpy("host", "add", "gone", f"unix://{tmp_path}/gone.sock")
    assert gone.status == 1
    assert "no xlpyd at" in gone.err
    assert "--no-connect adds the host as it is" in gone.err
    assert xlpy("host", "add", "gone", f"unix://{tmp_path}/gone.sock", "--no-connect").status == 0
    result = xlpy("host", "check", "-o", "json")
    assert result.status == 4
    good, bad = rows(result)
    assert (good["state"], good["engine"], good["hostname"], good["domains"]) == (
        "ok",
        "fake",
        "a.example.org",
        1,
    )
    assert bad["state"] == "failed"
    assert "no xlpyd at" in str(bad["problem"])
    assert xlpy("host", "check", "a").status == 0
    result = xlpy("host", "ping", "-n", "2", "-o", "json")
    assert result.status == 4
    good, bad = rows(result)
    assert good["count"] == 2
    assert 0 < good["min_ms"] <= good["avg_ms"] <= good["max_ms"]  # type: ignore[operator]
    assert (bad["count"], bad["connect_ms"]) == (0, None)
    assert result.err.startswith("xlpy: gone: no xlpyd at")


# -- with SSH


def fingerprint(host: SshHost) -> str:
    """Of the host's own key, as its administrator sees it."""
    listed = subprocess.run(
        ["ssh-keygen", "-lf", host.directory / "host_key.pub"], capture_output=True, text=True, check=True
    )
    return listed.stdout.split()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    with ssh_hosts(tmp_path_factory.mktemp("lab"), 2) as lab:
        yield lab


@pytest.fixture
def client(lab: SshLab) -> Iterator[SshClient]:
    client = SshClient(lab, XLPY_BROKER="no")
    client.forget_hosts()
    yield client
    lab.write_client()


def test_a_new_host_key_needs_consent(lab: SshLab, client: SshClient) -> None:
    host = lab.hosts[0]
    refused = client("host", "add", "host1")
    assert refused.status == 1
    assert f"ED25519 key fingerprint is {fingerprint(host)}" in refused.err
    assert "--fingerprint" in refused.err
    wrong = client("host", "add", "host1", "--fingerprint", "SHA256:" + "A" * 43)
    assert wrong.status == 1
    assert "another one than expected" in wrong.err
    assert lab.known_hosts.read_text() == ""
    assert not lab.inventory.exists()
    right = client("host", "add", "host1", "--fingerprint", fingerprint(host), "--group", "lab")
    assert (right.status, right.err) == (0, f"host1 is in {lab.inventory} now\n")
    assert lab.known_hosts.read_text().split() == host.known_hosts_line.split()[:3]
    listed = client("-H", "@lab", "list")
    assert listed.status == 0, listed.err
    assert listed.out.splitlines()[1].split()[:2] == ["host1", "Domain-0"]


def test_a_host_of_the_inventory_gets_its_key_accepted(lab: SshLab, client: SshClient) -> None:
    assert client("host", "add", "host2", "--no-connect").status == 0
    assert client("-H", "host2", "list").status == 1
    accepted = client("host", "add", "host2", "--accept-new")
    assert accepted.status == 0
    assert "accepted unseen" in accepted.err
    assert client("-H", "host2", "list").status == 0


def test_a_person_says_yes_or_no(lab: SshLab, client: SshClient) -> None:
    status, said = client.on_terminal("no", "host", "add", "host1")
    assert status == 1
    assert fingerprint(lab.hosts[0]) in said
    assert lab.known_hosts.read_text() == ""
    status, _ = client.on_terminal("yes", "host", "add", "host1")
    assert status == 0
    assert lab.known_hosts.read_text().split() == lab.hosts[0].known_hosts_line.split()[:3]
    assert lab.inventory.exists()


def test_show_says_what_the_users_own_configuration_adds(lab: SshLab, client: SshClient) -> None:
    lab.write_client()
    (shown,) = rows(client("host", "show", "host1", "-o", "json"))
    host = lab.hosts[0]
    assert (shown["address"], shown["ssh_host"], shown["ssh_port"]) == ("host1", host.address, host.port)
    assert shown["ssh_known_hosts_files"] == [str(lab.known_hosts), "/dev/null"]


def test_check_and_ping_over_ssh(lab: SshLab, client: SshClient) -> None:
    lab.write_client()
    with lab.inventory.open("a") as inventory:
        inventory.write("  nowhere: {address: 127.0.0.1, port: 1}\n")
    result = client("host", "check", "-o", "json")
    assert result.status == 4, result.err
    one, two, nowhere = rows(result)
    for row in (one, two):
        assert (row["engine"], row["uid"], row["state"]) == (
            "qemu",
            os.getuid(),
            "ok" if os.getuid() == 0 else "remarks",
        )
        assert str(row["python"]).startswith("3.")
    assert (nowhere["state"], "refused" in str(nowhere["problem"])) == ("failed", True)
    assert result.err.count("nowhere") == 1
    ping = client("host", "ping", "host1", "host2", "-n", "1", "-o", "json")
    assert ping.status == 0
    assert [row["count"] for row in rows(ping)] == [1, 1]
