"""Rounds of a domain's life on a Xen host, and what they leave behind. A program that travels into a dom0.

    python3 dom0_rounds.py create|save ROUNDS

It prints one JSON object: what is there after the rounds that wasn't before (``added``), what is gone (``missing``),
and how xlpyd has grown. Nothing is compared before a first round, which brings what is there once and for all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

XLPY = (sys.executable, "-m", "xlpy")
CONFIG = """\
name = "rounds"
type = "%s"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd.img"
extra = "console=hvc0 quiet"
memory = 96
disk = ["file:/srv/guest/data.img,xvda,r"]
vif = ["bridge=xenbr0"]
"""
# The kinds of domains that take turns, and how each begins.
KINDS = (("pv", ()), ("pvh", ("-p",)))
UP = b"guest up"
STATE_FILE = Path("/var/tmp/rounds.save")
RUN_DIR = Path("/run/xlpy")
USERDATA = Path("/var/lib/xen")
CONTEXT_LOG = "libxl log"  # each context has two such files, and up to ten descriptors with each
CONTEXT_DESCRIPTORS = 10
LOGS_OF_A_CONTEXT = 2
# What a context keeps for its next call: pollers, each with a pipe (libxl__poller_put; libxl_ctx_free closes them), two at
# most beside its own, and a thread that reads what xenstore says.
PIPE_ENDS_OF_A_CONTEXT = 4
PIPE = "descriptors: pipe:"
READS_XENSTORE = "unix_stream_read_generic"
SETTLED_WITHIN_S = 60.0  # Xen scrubs a domain's memory, and udev its devices, when the domain is gone
MEMORY_SLACK_MIB = 1
# What a kernel thread is called says on which work it is just now, and our own way into the dom0 comes and goes.
NOT_OURS = re.compile(r"\[|sshd:|.*dom0_rounds|ps |sh -c")


def main(life: str, rounds: int) -> None:
    for kind, _ in KINDS:
        config_file(kind).write_text(CONFIG % kind)
    play = {"create": create_and_destroy, "save": save_and_restore}[life]
    play(len(KINDS))
    before, began = footprint_at_rest(), numbers()
    play(rounds)
    added, missing = compare_when_settled(before, began["free_mib"])
    print(json.dumps({"added": added, "missing": missing, "before": began, "after": numbers()}))


def create_and_destroy(rounds: int) -> None:
    for number in range(rounds):
        kind, flags = KINDS[number % len(KINDS)]
        xlpy("create", "-q", *flags, str(config_file(kind)))
        xlpy("destroy", "rounds")


def save_and_restore(rounds: int) -> None:
    xlpy("create", "-q", str(config_file("pv")))
    wait_until_up()
    for _ in range(rounds):
        xlpy("save", "-q", "rounds", str(STATE_FILE))
        xlpy("restore", "-q", str(STATE_FILE))
    xlpy("destroy", "rounds")
    STATE_FILE.unlink()


def config_file(kind: str) -> Path:
    return Path(f"/var/tmp/rounds-{kind}.cfg")


def xlpy(*words: str) -> None:
    subprocess.run([*XLPY, *words], stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=300, check=True)


def wait_until_up() -> None:
    """Follow the console, from its beginning, until the guest is up."""
    words = [*XLPY, "console", "--no-input", "rounds"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as console:
        assert console.stdout
        said = b""
        while UP not in said:
            piece = os.read(console.stdout.fileno(), 65536)
            if not piece:
                raise SystemExit(f"the guest did not come up: {said!r}")
            said += piece
        console.terminate()


def footprint_at_rest() -> dict[str, list[str]]:
    """What is there when that doesn't change any more."""
    now = footprint()
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while time.monotonic() < deadline:
        time.sleep(1)
        before, now = now, footprint()
        if before == now:
            break
    return now


def footprint() -> dict[str, list[str]]:
    """What a domain could leave behind, by kind; each as a sorted list of words."""
    return {
        "domains": sorted(line.split()[0] for line in output("xl", "list").splitlines()[1:]),
        "xenstore": sorted(line.partition(" = ")[0] for line in output("xenstore-ls", "-f").splitlines()),
        "processes": sorted(
            line for line in output("ps", "-eo", "args=").splitlines() if not NOT_OURS.match(line)
        ),
        "loop devices": sorted(output("losetup", "-a").splitlines()),
        "interfaces": sorted(os.listdir("/sys/class/net")),
        "userdata": sorted(os.listdir(USERDATA)),
        "run files": sorted(str(path) for path in RUN_DIR.rglob("*")),
        "descriptors": sorted(descriptors()),
    }


def descriptors() -> list[str]:
    """What xlpyd has open, without the numbers of sockets and pipes."""
    found = []
    for entry in os.scandir(f"/proc/{xlpyd()}/fd"):
        try:
            found.append(re.sub(r"\[\d+\]", "", os.readlink(entry.path)))
        except FileNotFoundError:
            pass  # it was closed meanwhile
    return found


def numbers() -> dict[str, int]:
    """What Xen has free, and how large xlpyd is."""
    process = Path(f"/proc/{xlpyd()}")
    rss = re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text())
    assert rss
    return {
        "free_mib": free_mib(),
        "rss_kib": int(rss[1]),
        "threads": sum(map(is_ours, process.glob("task/*"))),
    }


def is_ours(thread: Path) -> bool:
    """Whether this thread is none of a context's."""
    try:
        return (thread / "wchan").read_text() != READS_XENSTORE
    except FileNotFoundError:
        return False


def free_mib() -> int:
    found = re.search(r"free_memory\s+: (\d+)", output("xl", "info"))
    assert found
    return int(found[1])


def compare_when_settled(before: dict[str, list[str]], free_before_mib: int) -> tuple[list[str], list[str]]:
    """What was added and what is missing, as soon as nothing is or else when there was time enough."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        after = footprint()
        added, missing = difference(before, after), difference(after, before)
        added = without_contexts(added)
        lost_mib = free_before_mib - free_mib()
        if lost_mib > MEMORY_SLACK_MIB:
            missing.append(f"free memory: {lost_mib} MiB")
        if not (added or missing) or time.monotonic() > deadline:
            return added, missing
        time.sleep(1)


def difference(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """What of ``after`` isn't in ``before``, each as often as it is there more often."""
    more = []
    for kind, words in after.items():
        left = list(before[kind])
        for word in words:
            if word in left:
                left.remove(word)
            else:
                more.append(f"{kind}: {word}")
    return more


def without_contexts(added: list[str]) -> list[str]:
    """What was added but the descriptors of libxl's contexts, of which xlpyd keeps a few as it comes to need them."""
    found = [word for word in added if word.startswith("descriptors: ")]
    new_logs = sum(CONTEXT_LOG in word for word in found)
    contexts = sum(CONTEXT_LOG in word for word in descriptors()) // LOGS_OF_A_CONTEXT
    if found == [PIPE] * len(found) and len(found) <= contexts * PIPE_ENDS_OF_A_CONTEXT:
        return [word for word in added if word not in found]
    if len(found) > new_logs * CONTEXT_DESCRIPTORS:
        return added
    return [word for word in added if word not in found]


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout


def xlpyd() -> int:
    return int((RUN_DIR / "xlpyd.lock").read_text())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
