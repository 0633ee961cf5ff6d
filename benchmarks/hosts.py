"""Many hosts in one command, over the broker's connections and without them, against OpenSSH and bare paramiko."""

from __future__ import annotations

from benchmarks.measure import Series, alternate
from benchmarks.scene import Scene


def warm(scene: Scene) -> None:
    """One list of all hosts over the broker's connections, against ssh over as many ControlMasters."""
    far = scene.far
    far.start_masters()
    try:
        ours, nothing, word = alternate(
            scene.rounds, far.list_all, lambda: far.ssh_all("true"), lambda: far.ssh_all("echo ok")
        )
    finally:
        far.stop_masters()
    count = len(far.hosts)
    scene.report.compare(f"list of {count} hosts, warm", ours, "ssh HOST true", nothing, 0.25)
    scene.report.compare(f"list of {count} hosts, warm", ours, "ssh HOST echo ok", word, 0.25)


def one(scene: Scene) -> None:
    """A list of one host over the broker, against the same xlpyd asked without SSH."""
    far = scene.far
    host = far.hosts[0]
    far.xlpy("-H", host.name, "list")
    local = f"unix://{far.local_socket(host)}"
    ours, theirs = alternate(
        scene.rounds * 4,
        lambda: far.xlpy("-H", host.name, "list")[0],
        lambda: far.xlpy("-H", local, "list")[0],
    )
    scene.report.compare("list of one host, warm", ours, "the same host, local", theirs, 1.3)


def cold(scene: Scene) -> None:
    """One list of all hosts without a connection, the broker's start included, against bare paramiko."""
    far = scene.far
    far.list_all()  # xlpyd runs on every host from here on

    def ours() -> float:
        far.stop_broker()
        return far.list_all()

    mine, theirs = alternate(min(scene.rounds, 5), ours, lambda: far.paramiko("true", *far.hosts), warm_up=1)
    scene.report.compare(
        f"list of {len(far.hosts)} hosts, cold", mine, "paramiko, 50 threads, true", theirs, 1.2
    )


def bare(scene: Scene) -> None:
    """The first call on a host that has only Python, with nothing running here or there, against bare paramiko."""
    far = scene.far
    mine, theirs = Series(), Series()
    for number in range(min(scene.rounds, 7) + 1):
        host = far.add()
        try:
            far.stop_broker()
            theirs_ms = far.paramiko("python3 -c pass", host)
            ours_ms = far.xlpy("-H", host.name, "list")[0]
        finally:
            far.remove(host)
        if number:
            mine.values.append(ours_ms)
            theirs.values.append(theirs_ms)
    scene.report.compare("first call on a bare host", mine, "paramiko, python3 -c pass", theirs, 1.5)
