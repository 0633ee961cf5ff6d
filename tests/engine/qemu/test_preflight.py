"""A look before a migration, on a QEMU that is there: everything in the way is found at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_configs import cdrom, disk, domain_config

from xlpy.engine.qemu import preflight
from xlpy.engine.qemu.engine import QemuEngine
from xlpy.model.domain_config import NicConfig
from xlpy.model.migration import Finding, SavedDomain

pytestmark = pytest.mark.qemu


class Source:
    """An engine with one domain, and what it says about it."""

    def __init__(self, place: Path) -> None:
        self.engine = QemuEngine(str(place), str(place))
        self.engine.start(lambda end: None)
        self.image, self.other = place / "root.img", place / "data.img"
        for image in (self.image, self.other):
            image.write_bytes(bytes(1 << 20))
        self.kernel = place / "kernel"
        self.kernel.write_bytes(b"no kernel")
        config = domain_config(
            disks=(disk("xvda", self.image), disk("xvdb", self.other, readwrite=0), cdrom("xvdc")),
            nics=(NicConfig(devid=0, mac="00:16:3e:00:00:01"),),
            target_memkb=32 << 10,
        )
        self.domid = self.engine.create_domain(config, paused=True)
        self.saved = self.engine.describe_domain(self.domid)
        self.engine.destroy_domain(self.domid)

    def look(self, copy_disks: bool = False, saved: SavedDomain | None = None) -> tuple[Finding, ...]:
        return self.engine.check_incoming(saved or self.saved, copy_disks)

    def texts(self, **changes: object) -> list[str]:
        return [finding.text for finding in self.look(saved=self.saved.replace(**changes))]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    source = Source(tmp_path)
    yield source
    source.engine.close()


def test_nothing_in_the_way(source: Source) -> None:
    assert source.saved.disk_bytes == {"xvda": 1 << 20, "xvdb": 1 << 20}
    assert source.saved.program_version
    assert source.look() == ()


def test_everything_at_once(source: Source) -> None:
    source.image.unlink()
    source.other.write_bytes(bytes(4096))
    b_info = source.saved.config.b_info.replace(
        kernel="/no/kernel", ramdisk="/no/ramdisk", target_memkb=1 << 40, max_memkb=1 << 40
    )
    machine = {**source.saved.machine, "machine_type": "pc-i440fx-99.9"}
    saved = source.saved.replace(
        config=source.saved.config.replace(b_info=b_info), machine=machine, program_version="99.9.1 (Debian)"
    )
    found = source.look(saved=saved)
    assert [(finding.severity, finding.code) for finding in found] == [
        ("error", "no-memory"),
        ("error", "engine"),
        ("error", "config"),
        ("error", "config"),
        ("error", "config"),
        ("error", "config"),
        ("warning", "program-version"),
    ]
    texts = [finding.text for finding in found]
    assert texts[1].endswith("does not know the domain's machine pc-i440fx-99.9")
    assert texts[2:4] == ["kernel /no/kernel: no such file", "ramdisk /no/ramdisk: no such file"]
    assert texts[4] == f"disk xvda: no such file: {source.image}"
    assert texts[5] == f"disk xvdb: {source.other} has 4096 bytes here and 1048576 at the source"
    assert all(finding.hint for finding in found)


def test_a_state_of_another_kind_is_all_that_is_said(source: Source) -> None:
    assert source.texts(stream_format="libxl") == [
        "the state was saved by the libxl engine, this host's is qemu"
    ]
    (text,) = source.texts(machine={**source.saved.machine, "layout": 99})
    assert "a machine of layout 99" in text


def test_other_devices_than_the_state_has(source: Source) -> None:
    config = source.saved.config
    (text,) = source.texts(config=config.replace(disks=config.disks[:1]))
    assert text == "the configuration's disks are not those of the saved domain: it had xvda, xvdb, xvdc"
    twice = config.replace(disks=(*config.disks, config.disks[0]))
    assert "two disks are called xvda" in source.texts(config=twice)


def test_processor(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    under_kvm = {**source.saved.machine, "cpu_model": "host,vmx=off"}
    (text,) = source.texts(machine=under_kvm)
    assert text == "the domain runs under KVM, which this host does not have"
    monkeypatch.setenv("XLPY_ACCEL", "kvm")
    source.engine.probe._found = None
    monkeypatch.setattr(preflight, "cpu_flags", lambda: frozenset({"fpu", "sse2"}))
    assert source.texts(machine=under_kvm, cpu_features=("fpu", "sse2")) == []
    (text,) = source.texts(machine=under_kvm, cpu_features=("avx2", "fpu", "avx512f"))
    assert text == "the processor lacks features that the guest uses: avx2 avx512f"


def test_more_vcpus_than_processors(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "host_cpus", lambda: (0,))
    (finding,) = source.look(
        saved=source.saved.replace(machine={**source.saved.machine, "online_vcpus": [0, 1], "max_vcpus": 2})
    )
    assert (finding.severity, finding.text) == ("warning", "the domain has 2 vcpus, this host 1 processors")


def test_copies(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = source.look(copy_disks=True)
    assert finding.text == f"disk xvda: {source.image} exists already, and is not overwritten"
    source.image.unlink()
    assert source.look(copy_disks=True) == ()
    large = source.saved.replace(disk_bytes={**source.saved.disk_bytes, "xvda": 1 << 60})
    (finding,) = source.look(copy_disks=True, saved=large)
    assert f"the disks may need {1 << 40} MiB there" in finding.text
    config = source.saved.config
    nowhere = config.replace(disks=(disk("xvda", "/no/where/root.img"), *config.disks[1:]))
    (finding,) = source.look(copy_disks=True, saved=source.saved.replace(config=nowhere))
    assert finding.text == "disk xvda: there is no directory /no/where to copy it to"


def test_a_look_changes_nothing(source: Source, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    source.look()
    source.look(copy_disks=True)
    assert sorted(tmp_path.rglob("*")) == before
    assert [info.domid for info in source.engine.list_domains()] == [0]


def test_uncopyable_disks_at_the_source(source: Source) -> None:
    image = source.image.with_suffix(".qed")
    image.write_bytes(source.image.read_bytes())
    domid = source.engine.create_domain(
        source.saved.config.replace(c_info=source.saved.config.c_info.replace(domid=None)), paused=True
    )
    assert source.engine.check_outgoing(domid, copy_disks=True) == ()
    domain = source.engine.domain(domid)
    disks = (disk("xvda", image, "qed"), disk("xvdb", "/dev/null"))
    domain.record = domain.record.replace(config=domain.record.config.replace(disks=disks))
    found = source.engine.check_outgoing(domid, copy_disks=True)
    assert [finding.code for finding in found] == ["not-supported"]
    assert "qed format cannot be copied along" in found[0].text
    source.engine.destroy_domain(domid)
