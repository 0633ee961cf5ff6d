"""Imports go one way: each layer names those it may use, and nothing else gets in."""

from __future__ import annotations

from pathlib import Path

import pytest
from source_tree import MODULES, imports_of, layer_of

MAY_IMPORT = {
    "__init__": set(),
    "errors": set(),
    "model": {"errors"},
    "config": {"errors", "model"},
    "render": {"errors", "model", "inventory"},
    "protocol": {"errors", "model"},
    "engine": {"errors", "model"},
    "relay": {"errors", "model", "protocol"},
    "agent": {"errors", "model", "protocol", "relay", "engine"},
    "inventory": {"errors", "model"},
    "transport": {"errors", "model", "protocol", "relay", "inventory"},
    "client": {"errors", "model", "protocol", "inventory", "transport"},
    "lab": {"errors", "model", "inventory"},
    "cli": {"errors", "model", "config", "render", "inventory", "client", "lab"},
    "bundle": set(),
    "__main__": {"errors", "cli", "bundle"},
}
# For the interface alone; the broker listens as xlpyd does; the lab asks the same probe whether KVM works.
ALSO = {
    "client": {"xlpy.engine.base", "xlpy.engine.operation"},
    "cli": {"xlpy.engine.base"},
    "lab": {"xlpy.engine.qemu.accelerator"},
    "transport": {"xlpy.agent.listener", "xlpy.agent.boot"},
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(path.parts[-2:]))
def test_imports_go_one_way(path: Path) -> None:
    layer = layer_of(path)
    assert layer in MAY_IMPORT, f"{path} is in no layer"
    for line, name in imports_of(path):
        top, _, rest = name.partition(".")
        if top != "xlpy" or not rest:
            continue
        other = rest.split(".")[0]
        allowed = other in MAY_IMPORT[layer] | {layer} or name in ALSO.get(layer, set())
        assert allowed, f"{path}:{line}: {layer} must not import {name}"


def test_every_layer_is_there() -> None:
    assert {layer_of(path) for path in MODULES} == set(MAY_IMPORT)
