"""Devices other than disks and network cards: each spec's grammar and what it becomes."""

from __future__ import annotations

import pytest
from parsing import HVM, PV, config, diagnostics, error

from xlpy.model.device_config import (
    ChannelConfig,
    ConnectorParam,
    DtdevConfig,
    P9Config,
    PciConfig,
    PvcallsConfig,
    SdlInfo,
    UsbctrlConfig,
    UsbdevConfig,
    VdisplConfig,
    VfbConfig,
    VirtioConfig,
    VkbConfig,
    VncInfo,
    VsndConfig,
    VsndParams,
    VsndPcm,
    VsndStream,
    VtpmConfig,
)
from xlpy.model.domain_config import DomainConfig, IomemRange, IoportRange, RdmReserve

UUID = "01234567-89ab-cdef-0123-456789abcdef"


def pci(text: str) -> PciConfig:
    (found,) = config(HVM + f"pci=['{text}']\n").pcidevs
    return found


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("01:00.0", PciConfig(bus=1, vfunc_mask=1)),
        ("0001:02:1f.7", PciConfig(domain=1, bus=2, dev=31, func=7, vfunc_mask=1)),
        ("01:00.*", PciConfig(bus=1, vfunc_mask=0xFFFFFFFF)),
        ("01:00.0@1f,seize=1", PciConfig(bus=1, vfunc_mask=1, vdevfn=0xF8, seize=True)),
        ("bdf=01:00.0,vslot=2", PciConfig(bus=1, vfunc_mask=1, vdevfn=0x10)),
        ("name=nic", PciConfig(name="nic")),
        ("01:00.0,permissive=yes,msitranslate=1", PciConfig(bus=1, vfunc_mask=1, msitranslate=True)),
        ("01:00.0,rdm_policy=Relaxed,power_mgmt=2", PciConfig(bus=1, vfunc_mask=1, rdm_policy="relaxed", power_mgmt=True)),
    ],
)  # fmt: skip
def test_pci(spec: str, expected: PciConfig) -> None:
    assert pci(spec) == expected


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ("zz", 6),
        ("", 6),
        ("01:20.0", 6),
        ("10000:01:00.0", 6),
        ("01:00.8", 6),
        ("36:00.0@20", 6),
        ("01:00.0y", 6),
        ("01:00.0,permissive", 6),
        ("01:00.0,bogus=1", 6),
        ("01:00.0,name=x", 6),
        ("01:00.0,rdm_policy=x", 3),
    ],
)
def test_what_is_no_pci_function(spec: str, status: int) -> None:
    assert error(HVM + f"pci=['{spec}']\n").exit_status == status


def test_pci_defaults_and_the_memory_map_of_pv_guests() -> None:
    text = (
        "pci_permissive=1\npci_seize=1\npci_msitranslate=1\npci_power_mgmt=1\npci=['1:0.0','2:0.0,seize=0']\n"
    )
    found = config(PV + "e820_host=0\n" + text)
    assert [device.seize for device in found.pcidevs] == [True, False]
    assert all(device.permissive and device.msitranslate and device.power_mgmt for device in found.pcidevs)
    assert found.pcidevs[0].rdm_policy == "strict"
    assert found.b_info.pv is not None
    assert found.b_info.pv.e820_host is True


def test_reserved_memory() -> None:
    hvm = config(HVM + "rdm='strategy=host'\n").b_info.hvm
    assert hvm is not None
    assert hvm.rdm == RdmReserve(strategy="host")


@pytest.mark.parametrize("text", ["strategy=host,policy=strict", "x=y", "strategy=foo", "strategy=host,"])
def test_reserved_memory_that_xl_drops(text: str) -> None:
    parsed = config(HVM + f"rdm='{text}'\n").b_info.hvm
    assert parsed is not None
    assert parsed.rdm == RdmReserve()
    assert diagnostics(HVM + f"rdm='{text}'\n")[0].code == "rdm"


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("dtdev=['/soc/x']", "dtdevs", (DtdevConfig(path="/soc/x"),)),
        ("usbctrl=['type=QUSB,version=2,ports=4','']", "usbctrls",
         (UsbctrlConfig(type="qusb", devid=0, version=2, ports=4), UsbctrlConfig(devid=1))),
        ("usbdev=['type=hostdev,hostbus=1,hostaddr=0x103,controller=0,port=2']", "usbdevs",
         (UsbdevConfig(type="hostdev", hostbus=1, hostaddr=3, ctrl=0, port=2),)),
        (f"vtpm=['backend=tpm,uuid={UUID}','backend=b, stop,x=1']", "vtpms",
         (VtpmConfig(backend_domname="tpm", devid=0, uuid=UUID), VtpmConfig(backend_domname="b", devid=1))),
        ("p9=['tag=t, path = /p ,security_model=none,backend=d']", "p9s",
         (P9Config(tag="t", path="/p", security_model="none", backend_domname="d"),)),
        ("p9=['type=xen_9pfsd,max-files=1,max-open-files=2,max-space=3,auto-delete=1']", "p9s",
         (P9Config(type="xen_9pfsd", path="/var/log/xen/guests/n", max_files=1, max_open_files=2, max_space=3,
                   auto_delete=True),)),
        ("pvcalls=['backend=d','']", "pvcallsifs",
         (PvcallsConfig(backend_domname="d", devid=0), PvcallsConfig(devid=1))),
        ("channel=['connection=pty, name = c1','connection=socket,path=/s,backend=d']", "channels",
         (ChannelConfig(name="c1"), ChannelConfig(connection="socket", path="/s", backend_domname="d"))),
        ("vdispl=['backend=d,be-alloc=1,connectors=a:1x2;b:3x4;c:zz;d:5x6']", "vdispls",
         (VdisplConfig(backend_domname="d", devid=0, be_alloc=True, connectors=(
             ConnectorParam(unique_id="a", width=1, height=2), ConnectorParam(unique_id="b", width=3, height=4),
             ConnectorParam(unique_id="c"), ConnectorParam())),)),
        ("vkb=['backend-type=Linux,unique-id=u,feature-raw-pointer=1,multi-touch-width=5,height=6']", "vkbs",
         (VkbConfig(devid=0, backend_type="linux", unique_id="u", feature_raw_pointer=True, feature_multi_touch=True,
                    multi_touch_width=5, height=6),)),
        ("virtio=['type=virtio,device22,transport=mmio,grant_usage=1,backend=d']", "virtios",
         (VirtioConfig(type="virtio,device22", transport="mmio", grant_usage=True, backend_domname="d", devid=0),)),
        ("vfb=['type=vnc,vnc=1,vncdisplay=5,vncunused=0,vnclisten=::,vncpasswd=p,sdl=1,opengl=0,display=:1,"
         "xauthority=/x,keymap=de']", "vfbs",
         (VfbConfig(devid=0, keymap="de",
                    vnc=VncInfo(enable=True, display=5, findunused=False, listen="::", passwd="p"),
                    sdl=SdlInfo(enable=True, opengl=False, display=":1", xauthority="/x")),)),
    ],
)  # fmt: skip
def test_devices(text: str, field: str, expected: object) -> None:
    found: DomainConfig = config(PV + text + "\n")
    assert getattr(found, field) == expected


def test_sound_cards() -> None:
    text = (
        "vsnd=[['CARD, backend=d, short-name=s, long-name=l, channels-max=4', 'STREAM, unique-id=0, type=P',"
        " 'pcm, name=p, sample-rates=8000;44100, sample-formats=S16_LE;u8', 'stream, type=c, buffer-size=010,"
        " channels-min=1'], []]\n"
    )
    first = VsndPcm(streams=(VsndStream(unique_id="0", type="p"),))
    second = VsndPcm(
        name="p",
        params=VsndParams(sample_rates=(8000, 44100), sample_formats=("s16_le", "u8")),
        streams=(VsndStream(type="c", params=VsndParams(channels_min=1, buffer_size=8)),),
    )
    card = VsndConfig(
        backend_domname="d",
        devid=0,
        short_name="s",
        long_name="l",
        params=VsndParams(channels_max=4),
        pcms=(first, second),
    )
    assert config(PV + text).vsnds == (card, VsndConfig(devid=1))


def test_every_framebuffer_brings_a_keyboard_and_more_may_follow() -> None:
    found = config(PV + "vfb=['','']\nvkb=['backend-type=qemu']\n")
    assert found.vkbs == (VkbConfig(devid=0), VkbConfig(devid=1), VkbConfig(devid=2, backend_type="qemu"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("usbctrl=['type=x']", "unknown type 'x'"),
        ("usbctrl=['x']", "unknown parameter 'x'"),
        ("usbdev=['type=x']", "unknown type 'x'"),
        ("usbdev=['hostbsu=1']", "unknown parameter 'hostbsu=1'"),
        ("vtpm=['uuid=1']", "no UUID"),
        (f"vtpm=['uuid={UUID}']", "no backend"),
        ("vtpm=['bogus=1']", "unknown parameter"),
        ("p9=['']", "empty"),
        ("p9=['tag=']", "no value"),
        ("p9=['type=x']", "unknown type"),
        ("p9=['max-files=x']", "no number"),
        ("p9=['bogus=1']", "unknown parameter"),
        ("pvcalls=['bogus=1']", "unknown parameter"),
        ("channel=['connection=PTY']", "unknown connection"),
        ("channel=['connection=socket']", "no path"),
        ("channel=['name=n']", "no connection"),
        ("channel=['x']", "no value"),
        ("vdispl=['backend=d']", "no connector"),
        ("vdispl=['connectors=a:1y2']", "no connector"),
        ("vdispl=['bogus=1']", "unknown parameter"),
        ("vkb=['']", "no backend-type"),
        ("vkb=['backend-type=x']", "unknown backend-type"),
        ("vkb=['backend-type=qemu,feature-multi-touch=1']", "needs multi-touch-width"),
        ("vkb=['bogus=1']", "unknown parameter"),
        ("virtio=['type=virtio']", "cut short"),
        ("virtio=['transport=pci']", "unknown transport"),
        ("virtio=['bogus']", "unknown parameter"),
        ("vsnd=['CARD']", "must be a list"),
        ("vsnd=[['FOO']]", "no kind of item"),
        ("vsnd=[['STREAM, id=0']]", "unknown parameter 'id=0'"),
        ("vsnd=[['STREAM, type=x']]", "unknown stream type"),
        ("vsnd=[['PCM, sample-formats=s17']]", "unknown format"),
        ("vsnd=[['PCM, sample-rates=']]", "is empty"),
    ],
)
def test_what_is_no_device(text: str, words: str) -> None:
    refused = error(PV + text + "\n")
    assert words in refused.message
    assert refused.exit_status == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vfb=['bogus=1']", "unknown parameter 'bogus' has no effect"),
        ("vfb=['x,vnc=1']", "'x' ends the spec"),
        ("pvcalls=['x']", "'x' ends the spec"),
        ("vtpm=['backend=d,x']", "'x' ends the spec"),
        ("channel=['connection=pty,pth=/x']", "unknown parameter 'pth' has no effect"),
        ("ioports=['2f8x']", "'x' behind the number"),
        ("vif2=['x']", "vif2 has no effect"),
    ],
)
def test_what_xl_passes_over_is_a_warning(text: str, words: str) -> None:
    assert words in diagnostics(PV + text + "\n")[0].message


def test_resources_of_the_host() -> None:
    build = config(PV + "ioports=['2f8-2ff','0x3f8']\nirqs=[5,'07']\niomem=['a0000,20','f0,1@0']\n").b_info
    assert build.ioports == (IoportRange(first=0x2F8, number=8), IoportRange(first=0x3F8, number=1))
    assert build.irqs == (5, 7)
    assert build.iomem == (IomemRange(start=0xA0000, number=0x20), IomemRange(start=0xF0, number=1, gfn=0))


@pytest.mark.parametrize(
    "text",
    [
        *("ioports=['zz']", "ioports=['1-']", "ioports=['1-z']", "ioports=['ffffffff']", "ioports=[['1']]"),
        *("irqs=['x']", "irqs=['5x']", "irqs=['4294967295']", "irqs=[['1']]"),
        *("iomem=['a']", "iomem=['a,']", "iomem=['a,1@']", "iomem=['a,1x']", "iomem=[['1']]"),
    ],
)
def test_what_is_no_resource(text: str) -> None:
    assert error(PV + text + "\n").exit_status == 1
