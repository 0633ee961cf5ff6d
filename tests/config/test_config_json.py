"""libxl's JSON where the recordings don't show it: single devices, lists, escapes, fields of later versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parsing import HVM, PV, config

from xlpy.config.libxl_json import device_json, domain_entry_json, domain_json, domain_list_json
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.domain_config import DiskConfig, DomainConfig, NicConfig

CORPUS = Path(__file__).parent.parent / "data" / "config" / "corpus"


def test_a_disk() -> None:
    disk = DiskConfig(
        pdev_path="/x", vdev="xvda", format="raw", readwrite=1, discard_enable=True, direct_io_safe=True
    )
    assert device_json(disk) == (
        '{\n    "pdev_path": "/x",\n    "vdev": "xvda",\n    "format": "raw",\n    "readwrite": 1,\n'
        '    "direct_io_safe": true,\n    "discard_enable": "True"\n}\n'
    )


def test_a_card() -> None:
    assert device_json(NicConfig(devid=0, mac="00:16:3e:00:00:01", trusted=False)) == (
        '{\n    "devid": 0,\n    "mac": "00:16:3e:00:00:01",\n    "trusted": "False"\n}\n'
    )


def test_nothing_to_say_is_an_empty_line() -> None:
    assert device_json(NicConfig()) == "{\n\n}\n"


def test_a_list_of_domains() -> None:
    found = config(PV + "uuid='01234567-89ab-cdef-0123-456789abcdef'\n")
    text = domain_list_json([(0, found), (7, found)])
    assert text.startswith('[\n    {\n        "domid": 0,\n        "config": {\n            "c_info": {\n')
    assert text.endswith("        }\n    }\n]\n")
    first, second = json.loads(text)
    assert "domid" not in first["config"]["c_info"]
    assert second["domid"] == 7
    assert second["config"]["c_info"]["domid"] == 0xFFFFFFFF
    assert domain_list_json([]) == "[\n\n]\n"


def test_a_config_without_a_domain() -> None:
    assert domain_entry_json(None, config(PV)).startswith('{\n    "domid": null,\n    "config": {\n')


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ('a"b', r"a\"b"),
        ("a\\b", r"a\\b"),
        ("a\tb\n", r"a\tb\n"),
        ("\a\v", r"\u0007\u000B"),
        ("/é\x7f", "/é\x7f"),
    ],
)
def test_escapes(text: str, escaped: str) -> None:
    assert f'"ip": "{escaped}"' in device_json(NicConfig(ip=text))


def test_fields_of_later_versions_are_left_out() -> None:
    later = "altp2m_count=3\nxenstore_feature_mask=1\nxenstore_quota=['a=1']\nxen_platform_pci_bar_uc=1\n"
    later += "arm_sci='type=scmi_smc'\ntrap_unmapped_accesses=1\n"
    uuid = "uuid='01234567-89ab-cdef-0123-456789abcdef'\n"
    assert domain_json(config(HVM + uuid + later)) == domain_json(config(HVM + uuid))


def test_devices_behind_a_union() -> None:
    found = config(PV + "channel=['connection=socket,path=/s']\nusbdev=['type=hostdev,hostbus=1','port=2']\n")
    shown = json.loads(domain_json(found))
    assert shown["channels"] == [{"connection.socket": {"path": "/s"}}]
    assert shown["usbdevs"] == [{"type.hostdev": {"hostbus": 1}}, {"port": 2}]


ACCEPTED = [path for path in sorted(CORPUS.glob("x-*.out")) if path.stat().st_size]


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_the_wire_keeps_all_that_is_printed(path: Path) -> None:
    from recorded_host import RECORDED_HOST

    from xlpy.config.domain import parse_domain_config

    text = path.with_suffix(".cfg").read_text() + "vcpus=2\n"
    found = parse_domain_config(text, "f", host=RECORDED_HOST).config
    again = record_from_wire(DomainConfig, json.loads(json.dumps(to_wire(found))))
    assert again == found
    assert domain_json(again) == domain_json(found)
