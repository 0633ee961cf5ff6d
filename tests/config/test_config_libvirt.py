"""libvirt's domain XML to config files and back; what can't be said is named, line by line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from any_config import config_texts
from hypothesis import given, settings
from hypothesis import strategies as st
from parsing import HVM, PV, config
from test_corpus import CORPUS, NAMES, recording

from xlpy.config.check import LARGE_HOST
from xlpy.config.diagnostic import SettingError
from xlpy.config.domain import parse_domain_config
from xlpy.config.from_libvirt import Converted, from_libvirt
from xlpy.config.to_libvirt import to_libvirt
from xlpy.config.writer import settings_text
from xlpy.errors import ConfigError

DATA = Path(__file__).parent.parent / "data" / "config" / "libvirt"
SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")


def convert(inside: str, kind: str = "hvm", attributes: str = "") -> Converted:
    os = {
        "hvm": "<type>hvm</type>",
        "pv": "<type>linux</type>",
        "pvh": "<type machine='xenpvh'>xenpvh</type>",
    }[kind]
    text = f"<domain type='xen'{attributes}>\n<name>n</name><os>{os}</os>\n{inside}\n</domain>"
    return from_libvirt(text.encode(), "d.xml")


def devices(inside: str, kind: str = "hvm") -> Converted:
    return convert(f"<devices>{inside}</devices>", kind)


@pytest.mark.parametrize("name", ["hvm", "pv", "pvh"])
def test_a_whole_domain(name: str) -> None:
    converted = from_libvirt((DATA / f"{name}.xml").read_bytes(), name)
    assert converted.lost == []
    assert settings_text(converted.settings) == (DATA / f"{name}.cfg").read_text()


@pytest.mark.parametrize("name", ["hvm", "pv", "pvh"])
def test_and_back_again(name: str) -> None:
    written = (DATA / f"{name}.cfg").read_text()
    wanted = parse_domain_config(written, name, host=LARGE_HOST).config
    text, lost = to_libvirt(wanted)
    assert lost == ()
    again = from_libvirt(text.encode(), name)
    assert again.lost == []
    assert parse_domain_config(settings_text(again.settings), name, host=LARGE_HOST).config == wanted


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<memory unit='GiB'>2</memory>", {"memory": 2048}),
        ("<memory>1048576</memory><currentMemory unit='MiB'>512</currentMemory>", {"maxmem": 1024, "memory": 512}),
        ("<vcpu current='1' cpuset='0-1'>2</vcpu>", {"vcpus": 1, "maxvcpus": 2, "cpus": "0-1"}),
        ("<vcpu>2</vcpu><cputune><vcpupin vcpu='1' cpuset='1'/></cputune>", {"vcpus": 2, "cpus": ("all", "1")}),
        ("<cputune><shares>512</shares></cputune>", {"cpu_weight": 512}),
        ("<clock offset='localtime'/>", {"localtime": 1}),
        ("<clock offset='variable' adjustment='-60' basis='utc'/>", {"localtime": 0, "rtc_timeoffset": -60}),
        ("<clock offset='utc'><timer name='tsc' mode='emulate'/></clock>", {"localtime": 0, "tsc_mode": "always_emulate"}),
        ("<cpu mode='host-passthrough'><feature policy='disable' name='vmx'/></cpu>", {"nestedhvm": 0}),
        ("<on_crash>coredump-restart</on_crash>", {"on_crash": "coredump-restart"}),
        ("<bootloader>/b</bootloader><bootloader_args>-q -x</bootloader_args>", {"bootloader": "/b", "bootloader_args": ("-q", "-x")}),
        ("<seclabel type='static' model='flask'><label>a:b</label></seclabel>", {"seclabel": "a:b"}),
        ("<xen:commandline><xen:arg value='-x'/></xen:commandline>", {"device_model_args": ("-x",)}),
        ("<features><hap state='off'/><viridian/></features>", {"hap": 0, "viridian": 1}),
    ],
)  # fmt: skip
def test_elements(inside: str, found: dict[str, object]) -> None:
    converted = convert(inside)
    assert converted.lost == []
    base = {"name": "n", "type": "hvm", "acpi": 0, "apic": 0, "pae": 0}
    assert converted.settings == {**base, **found}


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        (
            "<interface type='bridge'><source bridge='ovs0'/><virtualport type='openvswitch'/><vlan><tag id='42'/></vlan></interface>",
            {"vif": ("bridge=ovs0.42,script=vif-openvswitch",)},
        ),
        ("<graphics type='vnc' port='5907' autoport='no'/>", {"vnc": 1, "vncunused": 0, "vncdisplay": 7}),
        ("<graphics type='sdl' display=':0'/>", {"vnc": 0, "sdl": 1, "display": ":0"}),
        (
            "<serial type='file'><source path='/l'/></serial><serial type='pty'/>",
            {"serial": ("file:/l", "pty")},
        ),
        ("<sound model='ich6'/>", {"soundhw": "hda"}),
        ("<controller type='usb' model='qusb2' ports='6'/>", {"usbctrl": ("type=qusb,version=2,ports=6",)}),
        (
            "<hostdev mode='subsystem' type='usb'><source><address bus='1' device='3'/></source></hostdev>",
            {"usbdev": ("type=hostdev,hostbus=1,hostaddr=3",)},
        ),
        (
            "<channel type='unix'><source mode='bind' path='/s'/><target type='xen' name='a'/></channel>",
            {"channel": ("name=a,connection=socket,path=/s",)},
        ),
    ],
)
def test_devices(inside: str, found: dict[str, object]) -> None:
    converted = devices(inside)
    assert converted.lost == []
    assert found.items() <= converted.settings.items()


@pytest.mark.parametrize(
    ("inside", "lost"),
    [
        ("<metadata><x/></metadata>", [(3, "/domain/metadata")]),
        ("<memory>1000</memory>", [(3, "/domain/memory: 1000 KiB is no whole number of MiB")]),
        ("<vcpu placement='auto'>2</vcpu>", [(3, "/domain/vcpu/@placement=auto")]),
        (
            "<cpu mode='custom'><model>x</model></cpu>",
            [(3, "/domain/cpu/@mode=custom"), (3, "/domain/cpu/model")],
        ),
        ("<on_crash>ignore</on_crash>", [(3, "/domain/on_crash: ignore")]),
        ("<clock offset='timezone'/>", [(3, "/domain/clock/@offset=timezone")]),
        ("<features><hyperv/></features>", [(3, "/domain/features/hyperv")]),
    ],
)
def test_what_is_lost_is_named(inside: str, lost: list[tuple[int, str]]) -> None:
    assert convert(inside).lost == lost


@pytest.mark.parametrize(
    ("inside", "lost"),
    [
        ("<disk type='network'><target dev='xvda'/></disk>", "disk/@type=network"),
        ("<disk type='file' device='floppy'><source file='/f'/><target dev='hda'/></disk>", "disk/@device=floppy"),
        ("<disk type='file'><source file='/f'/><target dev='vda' bus='virtio'/></disk>", "disk/target/@dev=vda @bus=virtio"),
        ("<disk type='file'><driver cache='none'/><source file='/f'/><target dev='hda'/></disk>", "disk/driver/@cache=none"),
        ("<interface type='network'><source network='default'/></interface>", "interface/@type=network"),
        ("<graphics type='rdp'/>", "graphics/@type=rdp"),
        ("<serial type='udp'/>", "serial/@type=udp"),
        ("<input type='tablet' bus='virtio'/>", "input/@type=tablet @bus=virtio"),
        ("<video><model type='vmvga'/></video>", "video/model/@type=vmvga"),
        ("<controller type='sata'/>", "controller/@type=sata @model=None"),
        ("<hostdev mode='subsystem' type='scsi'/>", "hostdev/@type=scsi"),
        ("<channel type='spicevmc'/>", "channel/@type=spicevmc"),
        ("<emulator>/usr/lib/xen/bin/qemu-dm</emulator>", "emulator: /usr/lib/xen/bin/qemu-dm"),
        ("<rng model='virtio'/>", "rng"),
    ],
)  # fmt: skip
def test_devices_that_are_lost_are_named(inside: str, lost: str) -> None:
    assert f"/domain/devices/{lost}" in [what for _, what in devices(inside).lost]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<domain>", "d.xml:1:9: not well-formed: no element found"),
        ("x", "d.xml:1:1: not well-formed: syntax error"),
        ("<network/>", "d.xml:1:1: <network> is no <domain>"),
        ("<domain type='lxc'/>", "d.xml: only domains of type xen, kvm and qemu are known"),
        ("<domain type='xen'/>", "d.xml: the domain has no <os> with a <type>"),
        ("<domain type='xen'><os><type>exe</type></os></domain>", "d.xml:1:1: unknown type of os 'exe'"),
        ("<!DOCTYPE d [<!ENTITY a 'b'>]><domain/>", "d.xml:1:13: a document type declaration has no place in a domain's XML"),
        ("<a>" * 100, "d.xml:1:193: this is no domain: too many elements"),
    ],
)  # fmt: skip
def test_what_is_no_domain(text: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        from_libvirt(text.encode(), "d.xml")
    assert str(caught.value) == message
    assert caught.value.finding == "xml"


def test_what_xml_cannot_hold() -> None:
    with pytest.raises(SettingError, match="XML can't hold"):
        to_libvirt(config(PV + 'cmdline="\\a"\n'))


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        (PV + "cap=50\n", "cap = 50"),
        (HVM + 'viridian=["base"]\n', 'viridian = ["base"]'),
        (PV + 'vif=["rate=1000b/s@7us"]\n', "vif = rate=1Mb/s@7us"),
        (PV + 'disk=["/a,raw,d0,rw"]\n', "vdev=d0: libvirt has hd, sd and xvd only"),
        (PV + "vif=['model=virtio']\n", "vif = model=virtio"),
    ],
)
def test_settings_that_xml_cannot_say_are_named(text: str, lost: str) -> None:
    assert lost in to_libvirt(config(text))[1]


@settings(max_examples=200, deadline=None)
@given(config_texts())
def test_any_config_comes_back_or_says_what_is_lost(text: str) -> None:
    try:
        xml, _ = to_libvirt(config(text))
    except ConfigError:
        return
    assert from_libvirt(xml.encode(), "f").settings["name"] == "n"


@given(
    st.recursive(
        st.text(alphabet="<>/ a='x", max_size=8), lambda inner: inner.map(lambda text: f"<a>{text}</a>")
    )
)
def test_any_text_is_a_domain_or_an_error(text: str) -> None:
    with pytest.raises(ConfigError):
        from_libvirt(text.encode(), "f")


@pytest.mark.skipif(not (SCHEMA.exists() and shutil.which("xmllint")), reason="libvirt's schema is not here")
def test_the_xml_is_valid_by_libvirts_schema(tmp_path: Path) -> None:
    odd = {"d44", "d56", "d57", "d58", "d60", "n-vnuma-badkey", "x-usblist", "x-vfb", "x-vnc-hvm", "g-latin1"}
    paths = []
    for name in NAMES:
        if (
            recording(name)[0] == 0 and name not in odd
        ):  # names of disks and addresses that libvirt doesn't have
            paths.append(tmp_path / f"{name}.xml")
            text = (CORPUS / f"{name}.cfg").read_bytes().decode("utf-8", "surrogateescape")
            paths[-1].write_text(to_libvirt(config(text))[0])
    done = subprocess.run(
        ["xmllint", "--noout", "--nonet", "--relaxng", str(SCHEMA), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert [line for line in done.stderr.splitlines() if not line.endswith(" validates")] == []
