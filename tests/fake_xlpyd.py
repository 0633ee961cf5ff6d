"""xlpyd over the fake engine, as a program: ``python fake_xlpyd.py --socket PATH ...``.

Its domains live as files in the run directory, so they outlive it as QEMU processes do.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from fake_engine import FakeEngine  # noqa: E402

from xlpy.agent.xlpyd import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(make_engine=lambda name, run_dir, state_dir: FakeEngine(Path(run_dir) / "fake")))
