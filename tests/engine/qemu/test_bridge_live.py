"""Taps and bridges as root, in a network namespace of the test's own: nothing of the host's network is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]


def in_own_network(script: str, timeout_s: float = 150) -> str:
    """What a Python script prints that runs in a new network namespace with the bridges xenbr0 and lan."""
    set_up = "ip link set lo up && ip link add xenbr0 type bridge && ip link add lan type bridge && "
    set_up += "ip addr add 10.9.0.1/24 dev xenbr0 && ip link set xenbr0 up && ip link set lan mtu 1400 up && "
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", set_up + 'exec "$0" -', sys.executable],
        input=script,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}:{HERE}:{HERE.parents[1]}"},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_tap_is_in_its_bridge_and_gone_with_its_holder() -> None:
    said = in_own_network("""
import os, socket, subprocess
from xlpy.engine.qemu.tap import bridge_names, interface_exists, may_make_taps, open_tap
assert may_make_taps()
print(bridge_names())
fd = open_tap("vif7.0", "lan")
shown = subprocess.check_output(["ip", "-oneline", "link", "show", "vif7.0"], text=True)
assert "mtu 1400" in shown and "master lan" in shown and "UP" in shown and "fe:ff:ff:ff:ff:ff" in shown, shown
os.close(fd)
print(interface_exists("vif7.0"))
other = open_tap("vif7.1", "xenbr0", mtu=1300)
print("mtu 1300" in subprocess.check_output(["ip", "link", "show", "vif7.1"], text=True))
""")
    assert said.splitlines() == ["['lan', 'xenbr0']", "False", "True"]


def test_what_goes_wrong_is_said_and_leaves_nothing() -> None:
    said = in_own_network("""
from xlpy.engine.qemu.tap import interface_exists, open_tap
from xlpy.errors import XlError
held = open_tap("vif7.0", "lan")
for name, bridge in (("vif7.0", "lan"), ("vif7.1", "lo"), ("vif7.1", "nowhere"), ("a-name-that-is-too-long", "lan")):
    try:
        open_tap(name, bridge)
    except XlError as error:
        print(error.code, error)
print(interface_exists("vif7.1"))
""")
    assert said.splitlines() == [
        "invalid-state the network interface vif7.0 is in use",
        "config the network interface lo is no bridge",
        "config the host has no bridge nowhere",
        "config 'a-name-that-is-too-long' is no name for a network interface",
        "False",
    ]


@pytest.mark.qemu
def test_a_guest_is_reached_through_its_bridge(tmp_path: Path) -> None:
    said = in_own_network(f"""
import subprocess
from domain_configs import PVH
from live_guest import LiveGuest, QemuEngine, guest_config
from xlpy.engine.qemu.tap import interface_exists
from xlpy.model.domain_config import NicConfig
engine = QemuEngine({str(tmp_path)!r}, {str(tmp_path)!r})
engine.start(lambda end: None)
try:
    guest = LiveGuest(engine, guest_config(PVH, nics=(NicConfig(), NicConfig(bridge="lan", ifname="web-lan"))))
    print([(nic.devid, nic.bridge, nic.ifname) for nic in engine.list_nics(guest.domid)])
    guest.run("ip addr add 10.9.0.2/24 dev eth0; ip link set eth0 up")
    print("0% packet loss" in guest.run("ping -c 3 -w 20 10.9.0.1"))
    stats = engine.domain_stats()[1]
    print(stats.nic_rx_bytes > 200, stats.nic_tx_bytes > 200)
    engine.attach_nic(guest.domid, NicConfig(bridge="lan"))
    guest.run_until("ls /sys/class/net", lambda text: "eth2" in text)
    engine.detach_nic(guest.domid, "2")
    print(interface_exists(f"vif{{guest.domid}}.0"), interface_exists(f"vif{{guest.domid}}.2"))
    guest.close()
    print(interface_exists("web-lan"))
finally:
    for domain in engine.domains():
        engine.destroy_domain(domain.domid)
    engine.close()
""")
    assert said.splitlines() == [
        "[(0, 'xenbr0', 'vif1.0'), (1, 'lan', 'web-lan')]",
        "True",
        "True True",
        "True False",
        "False",
    ]
