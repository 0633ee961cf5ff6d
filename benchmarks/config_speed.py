#!/usr/bin/env python3
"""How fast config files are read: a usual one, and hostile ones of a megabyte; and what importing the layer costs.

    benchmarks/config_speed.py          # numbers with their limits; exit status 1 when one is missed

Needs neither daemon nor guest. Each number is the best of several rounds, as what disturbs only ever adds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from xlpy.config.check import LARGE_HOST, check_text  # noqa: E402
from xlpy.config.domain import parse_domain_config  # noqa: E402
from xlpy.config.layout import formatted  # noqa: E402
from xlpy.errors import ConfigError  # noqa: E402

USUAL_MS = 1.0
IMPORT_MS = 15.0
HOSTILE_MS = 2000.0
SIZE = 1_000_000
ROUNDS = 5
USUAL = """\
# A usual config of 30 lines
name = "web"
type = "pvh"
kernel = "/boot/vmlinuz"
ramdisk = "/boot/initrd"
cmdline = "root=/dev/xvda1 ro console=hvc0"

memory = 512
maxmem = 1024
vcpus = 2
maxvcpus = 4
cpus = "0-1"

disk = [
    "vdev=xvda, format=qcow2, target=/var/lib/xlpy/web.qcow2",
    "phy:/dev/vg0/swap,xvdb,w",
]
vif = ["bridge=xenbr0,mac=00:16:3e:00:00:01", "bridge=xenbr1"]

# How it ends
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "preserve"
on_watchdog = "destroy"

cpu_weight = 512
cap = 50
localtime = 1
nomigrate = 0
acpi = 1
"""
PV = 'name="n"\nkernel="/k"\n'
HVM = 'name="n"\ntype="hvm"\n'


def hostile_files() -> dict[str, str]:
    """Files of a megabyte that have been slow once, or could be."""
    return {
        "a list of all CPUs, again and again": PV + _filled("cpus='", "all,", "'\n"),
        "a list of CPUs for each of 32768 vcpus": PV
        + "maxvcpus=32768\ncpus=["
        + "".join([f"'0-511,^{n % 512},^{n // 64}'," for n in range(32768)])
        + "]\n",
        "registers of one CPUID leaf": PV + _filled("cpuid=['1:", f"eax={'x' * 32},", "']\n"),
        "unknown CPU features": PV + _filled("cpuid='host,", "tk=1,", "'\n"),
        "+= to a list": PV + "vif=[]\n" + _filled("", "vif+=['a']\n", ""),
        "+= to a string": PV + "extra=''\n" + _filled("", "extra+='xy'\n", ""),
        "unknown settings": PV + "".join([f"k{n}=1\n" for n in range(110_000)]),
        "short lines": PV + _filled("", "a=1\n", ""),
        "empty lines": PV + "\n" * SIZE,
        "bad lines": PV + _filled("", "a=@\n", ""),
        "one line": PV + _filled("", "a=1;", ""),
        "open strings": _filled("", "a='", ""),
        "escapes": PV + _filled("extra='", "\\n", "'\n"),
        "brackets": PV + "a=" + "[" * (SIZE // 2) + "]" * (SIZE // 2) + "\n",
        "bad network cards": PV + _filled("vif=[", "'bogus=1',", "]\n"),
        "disks": PV + _filled("disk=[", "'/x,raw,xvda',", "]\n"),
        "pieces of one disk": PV + _filled("disk=['", "discard,", "']\n"),
        "sound cards": PV + _filled("vsnd=[", "['CARD','PCM'],", "]\n"),
        "digits": PV + "memory=" + "9" * SIZE + "\n",
        "variables": "#xlpy: extended\n" + PV + _filled("extra='", "${a}", "'\n"),
    }


def _filled(begin: str, middle: str, end: str) -> str:
    return begin + middle * (SIZE // len(middle)) + end


def best_ms(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest of several calls; a refusal is a result like others."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        try:
            call()
        except ConfigError:
            pass
        best = min(best, time.perf_counter() - begin)
    return best * 1000


def import_ms() -> float:
    """What a fresh interpreter spends on importing the layer and reading one file, beyond its own start."""
    program = (
        "from xlpy.config.domain import parse_domain_config as p\np('name=\"n\"\\nkernel=\"/k\"\\n', 'f')"
    )

    def start(text: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-S", "-c", text], cwd=ROOT, check=True)

    return best_ms(start(program), 4 * ROUNDS) - best_ms(start("pass"), 4 * ROUNDS)


def main() -> int:
    rows = [("import and first file", import_ms(), IMPORT_MS)]
    rows.append(
        (
            "a file of 30 lines",
            best_ms(lambda: parse_domain_config(USUAL, "f", host=LARGE_HOST), 200),
            USUAL_MS,
        )
    )
    for what, text in hostile_files().items():
        calls: dict[str, Callable[[], object]] = {
            "read": lambda text=text: parse_domain_config(text, "f", host=LARGE_HOST),  # type: ignore[misc]
            "checked": lambda text=text: check_text(text, "f"),  # type: ignore[misc]
            "formatted": lambda text=text: formatted(text, "f"),  # type: ignore[misc]
        }
        took = {name: best_ms(call, 2) for name, call in calls.items()}
        slowest = max(took, key=lambda name: took[name])
        rows.append((f"{len(text) / SIZE:.1f} MB, {what} ({slowest})", took[slowest], HOSTILE_MS))
    for what, milliseconds, limit in rows:
        verdict = "" if milliseconds <= limit else "  OVER"
        print(f"{what:60} {milliseconds:9.2f} ms   at most {limit:6.0f}{verdict}")
    return int(any(milliseconds > limit for _, milliseconds, limit in rows))


if __name__ == "__main__":
    sys.exit(main())
