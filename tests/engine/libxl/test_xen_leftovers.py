"""What lives end leave nothing behind on a real Xen, however often; benchmarks/xen_rounds.py plays many more rounds."""

from __future__ import annotations

import os

import pytest
from xen_hosts import XenHost
from xen_rounds import play

pytestmark = pytest.mark.xen

CREATES = int(os.environ.get("XLPY_XEN_CREATES", "4"))
SAVES = int(os.environ.get("XLPY_XEN_SAVES", "2"))


@pytest.mark.parametrize(("life", "rounds"), [("create", CREATES), ("save", SAVES)])
def test_nothing_is_left(xen_host: XenHost, life: str, rounds: int) -> None:
    outcome = play(xen_host, life, rounds)
    assert outcome.added == []
    assert outcome.missing == []
    assert outcome.after["threads"] <= outcome.before["threads"]
