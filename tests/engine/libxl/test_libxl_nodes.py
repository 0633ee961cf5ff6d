"""Which NUMA nodes a domain prefers, from the bitmap that libxl fills."""

from __future__ import annotations

import ctypes
from typing import Any, cast

import pytest

from xlpy.engine.libxl.context import Context
from xlpy.engine.libxl.reading import LibxlReading


class Filling:
    """A context whose libxl_domain_get_nodeaffinity finds these nodes."""

    def __init__(self, nodes: tuple[int, ...]) -> None:
        self.nodes = nodes

    def call(self, function: str, domid: int, bitmap: Any) -> int:
        assert (function, domid) == ("domain_get_nodeaffinity", 7)
        size, place = bitmap._obj.size, bitmap._obj.map
        assert size * 8 >= 64, "Xen may have 64 nodes, and writes as many bits"
        ctypes.memmove(place, sum(1 << node for node in self.nodes).to_bytes(size, "little"), size)
        return 0


@pytest.mark.parametrize(
    ("nodes", "shown"), [((0, 1), None), ((1,), (1,)), ((0,), (0,)), (tuple(range(64)), None)]
)
def test_nodes_of_two(nodes: tuple[int, ...], shown: tuple[int, ...] | None) -> None:
    reading = LibxlReading.__new__(LibxlReading)
    reading._nodes = 2
    assert reading._node_affinity(cast(Context, Filling(nodes)), 7) == shown
