"""create, guest up, destroy, save, restore."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.guest import UP
from benchmarks.measure import Series, alternate, wait_for_text
from benchmarks.scene import Scene

MIB = 64
BOOT_MIB = 128


def paused(scene: Scene) -> None:
    """create --paused until it returns, and destroy."""
    host, libvirt = scene.host(), scene.libvirt
    path = host.config("p", MIB)
    ours_gone, theirs_gone = Series(), Series()

    def ours() -> float:
        took = host.xlpy("create", "-q", "-p", path)
        ours_gone.values.append(host.xlpy("destroy", "p"))
        return took

    def bare() -> float:
        guest = scene.bare("p", MIB, paused=True)
        guest.execute("query-status")
        took = guest.since_start_ms()
        guest.kill()
        return took

    def theirs() -> float:
        assert libvirt is not None
        took = libvirt.virsh("create", "--paused", libvirt.define("p", MIB))
        theirs_gone.values.append(libvirt.virsh("destroy", "p"))
        return took

    sides = [ours, bare] if libvirt is None else [ours, bare, theirs]
    created, spawned, *peer = alternate(2 * scene.rounds, *sides)
    scene.report.compare("create --paused", created, "bare QEMU + QMP", spawned, 2.0)
    if peer:
        scene.report.compare("create --paused", created, "virsh create --paused", peer[0], 0.3)
        scene.report.compare("destroy", ours_gone, "virsh destroy", theirs_gone, 0.3)
    else:
        scene.report.note("destroy", str(ours_gone))


def guest_up(scene: Scene) -> None:
    """From the call to the guest's first words."""
    host, libvirt = scene.host(), scene.libvirt

    def ours() -> float:
        took = host.boot("u", BOOT_MIB)
        host.xlpy("destroy", "u")
        return took

    def bare() -> float:
        guest = scene.bare("u", BOOT_MIB, paused=False)
        took = wait_for_text(guest.log, UP, guest.began)
        guest.kill()
        return took

    def theirs() -> float:
        assert libvirt is not None
        took = libvirt.boot("u", BOOT_MIB)
        libvirt.virsh("destroy", "u")
        return took

    sides = [ours, bare] if libvirt is None else [ours, bare, theirs]
    ups = alternate(scene.rounds, *sides, warm_up=1)
    scene.report.compare("create until the guest is up", ups[0], "bare QEMU", ups[1], 1.05)
    if libvirt is not None:
        scene.report.compare("create until the guest is up", ups[0], "virsh create", ups[2])


def save_and_restore(scene: Scene) -> None:
    """The state of an idle guest to a file and back."""
    host, libvirt = scene.host(), scene.libvirt
    host.boot("s", BOOT_MIB)
    file = scene.scratch / "ours.save"
    their_file = scene.scratch / "theirs.save"
    if libvirt is not None:
        libvirt.boot("s", BOOT_MIB)
    time.sleep(1)  # the guest settles after its boot
    restored, their_restored = Series(), Series()

    def ours() -> float:
        took = host.xlpy("save", "s", str(file))
        restored.values.append(host.xlpy("restore", str(file)))
        return took

    def theirs() -> float:
        assert libvirt is not None
        took = libvirt.virsh("save", "s", str(their_file))
        their_restored.values.append(libvirt.virsh("restore", str(their_file)))
        return took

    saved, *peer = alternate(scene.rounds, *([ours] if libvirt is None else [ours, theirs]))
    size = f"save ({BOOT_MIB} MiB guest, {_mib(file):.0f} MiB file)"
    if peer and libvirt is not None:
        scene.report.compare(size, saved, f"virsh save ({_mib(their_file):.0f} MiB)", peer[0], 0.5)
        scene.report.compare("restore", restored, "virsh restore", their_restored, 0.5)
        libvirt.virsh("destroy", "s")
    else:
        scene.report.note(size, str(saved))
        scene.report.note("restore", str(restored))
    host.xlpy("destroy", "s")


def _mib(path: Path) -> float:
    return path.stat().st_size / 2**20
