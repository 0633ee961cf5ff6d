"""What machine-readable rows say, kind by kind: every column with a value that can be told from any other."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from changing_world import World, make_lab_host
from command_line import Call
from sample_configs import tiny

from xlpy.client.host import Host
from xlpy.lab.host import LabHost
from xlpy.model.device import (
    ChannelInfo,
    ConnectorInfo,
    DiskInfo,
    NicInfo,
    VdisplInfo,
    VkbInfo,
    VtpmInfo,
)
from xlpy.model.device_config import PciConfig, VsndConfig
from xlpy.model.domain import ShutdownReason
from xlpy.model.hypervisor import PsrMonitoring
from xlpy.model.migration import Peer
from xlpy.model.sound import VsndInfo
from xlpy.protocol.introduction import Introduction
from xlpy.transport.broker_message import Answer, LineStatus

UUID = "12345678-1234-1234-1234-000000000000"


def rows(call: Call, line: str) -> list[dict[str, Any]]:
    result = call(*line.split(), "-o", "json")
    assert (result.status, result.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(result.out)["rows"]
    return found


def plug(world: World, *devices: object) -> None:
    """Have these devices in web, and no others of their kind."""
    for device in devices:
        world.fake.plugged[type(device).__name__, world.web] = [device]


def test_disks(world: World) -> None:
    disk = DiskInfo(
        devid=51712, vdev="xvda", backend_domid=3, state=4, evtch=17, rref=8,
        backend_path="/local/domain/3/backend/vbd/2/51712", target="/srv/web.img", format="raw", readonly=True,
    )  # fmt: skip
    world.fake.guests[world.web].disks = [disk]
    (row,) = rows(world.call, "block-list web")
    assert row == {
        "domid": world.web,
        "vdev": "xvda",
        "devid": 51712,
        "backend_domid": 3,
        "state": 4,
        "evtch": 17,
        "rref": 8,
        "backend_path": "/local/domain/3/backend/vbd/2/51712",
        "target": "/srv/web.img",
        "format": "raw",
        "cdrom": False,
        "readonly": True,
    }


def test_network_cards(world: World) -> None:
    nic = NicInfo(
        devid=2, mac="00:16:3e:00:00:05", backend_domid=3, state=4, evtch=17, rref_tx=8, rref_rx=9,
        backend_path="/local/domain/3/backend/vif/2/2", bridge="br0", model="e1000", ifname="vif2.2",
    )  # fmt: skip
    world.fake.guests[world.web].nics = [nic]
    (row,) = rows(world.call, "network-list web")
    assert row == {
        "domid": world.web,
        "devid": 2,
        "mac": "00:16:3e:00:00:05",
        "backend_domid": 3,
        "state": 4,
        "evtch": 17,
        "rref_tx": 8,
        "rref_rx": 9,
        "backend_path": "/local/domain/3/backend/vif/2/2",
        "bridge": "br0",
        "model": "e1000",
        "ifname": "vif2.2",
    }


def test_virtual_tpms_and_keyboards(world: World) -> None:
    plug(
        world,
        VtpmInfo(devid=3, uuid=UUID, backend_domid=5, evtch=6, rref=7, backend_path="/b/vtpm"),
        VkbInfo(devid=4, unique_id="kb", backend_type="linux", evtch=6, rref=7, backend_path="/b/vkb"),
    )
    shared = {"domid": world.web, "state": 4, "evtch": 6, "rref": 7}
    assert rows(world.call, "vtpm-list web") == [
        {"devid": 3, "backend_domid": 5, "uuid": UUID, "backend_path": "/b/vtpm", **shared}
    ]
    assert rows(world.call, "vkb-list web") == [
        {
            "devid": 4,
            "backend_domid": 0,
            "backend_path": "/b/vkb",
            "unique_id": "kb",
            "backend_type": "linux",
            **shared,
        }
    ]


def test_displays_sound_and_channels(world: World) -> None:
    connector = ConnectorInfo(unique_id="id0", width=800, height=600, req_evtch=1, req_rref=2, evt_evtch=3)
    plug(
        world,
        VdisplInfo(
            devid=1,
            connectors=(connector,),
            backend_domid=3,
            backend_path="/b/vdispl",
            frontend_path="/f/vdispl",
        ),
        VsndInfo(devid=2, card=VsndConfig(short_name="Main", long_name="Main card")),
        ChannelInfo(devid=3, connection="socket", path="/run/x"),
    )
    (display,) = rows(world.call, "vdispl-list web")
    assert (display["backend_domid"], display["backend_path"]) == (3, "/b/vdispl")
    assert display["frontend_path"] == "/f/vdispl"
    assert display["connectors"][0]["unique_id"] == "id0"
    assert (display["connectors"][0]["width"], display["connectors"][0]["height"]) == (800, 600)
    (sound,) = rows(world.call, "vsnd-list web")
    assert (sound["short_name"], sound["long_name"]) == ("Main", "Main card")
    (channel,) = rows(world.call, "channel-list web")
    assert (channel["connection"], channel["path"]) == ("socket", "/run/x")


def test_pci_functions(world: World) -> None:
    plug(world, PciConfig(bus=2, dev=3, func=1, name="fast", vdevfn=5 << 3))
    (row,) = rows(world.call, "pci-list web")
    assert (row["device"], row["name"]) == ("0000:02:03.1", "fast")
    world.fake.assignable = [PciConfig(bus=4, name="slow"), PciConfig(bus=5)]
    assert rows(world.call, "pci-assignable-list") == [
        {"device": "0000:04:00.0", "name": "slow"},
        {"device": "0000:05:00.0", "name": None},
    ]


def test_the_port_that_viewers_connect_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlpy.client.vnc_tunnel.VncTunnel.serve", lambda tunnel: None)
    (row,) = rows(world.call, "vncviewer --port web")
    assert row["address"] == "127.0.0.1"
    assert row["port"] > 1023


def test_domains_in_every_condition(world: World) -> None:
    guest = world.fake.guests[world.web]
    guest.info = guest.info.replace(
        ssid_label="system_u:system_r:domU_t", node_affinity=(0, 1), shutdown=True, running=False,
        shutdown_reason=ShutdownReason.CRASH, outstanding_memory_kib=12,
    )  # fmt: skip
    for line in ("list", "claims"):
        (row,) = [row for row in rows(world.call, line) if row["name"] == "web"]
        assert row["security_label"] == "system_u:system_r:domU_t"
        assert row["node_affinity"] == [0, 1]
        assert row["shutdown_reason"] == "crash"
        assert (row["activity"], row["peer"]) == (None, None)


@pytest.mark.parametrize("line", ["list", "claims"])
def test_a_domain_on_its_way(line: str, call: Call, host: Host) -> None:
    """Its state has been sent, and to which host."""
    domid = host.create_domain(tiny("web"))
    host.describe_domain(domid)
    host.save_domain(domid, os.open(os.devnull, os.O_WRONLY), peer=Peer(name="b"))
    (row,) = [row for row in rows(call, line) if row["name"] == "web"]
    assert (row["activity"], row["peer"]) == ("saved", "b")


def test_the_host(world: World) -> None:
    world.fake.host = world.fake.host.replace(
        accelerator="tcg", accelerator_note="/dev/kvm runs no guest", program_version="QEMU 7.2"
    )
    (row,) = rows(world.call, "info")
    assert row["accelerator"] == "tcg"
    assert row["accelerator_note"] == "/dev/kvm runs no guest"
    assert row["program_version"] == "QEMU 7.2"


def test_pools_and_quotas(world: World) -> None:
    world.fake.pools = tuple(
        pool.replace(scheduler="credit") if pool.poolid == 0 else pool for pool in world.fake.pools
    )
    assert world.run("sched-credit -s -t 10 -r 500 -m 7").status == 0
    assert rows(world.call, "sched-credit -s") == [
        {
            "poolid": 0,
            "name": "Pool-0",
            "scheduler": "credit",
            "tslice_ms": 10,
            "ratelimit_us": 500,
            "migration_delay_us": 7,
        }
    ]
    world.fake.quotas[world.web] = {"nodes": 5, "watches": 6}
    assert rows(world.call, "xenstore-quota-get web") == [
        {"name": "nodes", "value": 5},
        {"name": "watches", "value": 6},
    ]


def test_cache_use(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fake.monitoring = PsrMonitoring(
        enabled=True, total_rmid=71, kinds=("cache-occupancy",), sockets=(0, 1), domids=(world.web,)
    )
    monkeypatch.setattr(world.fake, "psr_sample", lambda domid, kind, socket: 100 + socket)
    (row,) = rows(world.call, "psr-cmt-show cache-occupancy web")
    assert row == {"name": "web", "domid": world.web, "kind": "cache-occupancy", "samples": [100, 101]}
    (monitoring,) = [row for row in rows(world.call, "psr-hwinfo") if row["feature"] == "cmt"]
    assert (monitoring["enabled"], monitoring["total_rmid"]) == (True, 71)
    assert monitoring["kinds"] == ["cache-occupancy"]


def test_connections_of_the_broker(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    line = LineStatus(
        name="xen1", address="root@192.0.2.1:22", state="connected", since_s=12.5, clients=2, sent_bytes=10,
        received_bytes=20,
    )  # fmt: skip
    monkeypatch.setattr("xlpy.client.broker.broker_status", lambda: Answer(pid=1, build="1", lines=(line,)))
    (row,) = rows(call, "broker status")
    assert row == {
        "host": "xen1",
        "address": "root@192.0.2.1:22",
        "state": "connected",
        "since_s": 12.5,
        "clients": 2,
        "sent_bytes": 10,
        "received_bytes": 20,
    }


def test_hosts_of_the_lab(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_lab_host()
    down = {
        "name": "lab1",
        "xen": "4.17",
        "state": "down",
        "ssh_port": 2222,
        "link_address": "10.9.0.1",
        "memory_mib": 1536,
        "cpus": 1,
        "accelerator": "tcg",
        "pid": None,
    }
    assert rows(world.call, "lab status") == [down]
    monkeypatch.setattr(LabHost, "pid", property(lambda host: 4711))
    monkeypatch.setattr(LabHost, "is_settled", property(lambda host: True))
    assert rows(world.call, "lab status lab1") == [{**down, "state": "running", "pid": 4711}]


INVENTORY = """
version: 1
hosts:
  x1:
    address: x1.example.org
    user: admin
    port: 2200
    identity_file: /keys/x1
    known_hosts_file: /keys/known
    proxy_jump: bastion
    groups: [rack1]
    labels: {site: berlin}
    python: python3.11
    sudo: true
    socket: /run/x1.sock
    state_dir: /var/x1
    connect_timeout_s: 3
    answer_timeout_s: 4
"""
ENTRY = {
    "name": "x1",
    "address": "x1.example.org",
    "user": "admin",
    "port": 2200,
    "identity_file": "/keys/x1",
    "known_hosts_file": "/keys/known",
    "proxy_jump": "bastion",
    "groups": ["rack1"],
    "labels": {"site": "berlin"},
    "python": "python3.11",
    "sudo": True,
    "socket": "/run/x1.sock",
    "state_dir": "/var/x1",
    "connect_timeout_s": 3,
    "answer_timeout_s": 4,
}


def test_hosts_of_the_inventory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.directory / "hosts.yaml").write_text(INVENTORY)
    ssh = world.directory / ".ssh"
    ssh.mkdir()
    (ssh / "config").write_text("Host elsewhere\n  ProxyCommand nc %h %p\n")
    monkeypatch.setenv("HOME", str(world.directory))
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent.sock")
    (row,) = rows(world.call, "host list")
    assert row == ENTRY
    (row,) = rows(world.call, "host show x1")
    assert {key: row[key] for key in ENTRY} == ENTRY
    assert (row["ssh_host"], row["ssh_port"], row["ssh_user"]) == ("x1.example.org", 2200, "admin")
    assert row["ssh_identity_files"] == ["/keys/x1"]
    assert row["ssh_known_hosts_files"] == ["/keys/known"]
    assert (row["ssh_agent"], row["ssh_jumps"]) == ("/run/agent.sock", ["bastion"])
    (row,) = rows(world.call, "host show elsewhere")
    assert row["ssh_proxy_command"] == "nc elsewhere 22"


def test_what_a_look_at_hosts_finds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Introduction(python="3.11.2", uid=1000, host="h1", socket="/run/xlpy.sock", installed=True)
    monkeypatch.setattr("xlpy.client.probe.log_in", lambda entry: said)
    result = world.call("host", "check", "h1", "-o", "json")
    (row,) = json.loads(result.out)["rows"]
    assert (row["python"], row["uid"], row["access"], row["domains"]) == ("3.11.2", 1000, "installed", 4)
    assert (row["state"], row["engine"], row["hostname"]) == ("remarks", "fake", "testhost")
    assert "the login has no root privileges (uid 1000)" in row["remarks"][0]
