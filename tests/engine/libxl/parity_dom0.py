"""Runs in dom0: lines of a parity script, with xl or with xlpy as ``xl``, and what the host is like after them.

    python3 parity_dom0.py SIDE <SCRIPT >RESULTS

It stands alone, for nothing but this file is copied there. SCRIPT is JSON, RESULTS a line of JSON for each step; what a
script is stands in ``parity_script``. SIDE is ``xl`` or ``xlpy``. Lines that change something are run by this side, and
then is their effect compared. Lines that only read are run by both on the side ``xlpy``, one right after the other, on
the same domains.

A step with ``broke`` in its result is the last one: a guest's processor triple-faulted, so that the guest began anew under
another domid. That is what QEMU's SVM does to one of six PVH guests while they calibrate their clocks, whoever made them.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, BinaryIO

XL_BIN = "/usr/sbin"
XLPY_BIN = "/opt/xlpy/bin"
LINE_TIMEOUT_S = 600.0  # a machine that is shared has slow moments, and xl builds a domain in one line
WAIT_S = 600.0
POLL_S = 0.2
PLACE = "/root/parity"
PRELOADED = ("cli", "client", "config", "model", "protocol", "render")
# What the host is like, in the words of the real xl.
EFFECTS = {
    "list": "xl list -n -c",
    "config": "xl list -l",
    "vcpus": "xl vcpu-list",
    "pools": "xl cpupool-list -c",
    "sched": "xl sched-credit2",
    "store": "xenstore-ls -f",
    "files": "ls /root/parity",
}

Step = dict[str, Any]
Result = dict[str, Any]


def main() -> None:
    """Play the script; whatever keeps it from being played to its end ends the results."""
    side = sys.argv[1]
    steps = json.load(sys.stdin)
    shutil.rmtree(PLACE, ignore_errors=True)
    os.mkdir(PLACE)
    os.chdir(PLACE)
    if side == "xlpy":
        preload()
    for step in steps:
        began = time.monotonic()
        result = carry_out(step, side)
        result["seconds"] = round(time.monotonic() - began, 2)
        print(json.dumps(result), flush=True)
        if "stop" in result or "broke" in result:
            break


def carry_out(step: Step, side: str) -> Result:
    """One step, as far as it is this side's."""
    kind, words, text = step["kind"], step["words"], step["text"]
    if kind == "file":
        with open(words[0], "w", encoding="utf-8") as file:
            file.write(text)
    elif kind == "setup":
        done = run(["sh", "-c", text], "xl")
        if done["status"]:
            return {"stop": f"{text}: {done}"}
    elif kind == "until":
        return wait_until(text)
    elif kind == "effect":
        broke = broken_guests()
        if broke:
            return {"broke": broke}
        return {"effect": {name: run(words.split(), "xl")["out"] for name, words in EFFECTS.items()}}
    elif kind == "change":
        return {side: run(words, side)}
    elif side == "xlpy":
        return {"xl": run(words, "xl"), "xlpy": run(words, "xlpy")}
    return {}


def broken_guests() -> list[str]:
    """What the hypervisor says of guests whose processor could go on no more."""
    return [line for line in run(["xl", "dmesg"], "xl")["out"].splitlines() if "Triple fault" in line]


def run(words: list[str], side: str) -> Result:
    """One command, with files for its output: what it leaves running may keep them open."""
    path = XLPY_BIN if side == "xlpy" else XL_BIN
    environ = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}", "LC_ALL": "C", "TZ": "UTC"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull, "rb") as nothing:
        if side == "xlpy" and words[0] == "xl":
            status = run_preloaded(words, environ, (nothing, out, err))
        else:
            status = run_program(words, environ, (nothing, out, err))
        return {"status": status, "out": content(out), "err": content(err)}


def run_program(words: list[str], environ: dict[str, str], files: tuple[BinaryIO, ...]) -> int:
    """As a shell would; 124 is the end of its time, as with timeout(1)."""
    stdin, stdout, stderr = files
    try:
        return subprocess.run(
            words, stdin=stdin, stdout=stdout, stderr=stderr, env=environ, timeout=LINE_TIMEOUT_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return 124


def run_preloaded(words: list[str], environ: dict[str, str], files: tuple[BinaryIO, ...]) -> int:
    """xlpy in a child that has imported it already: starting an interpreter takes a second in an emulated dom0."""
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(int(LINE_TIMEOUT_S))
            for number, file in enumerate(files):
                os.dup2(file.fileno(), number)
            os.environ.update(environ)
            time.tzset()
            sys.argv = [f"{XLPY_BIN}/xl", *words[1:]]
            sys.stdin, sys.stdout, sys.stderr = (
                os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
            )
            from xlpy.__main__ import run_and_exit

            run_and_exit()
        finally:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def preload() -> None:
    """Import all of xlpy that commands use."""
    for part in PRELOADED:
        package = importlib.import_module(f"xlpy.{part}")
        for module in pkgutil.walk_packages(package.__path__, f"xlpy.{part}."):
            try:
                importlib.import_module(module.name)
            except ImportError:
                continue  # it needs what a dom0 doesn't have: click, say, or a terminal's colours


def content(file: BinaryIO) -> str:
    """All that was written to it."""
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def wait_until(text: str) -> Result:
    """Until the shell finds that true, by the real xl."""
    deadline = time.monotonic() + WAIT_S
    while run(["sh", "-c", text], "xl")["status"]:
        if time.monotonic() > deadline:
            state = run(["sh", "-c", "xl list; xl vcpu-list; ps axf"], "xl")
            return {"stop": f"it never became true: {text}\n{state['out']}"}
        time.sleep(POLL_S)
    return {}


if __name__ == "__main__":
    main()
