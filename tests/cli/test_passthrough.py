"""PCI, USB, vtpm, vkb, vdispl, vsnd and channels: recordings of xl, what it prints by its source, and what the host is asked."""

from __future__ import annotations

import json

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, GUESTS, Recording, populate

from xlpy.model.device import ChannelInfo, UsbctrlInfo, UsbPort, VkbInfo
from xlpy.model.device_config import PciConfig

UUID = "b1a7d8a0-1111-2222-3333-444455556666"


@pytest.fixture
def lab(fake: FakeEngine) -> FakeEngine:
    populate(fake, *GUESTS)
    return fake


@pytest.mark.parametrize(
    "name", ["pci-list", "usb-list", "vtpm-list", "vkb-list", "vdispl-list", "vsnd-list", "channel-list"]
)
def test_without_devices_as_recorded(name: str, xl: Call, lab: FakeEngine) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_assignable_without_pciback_as_recorded(xl: Call, call: Call, lab: FakeEngine) -> None:
    recording = Recording("pci-assignable-list")
    lab.pciback = False
    result = xl(*recording.words)
    assert (result.out, result.status) == (recording.out, recording.status)
    assert result.err == "Looks like pciback driver not loaded\n"
    assert result.err in recording.err
    assert call("pci-assignable-list").status == 1


def test_pci_goes_to_a_domain_and_back(xl: Call, call: Call, lab: FakeEngine) -> None:
    assert call("pci-assignable-add", "-n", "fast", "01:00.0").status == 0
    assert xl("pci-assignable-list").out == "0000:01:00.0 \n"
    assert xl("pci-assignable-list", "-n").out == "0000:01:00.0 fast\n"
    assert call("pci-attach", "gpv", "0000:01:00.0@7,permissive=1").status == 0
    (pci,) = lab.list_pci(GPV.domid)
    assert (pci.bus, pci.permissive) == (1, True)
    assert xl("pci-list", "gpv").out == "Vdev Device\n07.0 0000:01:00.0\n"
    rows = json.loads(call("pci-list", "gpv", "-o", "json").out)["rows"]
    assert rows == [{"domid": GPV.domid, "vdev": "07.0", "device": "0000:01:00.0", "name": None}]
    assert call("pci-detach", "-f", "gpv", "01:00.0").status == 0
    assert lab.list_pci(GPV.domid) == ()
    assert call("pci-assignable-remove", "-r", "fast").status == 0
    assert lab.assignable == []


def test_pci_can_be_unassigned_by_address(call: Call, lab: FakeEngine) -> None:
    lab.assignable = [PciConfig(bus=1)]
    assert call("pci-assignable-remove", "1:0.0").status == 0
    assert call("pci-assignable-remove", "1:0.0").status == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pci-attach", "gpv", "nonsense"), 'pci-attach: malformed PCI_SPEC_STRING "nonsense"'),
        (("pci-detach", "gpv", "nonsense"), 'pci-detach: malformed PCI_SPEC_STRING "nonsense"'),
        (("pci-assignable-add", "1:0"), 'pci-assignable-add: malformed BDF "1:0"'),
        (("pci-assignable-remove", "1:0"), "pci-assignable-remove: malformed BDF '1:0'"),
    ],
)
def test_malformed_addresses(
    words: tuple[str, ...], said: str, xl: Call, call: Call, lab: FakeEngine
) -> None:
    result = xl(*words)
    assert (result.err.splitlines()[0], result.status) == (said, 2)
    result = call(*words)
    assert result.err.startswith("xlpy: command line:1:1: ")
    assert (result.status, "hexadecimal" in result.err) == (2, True)


def test_usb(xl: Call, call: Call, lab: FakeEngine) -> None:
    assert call("usbctrl-attach", "gpv", "version=2", "ports=2").status == 0
    assert call("usbdev-attach", "gpv", "hostbus=1", "hostaddr=18").status == 0
    assert xl("usb-list", "gpv").out == (
        "Devid  Type         BE  state usb-ver ports\n"
        "0      qusb         0   4     2       2    \n"
        "  Port 1: Bus 001 Device 012\n"
        "  Port 2:\n"
    )
    (row,) = json.loads(call("usb-list", "gpv", "-o", "json").out)["rows"]
    assert row["ports"][0] == {"port": 1, "hostbus": 1, "hostaddr": 18}
    assert "1: 001/018 of 2" in call("usb-list", "gpv", "-o", "table").out
    assert call("usbdev-detach", "gpv", "0", "1").status == 0
    assert lab.list_usb(GPV.domid)[0].ports[0] == UsbPort(port=1)
    assert xl("usbdev-detach", "gpv", "0", "1").err.startswith("Unknown device at controller 0 port 1.\n")
    assert call("usbctrl-detach", "gpv", "0").status == 0
    assert xl("usbctrl-detach", "gpv", "0").err.startswith("Unknown device 0.\n")


def test_what_is_no_usb(xl: Call, call: Call, lab: FakeEngine) -> None:
    assert xl("usbctrl-attach", "gpv", "ports=2", "speed=3").err.startswith(
        "Unknown string `speed=3' in usbctrl spec\n"
    )
    assert "unknown parameter 'hostbuss=1'" in call("usbdev-attach", "gpv", "hostbuss=1").err
    assert xl("usb-list", "gpv", "gpvh").status == 255
    assert xl("usbdev-detach", "gpv", "0", "1", "2").err == "Invalid arguments.\n"
    assert call("usbctrl-detach", "gpv", "first").status == 2


def test_vtpm(xl: Call, call: Call, lab: FakeEngine) -> None:
    dry = xl("-N", "vtpm-attach", "gpv", f"uuid={UUID}", "backend=tpmdom")
    assert json.loads(dry.out.removeprefix("vtpm: ")) == {"backend_domname": "tpmdom", "uuid": UUID}
    assert call("vtpm-attach", "gpv", f"uuid={UUID.upper().replace('-', '')}").status == 0
    assert xl("vtpm-list", "gpv").out.splitlines()[1] == (
        f"0   0  {UUID}      0     4     -1       -1 /local/domain/0/backend/vtpm/11/0"
    )
    assert xl("vtpm-detach", "gpv", "7").err.startswith("Unknown device 7.\n")
    assert call("vtpm-detach", "gpv", "some").status == 2
    assert call("vtpm-detach", "gpv", UUID).status == 0
    assert lab.list_vtpms(GPV.domid) == ()
    assert xl("vtpm-attach", "gpv", "uuid=1").err == "Invalid uuid specified (1)\n"
    assert xl("vtpm-attach", "gpv", "colour=red").err == "unrecognized argument `colour=red'\n"


def test_vkb(xl: Call, call: Call, lab: FakeEngine) -> None:
    dry = xl("-N", "vkb-attach", "gpv", "backend-type=linux", "unique-id=kb0")
    assert json.loads(dry.out.removeprefix("vkb: "))["unique_id"] == "kb0"
    assert call("vkb-attach", "gpv", "backend-type=linux", "unique-id=kb0").status == 0
    assert lab.list_vkbs(GPV.domid) == (VkbInfo(devid=0, unique_id="kb0", backend_type="linux"),)
    assert xl("vkb-list", "gpv").out.splitlines()[1].rstrip() == (
        "0   0       0     4     -1     -1 kb0        linux"
    )
    result = xl("vkb-detach", "gpv", "3")
    assert (result.err.splitlines()[0], result.status) == ("Error: Device 3 not connected.", 253)
    assert call("vkb-detach", "gpv", "0").status == 0
    assert xl("vkb-attach", "gpv", "colour=red").status == 255
    assert "no backend-type" in call("vkb-attach", "gpv", "unique-id=1").err


def test_vdispl(xl: Call, call: Call, lab: FakeEngine) -> None:
    dry = xl("-N", "vdispl-attach", "gpv", "connectors=id0:1920x1080;id1:800x600")
    assert len(json.loads(dry.out.removeprefix("vdispl: "))["connectors"]) == 2
    assert call("vdispl-attach", "gpv", "be-alloc=1", "connectors=id0:1920x1080").status == 0
    assert xl("vdispl-list", "gpv").out == (
        "DevId: 0, BE: 0, handle: 11, state: 4, be-alloc: 1, BE-path: , FE-path: \n"
        "\tConnector: 0, id: id0, width: 1920, height: 1080, req-rref: -1, req-evtch: -1, evt-rref: -1, evt-evtch: -1\n"
    )
    assert "id0:1920x1080" in call("vdispl-list", "gpv", "-o", "table").out
    assert "no connector" in call("vdispl-attach", "gpv", "be-alloc=1").err
    assert call("vdispl-detach", "gpv", "0").status == 0
    assert lab.list_vdispls(GPV.domid) == ()


def test_vsnd(xl: Call, call: Call, lab: FakeEngine) -> None:
    items = (
        "CARD, short-name=Main, sample-formats=s16_le",
        "PCM, name=main",
        "STREAM, unique-id=0, type=P, channels-max=2",
    )
    dry = xl("-N", "vsnd-attach", "gpv", *items)
    assert json.loads(dry.out.removeprefix("vsnd: "))["short_name"] == "Main"
    assert call("vsnd-attach", "gpv", *items).status == 0
    assert xl("vsnd-list", "gpv").out == (
        "\ndevid: 0, be-domid: 0, handle: 11, state: 4, be-path: , fe-path: \n"
        'short-name: "Main", long-name: "(null)", sample-rates: s16_le\n'
        '\tpcm: 0, name: "main"\n'
        '\t\tstream: 0, unique-id: "0", type: p, channels-max: 2\n'
        "\t\t\tevent-channel: -1, ring-ref: -1\n"
    )
    (row,) = json.loads(call("vsnd-list", "gpv", "-o", "json").out)["rows"]
    assert row["card"]["pcms"][0]["name"] == "main"
    assert call("vsnd-attach", "gpv", "DRUM, x=1").status == 1
    assert xl("vsnd-attach", "gpv", "DRUM, x=1").status == 255
    assert call("vsnd-detach", "gpv", "0").status == 0
    assert lab.list_vsnds(GPV.domid) == ()


def test_channels(xl: Call, call: Call, lab: FakeEngine) -> None:
    lab.plugged["ChannelInfo", GPV.domid] = [
        ChannelInfo(devid=0, name="agent", path="/dev/pts/3", evtch=4, rref=5),
        ChannelInfo(devid=1, name="sock", connection="socket", path="/run/sock"),
    ]
    assert [line.rstrip() for line in xl("channel-list", "gpv").out.splitlines()[1:]] == [
        "0   0  4     4      5        pty        /dev/pts/3",
        "1   0  4     -1     -1       socket",
    ]
    rows = json.loads(call("channel-list", "gpv", "-o", "json").out)["rows"]
    assert [row["path"] for row in rows] == ["/dev/pts/3", "/run/sock"]


def test_lists_go_on_after_an_unknown_domain(call: Call, lab: FakeEngine) -> None:
    lab.plugged["UsbctrlInfo", GPV.domid] = [UsbctrlInfo(devid=0, type="pv", version=1)]
    result = call("usb-list", "nosuch", "gpv", "-o", "json")
    assert result.status == 1
    assert result.err.startswith("xlpy: nosuch is an invalid domain identifier\n")
    assert [row["type"] for row in json.loads(result.out)["rows"]] == ["pv"]
