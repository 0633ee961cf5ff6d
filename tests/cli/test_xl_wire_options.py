"""What remus, migrate-receive and migrate --xl make of their options; engine/libxl and client have what comes of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from changing_world import World

from xlpy.model.migration import SavedDomain, TransferProgress
from xlpy.model.remus import RemusOptions


class Peer:
    """Stands for client.xl_peer.XlPeer: the other host, that nobody connects to."""

    runes: list[str]

    def __init__(self, rune: str, host: str, aloud: bool) -> None:
        Peer.runes.append(rune)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> type[Peer]:
    Peer.runes = []
    monkeypatch.setattr("xlpy.client.xl_peer.XlPeer", Peer)
    return Peer


@pytest.fixture
def replicated(monkeypatch: pytest.MonkeyPatch, peer: type[Peer]) -> list[tuple[int, RemusOptions]]:
    """What was asked of the client."""
    asked: list[tuple[int, RemusOptions]] = []
    monkeypatch.setattr(
        "xlpy.client.remus.replicate", lambda host, domid, peer, options: asked.append((domid, options))
    )
    monkeypatch.setattr(
        "xlpy.client.remus.replicate_to_nowhere", lambda host, domid, options: asked.append((domid, options))
    )
    return asked


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", RemusOptions()),
        ("-i 50", RemusOptions(interval_ms=50)),
        ("-u", RemusOptions(compression=False)),
        ("-F -n -d", RemusOptions(unsafe=True, netbuf=False, diskbuf=False)),
        ("-N /etc/xen/netbuf", RemusOptions(netbuf_script="/etc/xen/netbuf")),
        ("-F -b", RemusOptions(unsafe=True, blackhole=True)),
    ],
)
def test_remus(
    words: str,
    options: RemusOptions,
    world: World,
    replicated: list[tuple[int, RemusOptions]],
    peer: type[Peer],
) -> None:
    result = world.run(f"remus {words} web xen2")
    assert (result.status, result.err) == (0, "Remus: Primary domain has been destroyed.\n")
    assert replicated == [(world.web, options)]
    assert len(peer.runes) == (0 if options.blackhole else 1)


def test_by_what_remus_reaches_the_other_host(
    world: World, replicated: list[tuple[int, RemusOptions]], peer: type[Peer]
) -> None:
    assert world.call("remus", "-s", "ssh -4", "web", "xen2").status == 0
    assert world.call("remus", "-e", "-s", "ssh", "web", "xen2").status == 0
    assert world.call("remus", "-s", "", "web", "my own way").status == 0
    assert peer.runes == [
        "exec ssh -4 xen2 xl migrate-receive -r",
        "exec ssh xen2 xl migrate-receive -r -e",
        "my own way",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "remus -c web xen2",
        "remus -p web xen2",
        "migrate-receive --colo",
        "migrate-receive --coloft-script x",
        "migrate-receive --userspace-colo-proxy",
    ],
)
def test_colo_is_refused_by_name(line: str, world: World) -> None:
    result = world.run(line)
    assert (result.status, "COLO" in result.err) == (1, True)


class Reception:
    """Stands for client.xl_receive.Reception, which has xl's protocol."""

    made: dict[str, Any]

    def __init__(self, host: Any, reading: int, writing: int, **options: Any) -> None:
        Reception.made = options
        self._host = host

    def run(self) -> int:
        domid: int = self._host.find_domain("web").domid
        config = self._host.domain_config(domid)
        Reception.made["show"](
            SavedDomain(config=config, stream_format="fake", stream_version="1", xlpy_version="1")
        )
        return domid


@pytest.fixture
def reception(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Reception]]:
    monkeypatch.setattr("xlpy.client.xl_receive.Reception", Reception)
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        yield Reception


@pytest.mark.parametrize(
    ("words", "paused", "supervised", "failover"),
    [
        ("", False, True, False),
        ("-p", True, True, False),
        ("-e", False, False, False),
        ("-r", False, True, True),
    ],
)
def test_migrate_receive(
    words: str, paused: bool, supervised: bool, failover: bool, world: World, reception: type[Reception]
) -> None:
    assert world.run(f"migrate-receive {words}").status == 0
    made = reception.made
    assert (made["paused"], made["supervised"], made["failover"]) == (paused, supervised, failover)


def test_migrate_receive_tells_the_configuration(world: World, reception: type[Reception]) -> None:
    assert world.run("migrate-receive").err == ""
    assert json.loads(world.run("migrate-receive -d").err)["c_info"]["name"] == "web"


def test_migrate_receive_stays_until_the_end(
    world: World, reception: type[Reception], monkeypatch: pytest.MonkeyPatch
) -> None:
    stayed: list[int] = []
    monkeypatch.setattr("xlpy.cli.foreground.stay", lambda session, domid, config: stayed.append(domid))
    for words in ("", "-F -e", "-F"):
        assert world.run(f"migrate-receive {words}").status == 0
    assert stayed == [world.web]


def test_migrate_to_an_xl(world: World, peer: type[Peer], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class MigrationToXl:
        def __init__(self, host: Any, domid: int, peer: Peer, **options: Any) -> None:
            asked.append({"domid": domid, **options})

        def run(self) -> TransferProgress:
            return TransferProgress(phase="completed")

    monkeypatch.setattr("xlpy.client.xl_send.MigrationToXl", MigrationToXl)
    assert (
        world.call("migrate", "--xl", "-s", "ssh", "-e", "-p", "--bwlimit", "1m", "web", "xen2").status == 0
    )
    assert peer.runes == ["exec ssh xen2 xl migrate-receive -e -p"]
    assert asked[0]["domid"] == world.web
    assert asked[0]["limits"].bandwidth_bytes_per_s == 1 << 20
    assert world.call("migrate", "--xl", "--with-disks", "web", "xen2").status == 2
