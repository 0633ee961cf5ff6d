"""Network cards: made-up addresses, models, and what they are plugged into on a host with and without rights."""

from __future__ import annotations

import json

import pytest
from domain_configs import HVM, PVH, domain_config

from xlpy.engine.qemu import nics, tap
from xlpy.engine.qemu.nics import complete_nics, nic_arguments, plan_nics, qemu_model
from xlpy.engine.qemu.rate_limit import burst_bytes, bytes_per_s
from xlpy.errors import ConfigError, NotSupported
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import DomainConfig, HvmInfo, NicConfig
from xlpy.model.mac import made_up_mac


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right to make taps."""
    monkeypatch.setattr(nics, "may_make_taps", lambda: False)


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """With that right, on a host that has the bridges xenbr0 and lan."""
    monkeypatch.setattr(nics, "may_make_taps", lambda: True)
    monkeypatch.setattr(nics, "interface_exists", lambda name: name in ("xenbr0", "lan"))


def completed(*cards: NicConfig, kind: DomainType = PVH, hvm: HvmInfo | None = None) -> DomainConfig:
    return complete_nics(domain_config(kind, nics=cards, hvm=hvm, kernel=None if kind is HVM else "/vmlinuz"))


def devices(config: DomainConfig, domid: int = 3) -> list[dict[str, object]]:
    records, _ = plan_nics(config, domid)
    arguments = nic_arguments(config, records, {record.netdev_id: "{fd1}" for record in records})
    return [json.loads(value) for value in arguments[1::2]]


def test_a_made_up_mac_is_of_xens_range() -> None:
    for _ in range(200):
        numbers = [int(part, 16) for part in made_up_mac().split(":")]
        assert numbers[:3] == [0x00, 0x16, 0x3E]
        assert numbers[3] < 0x80
    assert made_up_mac() != made_up_mac()


def test_devids_fill_the_gaps_and_macs_are_kept() -> None:
    config = completed(
        NicConfig(), NicConfig(devid=0, mac="00:16:3e:00:00:01"), NicConfig(devid=2), NicConfig()
    )
    assert [nic.devid for nic in config.nics] == [1, 0, 2, 3]
    assert config.nics[1].mac == "00:16:3e:00:00:01"
    assert len({nic.mac for nic in config.nics}) == 4
    assert complete_nics(config) == config


@pytest.mark.usefixtures("user")
def test_a_user_gets_a_user_mode_network_and_is_told() -> None:
    config = completed(NicConfig(bridge="lan", mac="00:16:3e:00:00:01"))
    records, notes = plan_nics(config, 3)
    assert records[0].netdev == "user"
    assert notes == ("vif 0: user-mode network instead of bridge lan, which needs root",)
    backend, device = devices(config)
    assert backend == {"type": "user", "id": "net0"}
    assert device == {
        "driver": "virtio-net-pci", "id": "nic0", "netdev": "net0", "mac": "00:16:3e:00:00:01",
        "bus": "pci.0", "addr": "0x18", "romfile": "",
    }  # fmt: skip


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    "nic", [NicConfig(rate_bytes_per_interval=1000, rate_interval_usecs=50000), NicConfig(mtu=9000)]
)
def test_what_a_user_mode_network_cannot_do_is_refused(nic: NicConfig) -> None:
    with pytest.raises(NotSupported, match="user-mode network"):
        plan_nics(completed(nic), 3)


@pytest.mark.usefixtures("root")
def test_root_gets_a_tap_in_the_bridge() -> None:
    config = completed(NicConfig(bridge="lan"), NicConfig(), NicConfig(bridge="lan", ifname="web-dmz"))
    records, notes = plan_nics(config, 3)
    assert [(record.netdev, record.ifname, record.config.bridge) for record in records] == [
        ("tap", "vif3.0", "lan"),
        ("tap", "vif3.1", "xenbr0"),
        ("tap", "web-dmz", "lan"),
    ]
    assert notes == ()
    assert devices(config)[0] == {"type": "tap", "id": "net0", "fd": "{fd1}"}


@pytest.mark.usefixtures("root")
def test_a_bridge_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "bridge_names", lambda: ["lan", "xenbr0"])
    with pytest.raises(ConfigError, match="no bridge dmz") as caught:
        plan_nics(completed(NicConfig(bridge="dmz")), 3)
    assert caught.value.hint == "bridges here: lan, xenbr0"


def test_root_without_any_bridge_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nics, "may_make_taps", lambda: True)
    monkeypatch.setattr(nics, "interface_exists", lambda name: False)
    records, notes = plan_nics(completed(NicConfig()), 3)
    assert records[0].netdev == "user"
    assert notes == ("vif 0: user-mode network, as the host has no bridge xenbr0 and none was asked for",)


@pytest.mark.parametrize(
    ("nic", "error", "message"),
    [
        (NicConfig(script="/etc/xen/scripts/vif-route"), NotSupported, "runs no hotplug scripts"),
        (NicConfig(vlan="5"), NotSupported, "sets up no VLANs"),
        (NicConfig(backend_domname="router"), NotSupported, "no driver domains"),
        (NicConfig(nictype="vif_ioemu"), ConfigError, "a pvh domain has no emulated interface"),
    ],
)
@pytest.mark.usefixtures("user")
def test_what_this_engine_cannot_do_is_refused(nic: NicConfig, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plan_nics(completed(nic), 3)


@pytest.mark.usefixtures("user")
def test_xls_own_script_is_what_the_engine_does_anyway() -> None:
    plan_nics(completed(NicConfig(script="/etc/xen/scripts/vif-bridge"), NicConfig(script="vif-bridge")), 3)


@pytest.mark.parametrize(
    ("kind", "nic", "model"),
    [
        (HVM, NicConfig(), "rtl8139"),
        (HVM, NicConfig(model="e1000"), "e1000"),
        (HVM, NicConfig(model="virtio-net"), "virtio-net-pci"),
        (HVM, NicConfig(nictype="vif", model="e1000"), "virtio-net-pci"),
        (PVH, NicConfig(model="e1000"), "virtio-net-pci"),
    ],
)
def test_the_model_is_the_emulated_cards(kind: DomainType, nic: NicConfig, model: str) -> None:
    assert qemu_model(domain_config(kind), nic) == model


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="unknown model 'ne3000'") as caught:
        qemu_model(domain_config(HVM), NicConfig(model="ne3000"))
    assert "rtl8139" in (caught.value.hint or "")


@pytest.mark.usefixtures("user")
def test_a_card_keeps_its_rom_only_where_the_network_is_booted_from() -> None:
    with_rom = devices(completed(NicConfig(), kind=HVM, hvm=HvmInfo(boot="nc")))[1]
    assert "romfile" not in with_rom
    assert with_rom["bootindex"] == 1
    assert devices(completed(NicConfig(), kind=HVM, hvm=HvmInfo(boot="c")))[1]["romfile"] == ""


@pytest.mark.usefixtures("user")
def test_two_cards_of_one_devid_are_refused() -> None:
    with pytest.raises(ConfigError, match="two network cards have the devid 0"):
        plan_nics(completed(NicConfig(devid=0), NicConfig(devid=0)), 3)


@pytest.mark.parametrize(
    ("per_interval", "interval_us", "rate", "burst"),
    [(62_500, 50_000, 1_250_000, 65_536), (200_000, 20_000, 10_000_000, 200_000), (100, 0, 2000, 65_536)],
)
def test_a_rate_becomes_bytes_a_second(per_interval: int, interval_us: int, rate: int, burst: int) -> None:
    nic = NicConfig(rate_bytes_per_interval=per_interval, rate_interval_usecs=interval_us)
    assert (bytes_per_s(nic), burst_bytes(nic)) == (rate, burst)
