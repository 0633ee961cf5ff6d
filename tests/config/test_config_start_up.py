"""`create` imports the config layer on its fast path, so what that brings along is watched."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    *(
        "typing",
        "dataclasses",
        "inspect",
        "logging",
        "pathlib",
        "subprocess",
        "tempfile",
        "uuid",
        "shutil",
        "threading",
    ),
    *("contextlib", "difflib", "click", "yaml", "rich", "asyncio", "json", "argparse"),
)
PROGRAM = """
import sys
from xlpy.config.domain import parse_domain_config
parse_domain_config('name="n"\\nkernel="/k"\\nmemory=64\\ndisk=["/x,raw,xvda"]\\nvif=["bridge=b"]\\n', "f")
print(*sorted(sys.modules))
"""


def test_reading_a_usual_config_imports_nothing_heavy() -> None:
    command = [sys.executable, "-S", "-c", PROGRAM]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env={"PYTHONPATH": "."}
    )
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint(HEAVY)
    unused = {
        "vnuma",
        "cpuid",
        "cpuid_names",
        "pci",
        "usb",
        "vsnd",
        "shares",
        "platform",
        "display",
        "ranges",
    }
    assert loaded.isdisjoint({f"xlpy.config.{name}" for name in unused})
