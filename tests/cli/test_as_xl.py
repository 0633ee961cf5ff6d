"""What the real xl said to command lines of the parity scripts; here xlpy says it as xl to the fake host."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, GUESTS, populate

from xlpy.model.host import Cpupool

LIST_HEADING = "Name                                ID Weight  Cap\n"
VCPU_HEADING = "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n"


@pytest.fixture
def lab(fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The recorded host with its guests; its pcpus belong to Pool-0."""
    monkeypatch.chdir(tmp_path)
    fake.host = fake.host.replace(nr_cpus=2, max_cpu_id=1)
    fake.pools = (Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=7, cpus=(0, 1)),)
    populate(fake, *GUESTS)
    return fake


def test_no_options_behind_the_first_argument(xl: Call, call: Call, lab: FakeEngine) -> None:
    result = xl("list", "gpv", "-v")
    assert result.status == 1
    assert result.out.startswith("Usage: xl [-vtT] list")
    assert "UUID" in call("list", "gpv", "-v").out
    assert xl("pause", "gpv", "--help").status == 0
    assert lab.guests[GPV.domid].info.paused


def test_files_come_before_options(xl: Call, lab: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text('name="a"\nkernel="/k"\nmemory=32\n')
    assert xl("create", "a.cfg", "-p", "memory=40").status == 0
    assert any(guest.info.name == "a" and guest.info.paused for guest in lab.guests.values())
    assert xl("config-update", "a", "a.cfg", "-q").status == 0
    assert xl("create", "a.cfg", "memory=40", "-p").status == 2


@pytest.mark.parametrize("command", ["block-list", "vtpm-list", "vdispl-list", "vsnd-list"])
def test_lists_of_devices_pass_over_who_is_not_there(command: str, xl: Call, lab: FakeEngine) -> None:
    result = xl(command, "nosuch", "gpv")
    assert (result.err, result.status) == ("nosuch is an invalid domain identifier\n", 0)
    assert xl(command, "gpv").out == result.out


@pytest.mark.parametrize("command", ["network-list", "channel-list", "vkb-list", "pci-list", "usb-list"])
def test_lists_of_devices_that_end_with_who_is_not_there(command: str, xl: Call, lab: FakeEngine) -> None:
    result = xl(command, "nosuch")
    assert (result.err, result.status) == ("nosuch is an invalid domain identifier (rc=-6)\n", 1)
    if command in ("network-list", "channel-list", "vkb-list"):
        assert xl(command, "gpv", "nosuch", "gpv").out == xl(command, "gpv").out


def test_a_display_without_a_connector(xl: Call, lab: FakeEngine) -> None:
    result = xl("vdispl-attach", "gpv", "backend=0")
    assert (result.err.splitlines()[0], result.status) == ("At least one connector should be specified.", 253)


def test_a_pool_from_what_is_no_plain_file(xl: Call, call: Call, lab: FakeEngine) -> None:
    words = ("cpupool-create", "/dev/null", 'name="p"', 'cpus="1"')
    result = xl(*words)
    assert result.err.startswith("Failed to read config file: /dev/null: Inappropriate ioctl for device\n")
    assert result.status == 1
    assert "plain file" not in call(*words).err


def test_a_disk_for_nobody(xl: Call, call: Call, lab: FakeEngine) -> None:
    words = ("block-attach", "nosuch", "/dev/null,raw,xvdb,r")
    assert (xl(*words).err, xl(*words).status) == ("nosuch is an invalid domain identifier\n", 1)


@pytest.mark.parametrize(
    ("reference", "status", "complaint"),
    [
        ("99", 0, "99 is an invalid domain identifier (rc=-6)\n"),
        ("nosuch", 1, "nosuch is an invalid domain identifier (rc=-6)\n"),
    ],
)
def test_vcpus_of_nobody(reference: str, status: int, complaint: str, xl: Call, lab: FakeEngine) -> None:
    result = xl("vcpu-list", reference)
    assert (result.out, result.err, result.status) == (VCPU_HEADING, complaint, status)


def test_vcpus_that_cannot_be(xl: Call, lab: FakeEngine) -> None:
    result = xl("vcpu-set", "-i", "gpv", "0")
    failed = f"libxl_set_vcpuonline failed domid={GPV.domid} max_vcpus=0, rc: -3"
    assert (result.err.splitlines()[0], result.status) == (failed, 1)


@pytest.mark.parametrize(
    ("words", "out", "complaint"),
    [
        (["sched-credit2", "-d", "99"], LIST_HEADING, "libxl_domain_sched_params_get failed."),
        (
            ["sched-credit", "-d", "gpv"],
            LIST_HEADING,
            "libxl_domain_sched_params_get returned credit2 not credit.",
        ),
        (["sched-credit", "-d", "gpv", "-w", "10"], "", "libxl_domain_sched_params_set failed."),
        (["sched-credit2", "-d", "nosuch"], "", "nosuch is an invalid domain identifier (rc=-6)"),
        (["sched-credit2", "-d", "gpv", "-w", "abc"], "", "libxl_domain_sched_params_set failed."),
        (["sched-rtds", "-d", "gpv", "-p", "100"], "", "Must specify VCPU."),
    ],
)
def test_schedulers(words: list[str], out: str, complaint: str, xl: Call, lab: FakeEngine) -> None:
    result = xl(*words)
    assert (result.out, result.err.splitlines()[0], result.status) == (out, complaint, 1)


def test_a_pool_of_another_scheduler(xl: Call, lab: FakeEngine) -> None:
    result = xl("sched-credit", "-s")
    assert (result.out, result.err, result.status) == (
        "Cpupool Pool-0: [sched params unavailable]\n",
        "libxl_sched_credit_params_get failed.\n",
        0,
    )


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("", "no vdev specified in `'"),
        ("/x,raw,xvda,access=maybe", "unknown value for access: near `maybe' in `/x,raw,xvda,access=maybe'"),
        ("format=qcow3,vdev=xvda", "unknown value for format: near `qcow3' in `format=qcow3,vdev=xvda'"),
    ],
)
def test_disks_in_trouble(spec: str, complaint: str, xl: Call, lab: FakeEngine) -> None:
    result = xl("-N", "block-attach", "0", spec)
    expected = f"command line: config parsing error in disk specification: {complaint}\n"
    assert (result.out, result.err, result.status) == ("", expected, 1)


CONFIGS = {
    "": ("Domain name must be specified.", 1),
    'name="a"': ("Neither kernel nor bootloader specified", 1),
    'name="a"\ntype="x"': ("Invalid domain type x.", 1),
    'name="a"\nkernel="/k"\non_crash="panic"': ('Unknown on_crash action "panic" specified', 1),
    'builder="hvm"\nname="a"\ntype="pvh"': ('Contradicting "builder" and "type" options specified.', 1),
}


@pytest.mark.parametrize("text", CONFIGS)
def test_configs_in_trouble(text: str, xl: Call, lab: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text(f"{text}\n")
    result = xl("create", "-nq", "a.cfg")
    lines = [line for line in result.err.splitlines() if not line.startswith(("  ", "xl: warning: "))]
    assert (result.out, lines, result.status) == ("", [CONFIGS[text][0]], CONFIGS[text][1])


def test_a_config_that_is_none(xl: Call, lab: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text('name = "x\n')
    result = xl("create", "a.cfg")
    assert result.err.splitlines()[1].startswith("a.cfg:1:")
    assert result.err.splitlines()[-1] == "Failed to parse config: Invalid argument"
    assert result.status == 1
    assert xl("config-update", "gpv", "nosuch.cfg").status == 253


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["cpus='1'"], "cpu 1 illegal or not free"),
        (["sched='none'"], "Unknown scheduler"),
        (["name='Pool-0'", "sched='none'"], 'Pool name "Pool-0" already exists'),
    ],
)
def test_pools_in_trouble(
    words: list[str], complaint: str, xl: Call, lab: FakeEngine, tmp_path: Path
) -> None:
    (tmp_path / "p.cfg").write_text("name='p'\n")
    result = xl("cpupool-create", "p.cfg", *words)
    assert (result.out, result.err.splitlines()[0], result.status) == ("", complaint, 1)


def test_domain_0_stays(xl: Call, lab: FakeEngine) -> None:
    assert xl("destroy", "0").err == (
        "Not destroying domain 0; use -f to force.\n"
        "This can only be done when using a disaggregated hardware domain and toolstack.\n\n"
    )
