"""Network card specs, as xl-network-configuration(5) and xl have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsing import PV, config, diagnostics, error

from xlpy.config.diagnostic import SpecError
from xlpy.config.rate import parse_rate
from xlpy.config.vif import parse_vif_arguments
from xlpy.config.xlconf import XlConf
from xlpy.errors import ConfigError
from xlpy.model.domain_config import NicConfig


def card(spec: str) -> NicConfig:
    (found,) = config(PV + f"vif=['{spec}']\n").nics
    return found


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ("", {}),
        ("mac=00:16:3E:aa:BB:c", {"mac": "00:16:3e:aa:bb:0c"}),
        ("mac=00-16-3e-01-02-03-ff", {"mac": "00:16:3e:01:02:03"}),
        ("mac=00:16:zz", {"mac": "00:16:00:00:00:00"}),
        ("mac=0:0:0:0:0:0", {"mac": None}),
        (
            "bridge=br0,ip=10.0.0.1,script=vif-route",
            {"bridge": "br0", "ip": "10.0.0.1", "script": "vif-route"},
        ),
        ("backend=dd,vifname=v0,model=e1000", {"backend_domname": "dd", "ifname": "v0", "model": "e1000"}),
        ("type=ioemu", {"nictype": "vif_ioemu"}),
        ("type=vif", {"nictype": "vif"}),
        ("gatewaydev=eth0", {"gatewaydev": "eth0"}),
        ("netdev=eth0", {"gatewaydev": "eth0"}),
        ("devid=7,mtu=9000", {"devid": 7, "mtu": 9000}),
        ("vlan=10p/20", {"vlan": "10p/20"}),
        ("trusted", {"trusted": True}),
        ("untrusted", {"trusted": False}),
        ("rate=10Mb/s", {"rate_bytes_per_interval": 62500, "rate_interval_usecs": 50000}),
        ("forwarddev=f,colo_sock_mirror_id=m", {"coloft_forwarddev": "f", "colo_sock_mirror_id": "m"}),
        (" bridge=b , ip=1 ", {"bridge": "b ", "ip": "1 "}),
        ("accel=1", {}),
        ("mac=0:16:3e:1:2,bridge=b", {"mac": "00:16:3e:01:02:0b", "bridge": "b"}),
    ],
)
def test_cards(spec: str, fields: dict[str, object]) -> None:
    assert card(spec) == NicConfig(**{"devid": 0, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("mac=zz", "vif: 'zz' is no MAC address; it has no effect", "write it as 00:16:3e:12:34:56"),
        (
            "mac=0:16:3e,ip=1",
            "vif: '0:16:3e' is no MAC address; it has no effect",
            "write it as 00:16:3e:12:34:56",
        ),
        (
            "mac=0:16:3e:1:2,bridge=b",
            "vif: the MAC address '0:16:3e:1:2' is too short and goes on in the next parameter",
            "write it as 00:16:3e:12:34:56",
        ),
        ("type=bogus", "vif: unknown type 'bogus'; it has no effect", "one of vif ioemu"),
        ("bridg=x", "vif: unknown parameter 'bridg'; it has no effect", "did you mean 'bridge'?"),
        ("bridge", "vif: unknown parameter 'bridge'; it has no effect", "did you mean 'bridge'?"),
        ("netdev=e", "vif: netdev is deprecated", "write gatewaydev="),
        ("accel=1", "vif: accel has no effect", None),
    ],
)
def test_in_a_config_a_bad_piece_is_a_warning(spec: str, message: str, hint: str | None) -> None:
    (found,) = diagnostics(PV + f"vif=['{spec}']\n")
    assert (found.message, found.hint) == (message, hint)


def test_the_warning_shows_the_piece() -> None:
    (found,) = diagnostics(PV + "vif=['bridge=b, bogus=1']\n")
    assert found.where == "f.cfg:3:17"
    assert found.detail == "vif=['bridge=b, bogus=1']\n                ^^^^^"


@pytest.mark.parametrize("spec", ["mtu=x", "devid=", "rate=1mb/s", "rate="])
def test_bad_numbers_and_rates_are_errors(spec: str) -> None:
    assert error(PV + f"vif=['{spec}']\n").exit_status == 1


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10Mb/s", (62500, 50000)),
        ("10MB/s@20ms", (200000, 20000)),
        ("10Mb/s@5", (6250000, 5000000)),
        ("5b/s", (0, 50000)),
        ("1GB/s", (50000000, 50000)),
        ("010KB/s", (400, 50000)),  # octal, as strtoull has it
        ("1KB/s@50us", (0, 50)),
        ("1KB/s@2m", (2, 2000)),
    ],
)
def test_rates(text: str, rate: tuple[int, int]) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1MB",
        "1.5MB/s",
        "1mB/s",
        "0B/s",
        "4294967296B/s",
        "1MB/s@",
        "1MB/s@5x",
        "1MB/s@0",
        "1MB/s@5000s",
        "-1B/s",
    ],
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(SpecError):
        parse_rate(text)


def test_network_attach_takes_one_piece_per_argument() -> None:
    assert parse_vif_arguments(["bridge=b,c", "mac=00:16:3e:00:00:03"]) == NicConfig(
        bridge="b,c", mac="00:16:3e:00:00:03"
    )


def test_network_attach_refuses_what_a_config_only_warns_about() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_vif_arguments(["bridge=b", "bogus=1"])
    assert caught.value.where == "command line:1:10"
    assert caught.value.detail == "bridge=b bogus=1\n         ^^^^^"


def test_defaults_come_from_xl_conf() -> None:
    conf = XlConf(vif_bridge="br7", vif_script="s", vif_gatewaydev="g", vif_backend="d")
    (found,) = config(PV + "vif=['bridge=br0']\n", conf=conf).nics
    assert found == NicConfig(devid=0, bridge="br0", script="s", gatewaydev="g", backend_domname="d")


@given(st.text(alphabet="0123456789GMKkbBs/@mu.", max_size=14))
def test_any_text_is_a_rate_or_a_spec_error(text: str) -> None:
    try:
        rate, interval_us = parse_rate(text)
    except SpecError:
        return
    assert rate >= 0
    assert 0 < interval_us < 1 << 32
