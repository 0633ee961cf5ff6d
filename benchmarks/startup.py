"""How soon the command line answers, and what listing costs with many guests."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.measure import Series, alternate, resident_mib, run, timed
from benchmarks.scene import Scene, python_import

GUESTS = 50
GUEST_MIB = 64


ANSWERS = {
    "xlpy --version": ("--version",),
    "xlpy help": ("help",),
    "xlpy help --long": ("help", "--long"),
    "xlpy help create": ("help", "create"),
    "TAB in bash, on a command": ("__complete", "bash", "xlpy li", " \t\n\"'><=;|&(:"),
    "TAB in zsh, on an option": ("__complete", "zsh", "xlpy", "list", "--co"),
    "TAB in fish, on a word": ("__complete", "fish", "xlpy", "trigger", "web", "n"),
}
"""What is answered without any host."""


def version(scene: Scene) -> None:
    """xlpy --version, help and TAB in each shell against importing click alone."""
    host = scene.host()

    def asked(words: tuple[str, ...]) -> Callable[[], float]:
        return lambda: run([str(host.bin / "xlpy"), *words], env=host.env)[0]

    theirs, bare, *ours = alternate(
        3 * scene.rounds,
        timed(python_import("click")),
        timed(python_import("sys")),
        *map(asked, ANSWERS.values()),
        warm_up=3,
    )
    for name, series in zip(ANSWERS, ours, strict=True):
        scene.report.compare(name, series, "python3 -c 'import click'", theirs, 1.1)
    scene.report.note("python3 itself", str(bare))


def fifty_guests(scene: Scene) -> None:
    """list and statistics with 50 paused guests, and what the daemons keep in memory."""
    host, libvirt = scene.host(), scene.libvirt
    for number in range(GUESTS):
        host.xlpy("create", "-q", "-p", host.config(f"l{number}", GUEST_MIB))
        if libvirt is not None:
            libvirt.virsh("create", "--paused", libvirt.define(f"l{number}", GUEST_MIB))
    try:
        _compare_lists(scene)
    finally:
        host.destroy_all()
        if libvirt is not None:
            for number in range(GUESTS):
                libvirt.virsh("destroy", f"l{number}")


def _compare_lists(scene: Scene) -> None:
    host, libvirt, report, rounds = scene.host(), scene.libvirt, scene.report, 2 * scene.rounds
    ours_mib = Series([resident_mib(host.daemon.pid)], "MiB")
    if libvirt is None:
        (listing, statistics) = alternate(
            rounds, lambda: host.xlpy("list"), lambda: host.xlpy("top", "-b", "-i", "1")
        )
        report.note(f"list, {GUESTS} guests", str(listing))
        report.note(f"statistics, {GUESTS} guests", str(statistics))
        report.note(f"xlpyd resident, {GUESTS} guests", str(ours_mib))
        return
    peer = libvirt
    listing, their_listing, statistics, their_statistics = alternate(
        rounds,
        lambda: host.xlpy("list"),
        lambda: peer.virsh("list", "--all"),
        lambda: host.xlpy("top", "-b", "-i", "1"),
        lambda: peer.virsh("domstats"),
    )
    report.compare(f"list, {GUESTS} guests", listing, "virsh list", their_listing, 1.0)
    report.compare(
        f"list with all statistics, {GUESTS} guests", statistics, "virsh domstats", their_statistics, 0.2
    )
    theirs_mib = Series([resident_mib(peer.daemon_pid())], "MiB")
    report.compare(f"daemon resident, {GUESTS} guests", ours_mib, "libvirtd", theirs_mib, 0.6)


def two_hundred_guests(scene: Scene) -> None:
    """200 paused guests of 32 MiB on one xlpyd: list stays quick and the daemon small."""
    host, report = scene.host("many"), scene.report
    host.xlpy("create", "-q", "-p", host.config("n0", 32))
    (one,) = alternate(2 * scene.rounds, lambda: host.xlpy("list"))
    try:
        for number in range(1, 200):
            host.xlpy("create", "-q", "-p", host.config(f"n{number}", 32))
        (many,) = alternate(2 * scene.rounds, lambda: host.xlpy("list"))
        report.bound("list, 200 guests (limit: 2 x list of 1 + 30 ms)", many, 2 * one.median + 30)
        report.bound("xlpyd resident, 200 guests", Series([resident_mib(host.daemon.pid)], "MiB"), 60)
    finally:
        host.destroy_all()
