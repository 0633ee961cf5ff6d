"""paramiko without its task runner: half of what the broker's start took."""

from __future__ import annotations

import subprocess
import sys

from source_tree import ROOT

PROBE = """
import sys
from xlpy.transport.ssh_library import paramiko
assert paramiko.Transport
print(*sorted({"asyncio", "invoke", "unittest"} & set(sys.modules)))
"""


def test_its_task_runner_is_left_out() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("\n", "")


def test_others_can_import_the_task_runner_still() -> None:
    probe = "import sys, xlpy.transport.ssh_library; print('invoke' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n"
