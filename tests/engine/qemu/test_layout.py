"""The layout of the machine, which a state in motion depends on: it changes only together with its number.

``tests/data/qemu/layout-N.json`` has the devices of a few machines in layout N. Where this fails, guests that run could not
be moved to the next version: if that is meant, raise ``machine.LAYOUT`` and write the new file (``python test_layout.py``).
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from domain_configs import HVM, PVH, cdrom, disk, domain_config

from xlpy.engine.qemu.files import DomainFiles
from xlpy.engine.qemu.incoming import machine_of, require_readable
from xlpy.engine.qemu.machine import LAYOUT, console_kinds, machine_arguments, plan_machine
from xlpy.errors import EngineError, NotSupported
from xlpy.model.codec import to_wire
from xlpy.model.domain_config import DomainConfig, HvmInfo, NicConfig, VncInfo
from xlpy.model.migration import SavedDomain

RECORDED = Path(__file__).parents[2] / "data" / "qemu" / f"layout-{LAYOUT}.json"
NICS = (
    NicConfig(devid=0, mac="00:16:3e:00:00:01"),
    NicConfig(devid=1, mac="00:16:3e:00:00:02"),
)
CONFIGS = {
    "pvh, nothing else": domain_config(PVH, kernel="/k"),
    "pvh with disks and cards": domain_config(
        PVH,
        kernel="/k",
        disks=(disk("xvda"), disk("xvdb", image_format="qcow2"), disk("hda"), cdrom("xvdc")),
        nics=NICS,
        max_vcpus=4,
        avail_vcpus=(0, 1),
    ),
    "hvm with what a desktop has": domain_config(
        HVM,
        disks=(disk("hda"), disk("xvdb"), disk("sda"), cdrom("hdc")),
        nics=NICS,
        hvm=HvmInfo(usb=True, usbdevice_list=("tablet",), soundhw="ac97", vnc=VncInfo(enable=True)),
    ),
    "hvm on ahci": domain_config(HVM, disks=(disk("hda"), cdrom("hdb")), hvm=HvmInfo(hdtype="ahci")),
}


def layout_of(config: DomainConfig) -> list[str]:
    """What the guest and its state see of the machine."""
    machine, _ = plan_machine(config, 7, "tcg")
    machine = machine.replace(quick_boot=False)  # that is by what the host has installed
    names = ["qmp", *(f"{kind}{number}" for kind, number in console_kinds(config))]
    words = machine_arguments(
        config,
        machine,
        DomainFiles("/run/x", 7),
        "tcg",
        {name: str(10 + place) for place, name in enumerate(names)},
    )
    seen = ("-machine", "-cpu", "-smp", "-m", "-device", "-serial", "-vga")
    return [f"{word} {value}" for word, value in pairwise(words) if word in seen]


@pytest.mark.parametrize("name", CONFIGS)
def test_layout_is_the_recorded_one(name: str) -> None:
    assert layout_of(CONFIGS[name]) == json.loads(RECORDED.read_text())[name]


def saved(**changes: object) -> SavedDomain:
    config = CONFIGS["pvh, nothing else"]
    machine = to_wire(plan_machine(config, 7, "tcg")[0])
    assert isinstance(machine, dict)
    fields = {"stream_format": "qemu", "stream_version": "pc-i440fx-7.2", "xlpy_version": "9.9"}
    return SavedDomain(config=config, **{**fields, "machine": {**machine, **changes}})  # type: ignore[arg-type]


def test_a_state_of_another_layout_is_refused_by_name() -> None:
    require_readable(saved(layout=LAYOUT))
    with pytest.raises(
        NotSupported, match=rf"layout {LAYOUT + 1} \(xlpy 9\.9\), this xlpy makes layout {LAYOUT}"
    ):
        require_readable(saved(layout=LAYOUT + 1))


def test_a_machine_that_makes_no_sense() -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        machine_of(saved(memory_kib="much"))


if __name__ == "__main__":
    RECORDED.write_text(
        json.dumps({name: layout_of(config) for name, config in CONFIGS.items()}, indent=1) + "\n"
    )
