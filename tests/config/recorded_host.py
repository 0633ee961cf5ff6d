"""The host on which the recordings in tests/data/config were made."""

from __future__ import annotations

from xlpy.config.draft import HostFacts

RECORDED_HOST = HostFacts(nr_cpus=2, max_cpu_id=1, nr_nodes=1)
