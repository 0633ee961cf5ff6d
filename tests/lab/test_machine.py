"""QEMU's command line for a host of the lab."""

from __future__ import annotations

from xlpy.lab.image import Image
from xlpy.lab.machine import Machine, Wiring, qemu_argv
from xlpy.lab.recipe import find_release

MACHINE = Machine(memory_mib=1536, dom0_mib=640, cpus=2, accelerator="tcg")
WIRING = Wiring(ssh_port=2201, link_own="../link-1", link_other="../link-2")


def argv(machine: Machine = MACHINE, directory: str = "/images/x", snapshot: str | None = None) -> list[str]:
    return qemu_argv("qemu", machine, Image(directory, find_release("4.17")), WIRING, snapshot)


def value(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_xen_is_booted_with_dom0_as_its_modules() -> None:
    words = argv()
    assert value(words, "-kernel") == "/images/x/xen"
    assert "dom0_mem=640M,max:640M" in value(words, "-append")
    kernel, initrd = value(words, "-initrd").split(",")
    assert kernel.startswith("/images/x/vmlinux console=hvc0 ")
    assert initrd == "/images/x/initrd.img"


def test_a_comma_in_a_path_is_part_of_it() -> None:
    """QEMU splits modules at single commas (multiboot.c)."""
    assert value(argv(directory="/images/a,b"), "-initrd").startswith("/images/a,,b/vmlinux console=hvc0 ")


def test_ssh_is_on_loopback_only() -> None:
    (user,) = (word for word in argv() if word.startswith("user,"))
    assert "hostfwd=tcp:127.0.0.1:2201-" in user


def test_guests_do_not_get_the_address_of_dom0() -> None:
    (user,) = (word for word in argv() if word.startswith("user,"))
    options = dict(option.split("=", 1) for option in user.split(",")[1:])
    assert options["hostfwd"].endswith("-10.0.2.15:22")
    assert int(options["dhcpstart"].rpartition(".")[2]) > 15


def test_the_link_has_two_ends() -> None:
    (link,) = (word for word in argv() if word.startswith("dgram,"))
    assert "local.path=../link-1" in link
    assert "remote.path=../link-2" in link


def test_only_translated_hosts_get_the_processor_that_the_translator_can_do() -> None:
    assert value(argv(), "-cpu") == "qemu64,+svm,+npt"
    assert value(argv(MACHINE.replace(accelerator="kvm")), "-cpu") == "host"
    assert value(argv(MACHINE.replace(accelerator="kvm")), "-accel") == "kvm"


def test_from_a_snapshot_or_from_the_beginning() -> None:
    assert "-loadvm" not in argv()
    assert value(argv(snapshot="ready"), "-loadvm") == "ready"
