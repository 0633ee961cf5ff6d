"""What QEMU is told to make of a configuration."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from domain_configs import HVM, PVH, disk, domain_config

from xlpy.engine.qemu.display import check_display, display_arguments, vnc_settings
from xlpy.engine.qemu.files import DomainFiles
from xlpy.engine.qemu.machine import console_kinds, machine_arguments, plan_machine
from xlpy.engine.qemu.runtime_record import MachineRecord
from xlpy.errors import ConfigError, NotSupported
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.domain_config import (
    DomainConfig,
    HvmInfo,
    NicConfig,
    SdlInfo,
    VfbConfig,
    VgaInterfaceInfo,
    VncInfo,
)


class Arguments:
    """QEMU's arguments, to be asked about."""

    def __init__(self, config: DomainConfig, accelerator: str = "tcg", directory: str = "/run/x") -> None:
        machine, self.notes = plan_machine(config, 7, accelerator)
        names = ["qmp", *(f"{kind}{number}" for kind, number in console_kinds(config))]
        numbers = {name: str(10 + place) for place, name in enumerate(names)}
        self.words = machine_arguments(config, machine, DomainFiles(directory, 7), accelerator, numbers)

    def all(self, option: str) -> list[str]:
        return [value for word, value in pairwise(self.words) if word == option]

    def one(self, option: str) -> str:
        (value,) = self.all(option)
        return value

    def devices(self) -> dict[str, dict[str, Any]]:
        found = [json.loads(text) for text in self.all("-device")]
        return {device["driver"]: device for device in found}


def test_a_pvh_domain() -> None:
    told = Arguments(domain_config(kernel="/k", cmdline="console=hvc0", target_memkb=262144))
    assert told.one("-machine") == "pc,usb=off,vmport=off,smbus=off,hpet=off"
    assert told.one("-accel") == "tcg,thread=multi"
    assert told.one("-cpu").startswith("qemu64,ssse3=on")
    assert told.one("-m") == "size=262144k"
    assert told.one("-uuid") == "5b2a2c36-3c0e-4b4e-9f5c-0a5d1d6b7a01"
    assert told.one("-kernel") == "/k"
    assert {"-nodefaults", "-no-user-config", "-S"} <= set(told.words)
    assert told.all("-chardev") == [
        "socket,id=qmp,fd=10,server=on,wait=off",
        "pipe,id=events,path=/run/x/domains/7/events",
        "socket,id=pv0,fd=11,server=on,wait=off,logfile=/run/x/domains/7/pv0.log,logappend=on",
    ]
    devices = told.devices()
    assert devices["virtio-serial-pci"]["addr"] == "0x3"
    assert devices["virtconsole"] == {"driver": "virtconsole", "chardev": "pv0", "bus": "consoles.0"}
    assert {"virtio-balloon-pci", "i6300esb", "pvpanic"} <= set(devices)
    assert told.all("-vnc") == told.all("-serial") == []


def test_no_device_is_left_to_a_place_of_qemus_choice() -> None:
    config = domain_config(
        HVM,
        disks=(disk("xvda"), disk("hda"), disk("sda")),
        nics=(NicConfig(devid=0, mac="00:16:3e:00:00:01"),),
        hvm=HvmInfo(usbdevice="tablet", soundhw="hda"),
    )
    for driver, device in Arguments(config).devices().items():
        on_a_bus_of_its_own = driver in ("pvpanic", "hda-duplex")
        assert on_a_bus_of_its_own or "addr" in device or "bus" in device, driver


def test_an_hvm_domain() -> None:
    told = Arguments(domain_config(HVM, hvm=HvmInfo(keymap="de")), "kvm")
    assert told.one("-machine") == "pc,usb=off,vmport=off,smbus=off,hpet=on"
    assert told.one("-cpu") == "host,vmx=off,svm=off"
    assert told.one("-serial") == "chardev:serial0"
    assert told.one("-vnc") == "127.0.0.1:0,to=99"
    assert told.one("-k") == "de"
    assert told.devices()["cirrus-vga"]["addr"] == "0x2"
    assert told.all("-kernel") == []


def test_nested_virtualization_on_request() -> None:
    assert Arguments(domain_config(nested_hvm=True), "kvm").one("-cpu") == "host"


def test_serial_lines() -> None:
    config = domain_config(HVM, hvm=HvmInfo(serial_list=("pty", "file:/tmp/s", "pty")))
    assert console_kinds(config) == (("serial", 0), ("serial", 2))
    assert Arguments(config).all("-serial") == ["chardev:serial0", "file:/tmp/s", "chardev:serial2"]
    assert console_kinds(domain_config(HVM, hvm=HvmInfo(serial="none"))) == ()


def test_names_and_paths_with_commas() -> None:
    config = domain_config()
    config = config.replace(c_info=config.c_info.replace(name="a,b"))
    told = Arguments(config, directory="/run/x,y")
    assert told.one("-name").startswith("guest=a,,b,")
    assert "pipe,id=events,path=/run/x,,y/domains/7/events" in told.all("-chardev")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "base=utc"),
        ({"localtime": True}, "base=localtime"),
        ({"rtc_timeoffset": 3600}, "base=2001-09-09T02:46:40"),
    ],
)
def test_the_clock(monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], expected: str) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    assert Arguments(domain_config(**settings)).one("-rtc") == expected


def test_a_device_models_user_and_arguments() -> None:
    told = Arguments(domain_config(device_model_user="nobody", extra=("-foo",), extra_pv=("-bar",)))
    assert told.one("-runas") == "nobody"
    assert "elevateprivileges=allow" in told.one("-sandbox")
    assert told.words[-2:] == ["-foo", "-bar"]
    assert "elevateprivileges=deny" in Arguments(domain_config()).one("-sandbox")


def test_a_plan_survives_the_wire() -> None:
    config = domain_config(disks=(disk("xvda"),), nics=(NicConfig(devid=0, mac="00:16:3e:00:00:01"),))
    machine, _ = plan_machine(config, 7, "tcg")
    assert record_from_wire(MachineRecord, json.loads(json.dumps(to_wire(machine)))) == machine


# -- display


def hvm(**settings: Any) -> DomainConfig:
    return domain_config(HVM, hvm=HvmInfo(**settings))


def test_a_vnc_password_is_in_no_argument(tmp_path: Path) -> None:
    files = DomainFiles(str(tmp_path), 7)
    files.make()
    vnc = VncInfo(passwd="s3cret", listen="0.0.0.0", display=3, findunused=False)
    words = display_arguments(hvm(vnc=vnc), files)
    assert "0.0.0.0:3,password-secret=vnc-password" in words
    assert "s3cret" not in " ".join(words)
    path = Path(files.vnc_password)
    assert path.read_text() == "s3cret"
    assert path.stat().st_mode & 0o777 == 0o600


def test_who_has_vnc() -> None:
    assert vnc_settings(domain_config(PVH)) is None
    assert vnc_settings(hvm()) is not None
    assert vnc_settings(hvm(vnc=VncInfo(enable=False))) is None
    assert vnc_settings(hvm(nographic=True)) is None
    framebuffer = VfbConfig(vnc=VncInfo(display=2))
    assert vnc_settings(domain_config(PVH).replace(vfbs=(framebuffer,))) == framebuffer.vnc


def test_a_framebuffer_of_a_pvh_domain() -> None:
    told = Arguments(domain_config(PVH).replace(vfbs=(VfbConfig(keymap="fr"),)))
    assert told.one("-vnc") == "127.0.0.1:0,to=99"
    assert told.one("-k") == "fr"
    assert {"VGA", "usb-tablet"} <= set(told.devices())


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"vga": VgaInterfaceInfo(kind="voodoo")}, ConfigError),
        ({"soundhw": "gus"}, ConfigError),
        ({"usbdevice": "host:1.2"}, NotSupported),
        ({"usb": True, "usbversion": 4}, ConfigError),
        ({"sdl": SdlInfo(enable=True)}, NotSupported),
        ({"vnc": VncInfo(display=100)}, ConfigError),
    ],
)
def test_what_cant_be_shown(settings: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        check_display(hvm(**settings))
    check_display(hvm())
