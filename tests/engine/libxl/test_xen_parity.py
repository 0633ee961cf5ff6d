"""xlpy in the place of xl: the same command lines in one dom0, and the same output, exit status and effect.

The scripts are in ``tests/data/parity``. Of each scene xl's side is played first, on a host just started; then xlpy's, on the
same host put back, so that domids and all else that counts are the same without being smoothed over. What may differ for all that
is in ``DIFFERENCES``, each with its reason.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from parity_compare import differences, effect_differences
from parity_script import DATA, Step, read_script, recorded_lines
from xen_hosts import XenHost, XenHosts, wanted_xen

ROOT = Path(__file__).parents[3]
DOM0 = Path(__file__).parent / "parity_dom0.py"
SCRIPTS = ("recorded", "more")
LIBRARY = "/usr/lib/python3/dist-packages"
PROGRAM = "#!/usr/bin/python3\nfrom xlpy.__main__ import run_and_exit\nrun_and_exit()\n"
SIDE_TIMEOUT_S = 2400.0
PLAYS = 4  # of a side, until one is not spoiled by the emulated processor

# Lines that may differ, and why. What the whole program does otherwise is in xlpy(1), DIFFERENCES FROM XL.
_NEWER = "commands and words of newer versions of xl, which xlpy has as well"
_NO_SUCCESS = "xl ends with 0 whatever comes of it; here a failure is one"
DIFFERENCES: dict[str, str] = {
    "xl": _NEWER,
    "xl help": _NEWER,
    "xl unpause 99": _NO_SUCCESS,
    "xl trigger one nmi 7": _NO_SUCCESS,
    "xl trigger one power 0": _NO_SUCCESS,
    "xl button-press one power": _NO_SUCCESS,
    "xl usbdev-detach dev 0 1": "xl dies of a bad pointer",
}
# None of these may be among them.
SAME_WITHOUT_EXCEPTION = (
    *("list", "vcpu-list", "info", "create", "destroy", "shutdown", "save", "restore", "migrate"),
    *("block-", "network-", "mem-", "vcpu-", "sched-", "cpupool-"),
)

Results = list[dict]


def scenes() -> dict[str, list[Step]]:
    """All scenes of all scripts."""
    return {
        name: steps
        for script in SCRIPTS
        for name, steps in read_script(DATA / "parity" / f"{script}.txt").items()
    }


@pytest.fixture(scope="module")
def host(xen_hosts: XenHosts) -> Iterator[XenHost]:
    """A dom0 in which xlpy is installed, also as xl in a directory of its own; it has two processors, for cpupools."""
    xen_hosts.end("lab2")
    host = xen_hosts.get("lab1", wanted_xen(), cpus=2)
    if host.run("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))", check=False).returncode:
        pytest.skip("the dom0's Python is too old for xlpy's own commands")
    host.put_tree([ROOT / "xlpy"], LIBRARY)
    host.run("mkdir", "-p", "/opt/xlpy/bin")
    host.put("/opt/xlpy/bin/xl", PROGRAM)
    host.run("chmod", "+x", "/opt/xlpy/bin/xl")
    host.run("python3", "-m", "compileall", "-q", f"{LIBRARY}/xlpy")
    host.put("/root/parity_dom0.py", DOM0.read_bytes())
    host.save_snapshot("parity")
    yield host
    xen_hosts.end("lab1")


def play(host: XenHost, side: str, steps: list[Step]) -> Results:
    """What came of each step on one side. Fails the test if it didn't come to the end."""
    for _ in range(PLAYS):
        results = play_once(host, side, steps)
        if "broke" not in results[-1]:
            return results
        print(f"{side} is played again: {results[-1]['broke']}")
    pytest.fail(f"{side}: guests break in each of {PLAYS} plays: {results[-1]['broke']}")


def play_once(host: XenHost, side: str, steps: list[Step]) -> Results:
    """As ``play``; the last result may be that a guest broke."""
    host.reset("parity")
    try:
        said = host.run(
            "python3",
            "/root/parity_dom0.py",
            side,
            input_data=json.dumps(steps).encode(),
            timeout_s=SIDE_TIMEOUT_S,
        ).stdout
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode()
    results = [json.loads(line) for line in said.splitlines()]
    last = results[-1] if results else {}
    if "stop" in last:
        pytest.fail(f"{side}: {last['stop']}")
    if len(results) < len(steps) and "broke" not in last:
        unfinished = steps[len(results)]
        pytest.fail(f"{side} did not come to an end: {unfinished['place']}: {unfinished['text']}")
    return results


def compare(step: Step, of_xl: dict, of_xlpy: dict) -> list[str]:
    """In what the two sides differ in one step."""
    if step["kind"] == "effect":
        return effect_differences(of_xl["effect"], of_xlpy["effect"])
    if step["kind"] == "read":
        return differences(step["words"], of_xlpy["xl"], of_xlpy["xlpy"])
    if step["kind"] == "change":
        return differences(step["words"], of_xl["xl"], of_xlpy["xlpy"])
    return []


@pytest.mark.xen
class TestParity:
    @pytest.mark.parametrize("scene", scenes())
    def test_xlpy_does_what_xl_does(self, host: XenHost, scene: str) -> None:
        steps = scenes()[scene]
        of_xl = play(host, "xl", steps)
        of_xlpy = play(host, "xlpy", steps)
        report = []
        for step, theirs, ours in zip(steps, of_xl, of_xlpy, strict=True):
            found = compare(step, theirs, ours)
            if found and line_of(step) not in DIFFERENCES:
                report.append(
                    f"{step['place']}: {step['text']}\n" + "\n".join(f"    {line}" for line in found)
                )
        assert not report, f"{len(report)} lines differ\n" + "\n".join(report)


def line_of(step: Step) -> str:
    """The command line as it is played."""
    return " ".join(step["words"])


def test_every_recorded_line_is_played() -> None:
    played = [line_of(step) for step in scenes()["recorded"]]
    unlimited = {line.removeprefix("timeout 30 ") for line in played}
    assert set(recorded_lines().values()) - unlimited - {"sh -c xl dmesg | head -40"} == set()


def test_many_lines_are_played() -> None:
    assert sum(step["kind"] in ("read", "change") for scene in scenes().values() for step in scene) >= 450


def test_differences_are_few_and_elsewhere() -> None:
    assert len(DIFFERENCES) <= 10
    for line in DIFFERENCES:
        command = line.split()[1] if " " in line else ""
        assert not command.startswith(SAME_WITHOUT_EXCEPTION), line
    assert DIFFERENCES.keys() <= {line_of(step) for scene in scenes().values() for step in scene}
