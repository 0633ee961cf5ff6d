"""~/.ssh/config is read as OpenSSH reads it: ``ssh -G`` is the judge."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlpy.errors import ConfigError
from xlpy.inventory.entry import HostEntry
from xlpy.transport.ssh_config import Asked, SshConfig, parse_lines
from xlpy.transport.ssh_settings import Client, SshSettings
from xlpy.transport.ssh_words import Unbalanced, matches_any, split_words

USER = pwd.getpwuid(os.getuid()).pw_name
needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh to compare with")

# Each line: what is asked about, and the config.
CONFIGS = {
    "first value counts": "Host web\n Port 1\nHost *\n Port 2\n User nobody",
    "nothing fits": "Host web\n Port 1",
    "patterns": "Host w?b *.org !x.org\n Port 1\nHost !web *\n User nobody",
    "negation alone": "Host !db\n Port 1",
    "names": "Host web\n HostName %h.example.org\n Port 2200",
    "before any host": "Port 77\nHost web\n Port 78",
    "equals": "Host=web\n Port=99\n User = me",
    "quotes": 'Host "web" \'db\'\n User "some one"\n IdentityFile "/k/with blank"',
    "comments": "Host web # the first\n Port 5 # five\n# Port 6\n   # Port 7\n User me",
    "case": "hOsT web\n pORT 5",
    "identities add up": "Host web\n IdentityFile /k/a\nHost *\n IdentityFile /k/b\n IdentityFile /k/a",
    "certificates": "Host web\n CertificateFile /k/a-cert.pub\nHost *\n CertificateFile /k/b-cert.pub",
    "known hosts": "Host web\n UserKnownHostsFile /k/one /k/two\n GlobalKnownHostsFile /k/three\n HostKeyAlias Other",
    "alive": "Host web\n ServerAliveInterval 7\n ServerAliveCountMax 9\n ConnectTimeout 1m",
    "match host": "Host web\n HostName web.example.org\nMatch host *.example.org\n User me\nMatch host web\n Port 9",
    "match originalhost": "Host web\n HostName a\nMatch originalhost web,db\n Port 9\nMatch originalhost a\n User no",
    "match user": "Host web\n User me\nMatch user me\n Port 9\nMatch user you\n Port 10",
    "match all": "Match all\n Port 9",
    "match negated": "Match !host db\n Port 9\nMatch host web !user nobody\n User nobody",
    "match localuser": f"Match localuser {USER}\n Port 9",
    "match exec": 'Match exec "true"\n Port 9\nMatch exec "test %n = web"\n User me\nMatch exec false\n User you',
    "match final": "Host *\n HostName a.b\nMatch final host a.b\n Port 9\nMatch final\n User me",
    "match equals": "Match host=web user=nobody\n Port 1\nMatch host=web\n Port 2",
    "include": "Include inc/one\nHost web\n Include inc/two\nPort 1",
    "include in a host that doesn't fit": "Host db\n Include inc/one\nHost *\n Port 1",
    "include of many": "Include inc/*\nInclude /no/such/file",
    "proxy command": "Host web\n ProxyCommand nc -X 5 %h %p # no comment here\n Port 3",
    "proxy command none": "Host web\n ProxyCommand none\nHost *\n ProxyCommand nc %h %p",
    "proxy jump": "Host web\n ProxyJump me@a:1,b\nHost *\n ProxyJump c",
    "proxy jump first": "Host web\n ProxyJump a\n ProxyCommand nc %h %p",
    "proxy jump none": "Host web\n ProxyJump none\nHost *\n ProxyJump c",
    "agent": "Host web\n IdentityAgent none\n IdentitiesOnly yes",
    "family": "AddressFamily inet6\nBindAddress 127.0.0.1",
}  # fmt: skip
INCLUDED = {
    "one": "Host web\n User one\nHost db\n User db\n",
    "two": "User two\nHost db\n Port 22222\nMatch all\n ServerAliveInterval 22\n",
}


@needs_ssh
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("host", ["web", "x.org", "Web"])
def test_as_ssh_reads_it(tmp_path: Path, name: str, host: str) -> None:
    (tmp_path / ".ssh" / "inc").mkdir(parents=True)
    for file, text in INCLUDED.items():
        (tmp_path / ".ssh" / "inc" / file).write_text(text)
    # ssh takes what is relative from the directory of its own user
    text = CONFIGS[name]
    (tmp_path / ".ssh" / "config").write_text(text)
    (tmp_path / "theirs").write_text(text.replace("inc/", f"{tmp_path}/.ssh/inc/"))
    found = SshConfig(str(tmp_path), system="/dev/null").look_up(
        Asked(host, USER, str(tmp_path), lambda command: os.system(command) == 0)
    )
    ours = {
        "hostname": found.host_name,
        "port": found.word("port") or "22",
        "user": found.word("user") or USER,
    }
    theirs = _ask_ssh(tmp_path / "theirs", host)
    assert ours == {keyword: theirs[keyword][0] for keyword in ours}
    for keyword in ("identityfile", "certificatefile"):
        if found.lines(keyword):
            assert found.lines(keyword) == theirs[keyword]
    for keyword in ("userknownhostsfile", "globalknownhostsfile"):
        if found.words(keyword):
            assert " ".join(found.words(keyword)) == theirs[keyword][0]
    settings = _settings(tmp_path, host)
    if not settings.jumps and settings.proxy_command is None:
        assert "proxycommand" not in theirs
        assert "proxyjump" not in theirs
    if settings.jumps:
        assert ",".join(settings.jumps) == theirs["proxyjump"][0]
    for keyword, value in (
        ("serveraliveinterval", settings.alive_interval_s),
        ("serveralivecountmax", settings.alive_count),
        ("connecttimeout", settings.connect_timeout_s),
        ("hostkeyalias", settings.known_hosts_name),
        ("addressfamily", settings.address_family),
    ):
        if found.word(keyword):
            assert str(value).removesuffix(".0") == theirs[keyword][0].lower()


def _ask_ssh(config: Path, host: str) -> dict[str, list[str]]:
    done = subprocess.run(
        ["ssh", "-F", config, "-G", host], capture_output=True, text=True, timeout=60, check=True
    )
    answers: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        answers.setdefault(keyword, []).append(value)
    return answers


def _settings(home: Path, host: str, **more: object) -> SshSettings:
    return Client(str(home)).settings(HostEntry(name=host, address=host, **more))  # type: ignore[arg-type]


def test_the_inventory_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(
        "Host web\n Port 1\n User a\n IdentityFile ~/.ssh/%r\n ProxyCommand nc %h %p\n ConnectTimeout 3\n"
        "Match user b\n ServerAliveInterval 99\n"
    )
    plain = _settings(tmp_path, "web")
    assert (plain.user, plain.port, plain.connect_timeout_s) == ("a", 1, 3.0)
    assert plain.proxy_command == "nc web 1"
    assert plain.identity_files == (f"{tmp_path}/.ssh/a",)
    assert plain.known_hosts_name == "[web]:1"
    changed = _settings(
        tmp_path,
        "web",
        user="b",
        port=22,
        identity_file="~/k",
        known_hosts_file="/known",
        proxy_jump="x,y",
        connect_timeout_s=9.0,
    )
    assert (changed.user, changed.port, changed.alive_interval_s) == ("b", 22, 99)
    assert changed.identity_files == (f"{tmp_path}/k", f"{tmp_path}/.ssh/b")
    assert changed.known_hosts_files == ("/known",)
    assert (changed.jumps, changed.proxy_command) == (("x", "y"), None)
    assert changed.connect_timeout_s == 9.0
    assert changed.known_hosts_name == "web"


def test_what_is_usual(tmp_path: Path) -> None:
    usual = _settings(tmp_path, "web")
    assert usual.user == USER
    assert usual.identity_files[0] == f"{tmp_path}/.ssh/id_ed25519"
    assert not usual.identities_chosen
    assert usual.known_hosts_files[:2] == (f"{tmp_path}/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


@pytest.mark.parametrize(
    ("jump", "parts"),
    [
        ("b", (None, "b", None)),
        ("me@b:2", ("me", "b", 2)),
        ("ssh://me@[::1]:2", ("me", "::1", 2)),
        ("fe80::1", (None, "fe80::1", None)),
    ],
)
def test_hosts_on_the_way(tmp_path: Path, jump: str, parts: tuple[str | None, str, int | None]) -> None:
    settings = Client(str(tmp_path)).jump_settings(jump, "web")
    user, host, port = parts
    assert (settings.user, settings.host, settings.port) == (user or USER, host, port or 22)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Host", "c:1: Host stands without a value"),
        ('Host a\nUser "b', 'c:2: a quote " is not closed'),
    ],
)
def test_broken_lines(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_lines(text, "c")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("Match frobnicate x", "config:1: Match doesn't know 'frobnicate'"),
        ("Match host", "config:1: Match host needs an argument"),
        ("Include config", "config:1: files include each other"),
        ("ServerAliveInterval often", "serveraliveinterval often: this is no number"),
        ("ProxyJump a,,b", "web: ProxyJump: there is an empty name in 'a,,b'"),
        ("IdentityFile ~/%Y", "there is no token %Y"),
        ("IdentityFile ${XLPY_NOT_SET}/x", "the environment has no XLPY_NOT_SET"),
    ],
)
def test_what_makes_no_sense(tmp_path: Path, config: str, message: str) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(config)
    with pytest.raises(ConfigError) as caught:
        _settings(tmp_path, "web")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("config", "name", "refused"),
    [
        ("CanonicalizeHostname yes\nCanonicalDomains example.org", "web", True),
        ("CanonicalizeHostname yes\nCanonicalDomains example.org", "web.lab", True),
        ("CanonicalizeHostname yes\nCanonicalDomains example.org", "web.lab.example.org", False),
        ("CanonicalizeHostname yes\nCanonicalDomains example.org", "10.1", False),
        ("CanonicalizeHostname yes\nCanonicalDomains example.org", "fe80::1", False),
        ("CanonicalizeHostname yes\nCanonicalDomains example.org\nProxyJump gate", "web", False),
        ("CanonicalizeHostname always\nCanonicalDomains example.org\nProxyJump gate", "web", True),
        ("CanonicalizeHostname no\nCanonicalDomains example.org", "web", False),
        ("CanonicalizeHostname yes", "web", False),
        ("CanonicalizeHostname yes\nCanonicalDomains a b\nCanonicalizeMaxDots 0", "web.lab", False),
    ],
)
def test_canonical_names_are_refused_where_they_matter(
    tmp_path: Path, config: str, name: str, refused: bool
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(config)
    if refused:
        with pytest.raises(ConfigError, match="CanonicalizeHostname") as caught:
            _settings(tmp_path, name)
        assert caught.value.hint is not None
        assert f"address: {name}.example.org" in caught.value.hint
    else:
        assert _settings(tmp_path, name).host == name


def test_list_of_revoked_keys_is_named(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("RevokedHostKeys ~/.ssh/revoked")
    assert _settings(tmp_path, "web").revoked_keys_file == f"{tmp_path}/.ssh/revoked"


def test_changed_files_are_noticed(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    client = Client(str(tmp_path))
    client.settings(HostEntry(name="web", address="web"))
    assert client.is_current()
    (tmp_path / ".ssh" / "config").write_text("Include more")
    assert not client.is_current()
    client = Client(str(tmp_path))
    client.settings(HostEntry(name="web", address="web"))
    assert client.is_current()


@given(st.text(alphabet="ab \t\"'\\#", max_size=12))
def test_words(text: str) -> None:
    try:
        words = split_words(text)
    except Unbalanced:
        assert "'" in text or '"' in text
        return
    assert "".join(words).count("a") <= text.count("a")
    if not set(text) & set("\"'\\#"):
        assert words == text.split()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.text(alphabet="ab*?!", min_size=1, max_size=6), max_size=3),
    st.text(alphabet="ab", max_size=6),
)
def test_patterns(patterns: list[str], name: str) -> None:
    """As a slow and obvious matcher sees it."""

    def fits(pattern: str, rest: str) -> bool:
        if not pattern:
            return not rest
        if pattern[0] == "*":
            return any(fits(pattern[1:], rest[index:]) for index in range(len(rest) + 1))
        return bool(rest) and pattern[0] in ("?", rest[0]) and fits(pattern[1:], rest[1:])

    denied = any(pattern[0] == "!" and fits(pattern[1:], name) for pattern in patterns)
    allowed = any(pattern[0] != "!" and fits(pattern, name) for pattern in patterns)
    assert matches_any(patterns, name) is (allowed and not denied)
