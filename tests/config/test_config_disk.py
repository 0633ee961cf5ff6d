"""Disk specs, as xl-disk-configuration(5) and libxlu's scanner have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsing import PV, config, error

from xlpy.config.diagnostic import SpecError
from xlpy.config.disk import parse_disk_spec, read_disk_spec
from xlpy.errors import ConfigError
from xlpy.model.domain_config import DiskConfig

PIECES = [
    *(
        "",
        "/x",
        "raw",
        "xvda",
        "w",
        "hdc:cdrom",
        "cdrom",
        "target=/x",
        "vdev=xvda",
        "format=qcow2",
        "tap:aio:/x",
    ),
    *(
        "foo:/x",
        "a=b",
        "access=r",
        " discard",
        "backendtype=phy",
        "devtype=",
        "phy:",
        "=",
        "colo-port=1",
        "\n",
    ),
]


def disk(**fields: object) -> DiskConfig:
    return DiskConfig(**{"format": "raw", "readwrite": 1, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("/dev/vg/x,,hda", disk(pdev_path="/dev/vg/x", vdev="hda")),
        ("/x,qcow2,xvda,ro", disk(pdev_path="/x", format="qcow2", vdev="xvda", readwrite=0)),
        ("phy:/dev/vg/x,xvda,w", disk(pdev_path="/dev/vg/x", vdev="xvda")),
        ("tap:aio:/x,xvda,w", disk(pdev_path="/x", vdev="xvda")),
        ("qcow2:/x,xvda,w", disk(pdev_path="/x", vdev="xvda", format="qcow2")),
        ("iscsi:iqn.2001:x,xvda,w", disk(pdev_path="iqn.2001:x", vdev="xvda", script="block-iscsi")),
        ("/dev/x,,ioemu:hda,w", disk(pdev_path="/dev/x", vdev="hda")),
        ("foo:bar,raw,xvda", disk(pdev_path="foo:bar", vdev="xvda")),
        ("Foo:/x,raw,xvda", disk(pdev_path="Foo:/x", vdev="xvda")),
        ("format=raw,vdev=hda,access=rw,target=/x", disk(pdev_path="/x", vdev="hda")),
        ("vdev=xvda,target=a,b,c=d,", disk(pdev_path="a,b,c=d", vdev="xvda")),
        ("/x, raw, xvda, r", disk(pdev_path="/x", vdev="xvda", readwrite=0)),
        ("/x,raw,xvda,w,access=r", disk(pdev_path="/x", vdev="xvda", readwrite=0)),
        ("/x,raw,hdc:disk,w", disk(pdev_path="/x", vdev="hdc", is_cdrom=0)),
        ("/x,raw,xvda,w,backendtype=qdisk", disk(pdev_path="/x", vdev="xvda", backend="qdisk")),
        ("/x,raw,xvda,w,backend=dd", disk(pdev_path="/x", vdev="xvda", backend_domname="dd")),
        ("/x,raw,xvda,w,no-discard", disk(pdev_path="/x", vdev="xvda", discard_enable=False)),
        ("/x,raw,xvda,w,discard", disk(pdev_path="/x", vdev="xvda", discard_enable=True)),
        ("/x,raw,xvda,w,direct-io-safe", disk(pdev_path="/x", vdev="xvda", direct_io_safe=True)),
        ("/x,raw,xvda,w,untrusted", disk(pdev_path="/x", vdev="xvda", trusted=False)),
        ("/x,raw,xvda,w,trusted,grant_usage=1", disk(pdev_path="/x", vdev="xvda", trusted=True, grant_usage=True)),
        ("/x,raw,xvda,w,grant_usage=0", disk(pdev_path="/x", vdev="xvda", grant_usage=False)),
        ("/x,raw,xvda,w,specification=virtio", disk(pdev_path="/x", vdev="xvda", specification="virtio")),
        ("/x,raw,xvda,w,script=block-x", disk(pdev_path="/x", vdev="xvda", script="block-x")),
        (
            "/x,raw,xvda,w,colo,colo-host=h,colo-port=9,colo-export=e,active-disk=/a,hidden-disk=/h",
            disk(
                pdev_path="/x", vdev="xvda", colo_enable=True, colo_host="h", colo_port=9, colo_export="e",
                active_disk="/a", hidden_disk="/h",
            ),
        ),
        ("/x,raw,xvda,w,no-colo", disk(pdev_path="/x", vdev="xvda", colo_enable=False)),
    ],
)  # fmt: skip
def test_disks(spec: str, expected: DiskConfig) -> None:
    assert read_disk_spec(spec) == expected


@pytest.mark.parametrize(
    "spec", [",,hdc,cdrom", ",hdc:cdrom,r", ",empty,hdc:cdrom,r", "vdev=hdc,cdrom,target="]
)
def test_empty_cd_drives(spec: str) -> None:
    drive = read_disk_spec(spec)
    assert (drive.vdev, drive.format, drive.is_cdrom, drive.removable, drive.readwrite) == (
        "hdc",
        "empty",
        1,
        1,
        0,
    )
    assert not drive.pdev_path


def test_a_cd_is_never_writable() -> None:
    assert read_disk_spec("vdev=hdc,devtype=cdrom,access=rw,target=/x.iso").readwrite == 0


@pytest.mark.parametrize(
    ("spec", "message", "offset"),
    [
        ("/x,zip,xvda", "unknown value 'zip' for format", 3),
        ("/x,raw,xvda,w!", "unknown value 'w!' for access", 12),
        ("/x,raw,xvda,w,backendtype=qdiks", "unknown value 'qdiks' for backendtype", 26),
        ("/x,raw,xvda,w,specification=x", "unknown value 'x' for specification", 28),
        ("/x,raw,xvda,w,devtype=floppy", "unknown value 'floppy' for devtype", 22),
        ("/x,raw,hdc:floppy", "unknown type 'floppy'", 11),
        ("/x,raw,xvda,w,colo-port=x", "unknown value 'x' for colo-port", 24),
        ("/x,raw,xvda,w,extra", "too many positional parameters: 'extra'", 14),
        ("/x,raw,xvda,w,vdew=hda", "unknown parameter 'vdew'", 14),
        ("/a=b,raw,xvda", "bad disk syntax near '/a=b'", 0),
        ("foo:/x,xvda", "unknown deprecated disk prefix 'foo:'", 0),
        ("vdev=xvda,vdev=xvdb,target=/x", "vdev is given twice", 15),
        ("/x,target=/y,vdev=xvda", "target is given twice", 3),
        ("/x,raw,format=vhd,xvda", "format is given twice", 14),
        ("/x,raw", "no vdev is given", 0),
        ("", "no vdev is given", 0),
        ("vdev=xvda", "no target is given", 0),
    ],
)
def test_what_is_no_disk(spec: str, message: str, offset: int) -> None:
    with pytest.raises(SpecError) as caught:
        read_disk_spec(spec)
    assert (caught.value.message, caught.value.offset) == (message, offset)


def test_arguments_of_block_attach_add_up() -> None:
    assert parse_disk_spec(["file:/x", "xvdb", "r"]) == disk(pdev_path="/x", vdev="xvdb", readwrite=0)


def test_an_error_of_block_attach_shows_the_argument() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_disk_spec(["/x", "qcow9", "xvdb"])
    assert caught.value.where == "command line:1:1"
    assert caught.value.hint == "did you mean 'qcow2'?"
    assert caught.value.detail == "qcow9\n^^^^^"


def test_in_a_config_the_place_is_that_in_the_file() -> None:
    refused = error(PV + "disk = [ '/x,raw,xvda',\n  '/y,zip,xvdb' ]\n")
    assert refused.where == "f.cfg:4:7"
    assert refused.detail == "  '/y,zip,xvdb' ]\n      ^^^"


def test_disks_keep_their_order() -> None:
    assert [d.vdev for d in config(PV + "disk=['/x,raw,xvdb','/y,raw,xvda']\n").disks] == ["xvdb", "xvda"]


def disk_or_error(text: str) -> DiskConfig | SpecError:
    try:
        return read_disk_spec(text)
    except SpecError as refused:
        return refused


@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_a_spec_is_a_disk_or_a_spec_error(pieces: list[str]) -> None:
    text = ",".join(pieces)
    found = disk_or_error(text)
    if isinstance(found, SpecError):
        assert 0 <= found.offset <= len(text)
        assert found.message
    else:
        assert found.format in ("raw", "qcow2", "empty")
        assert not (found.is_cdrom and found.readwrite)


@given(st.text(max_size=30))
def test_any_text_is_a_disk_or_a_spec_error(text: str) -> None:
    assert disk_or_error(text) is not None
