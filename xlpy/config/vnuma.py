"""Virtual NUMA nodes: ``vnuma=``, a list of nodes, each a list of ``key=value`` strings."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, strtoul, uint32
from xlpy.config.cpus import MOST_VCPUS
from xlpy.config.diagnostic import perhaps
from xlpy.config.draft import Draft
from xlpy.config.parser import Atom, Sequence
from xlpy.model.domain_config import VnodeInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.config.settings import Settings

_NAMES = ("pnode", "size", "vcpus", "vdistances")
_BLANKS = " \t\n\v\f\r"
_BITS_PER_BYTE = 8
_MOST_NODES = 1024  # each has its distance to all others


class _Totals:
    """What the nodes add up to."""

    def __init__(self, vcpu_bits: int, nodes: int) -> None:
        self.vcpu_bits = vcpu_bits
        self.nodes = nodes
        self.vcpus = 0
        self.memory_kib = 0


def vnuma(draft: Draft) -> None:
    """The nodes; ``maxvcpus`` and ``maxmem`` must agree with them, or follow from them."""
    settings, build = draft.settings, draft.sections["b"]
    sequence = settings.sequence("vnuma", quiet=True)
    if sequence is None or not sequence.items:
        return
    if len(sequence.items) > _MOST_NODES:
        raise settings.error(f"vnuma: more than {_MOST_NODES} nodes", "vnuma")
    most = build.get("max_vcpus") or draft.host.max_cpu_id + 1
    totals = _Totals(-(-most // _BITS_PER_BYTE) * _BITS_PER_BYTE, len(sequence.items))
    nodes = []
    for item in sequence.items:
        if not isinstance(item, Sequence):
            raise settings.error(
                "vnuma: a node must be a list",
                item,
                'write vnuma = [ [ "pnode=0", "size=512", "vcpus=0-1" ] ]',
            )
        nodes.append(_read_node(draft, item, totals))
    build["vnuma_nodes"] = tuple(nodes)
    _settle_vcpus(draft, totals)
    given_kib = build.get("max_memkb")
    if given_kib is not None and given_kib != totals.memory_kib:
        raise settings.error(
            f"vnuma: the sizes add up to {totals.memory_kib // 1024} MiB, but maxmem is {given_kib // 1024}",
            "vnuma",
        )
    build["max_memkb"] = totals.memory_kib


def _settle_vcpus(draft: Draft, totals: _Totals) -> None:
    settings, build = draft.settings, draft.sections["b"]
    given = build.get("max_vcpus")
    if given is None:
        if totals.vcpus > draft.host.nr_cpus:
            raise settings.error(
                f"vnuma: {totals.vcpus} vcpus are more than the host has pcpus",
                "vnuma",
                f"add maxvcpus = {totals.vcpus} if that is meant",
            )
        if totals.vcpus:
            build["max_vcpus"] = totals.vcpus
    elif given != totals.vcpus:
        raise settings.error(f"vnuma: the nodes have {totals.vcpus} vcpus, but maxvcpus is {given}", "vnuma")


def _read_node(draft: Draft, sequence: Sequence, totals: _Totals) -> VnodeInfo:
    settings = draft.settings
    node: dict[str, Any] = {"distances": (0,) * totals.nodes}
    vcpus: set[int] = set()
    for item in sequence.items:
        if not isinstance(item, Atom):
            continue
        key, equals, value = item.text.partition("=")
        key, text = key.strip(_BLANKS), value.strip(_BLANKS)
        if not equals or not value:
            raise settings.error(f"vnuma: '{item.text:.40}' has no value", item, "write key=value")
        if key == "pnode":
            node["pnode"] = _number(settings, item, text)
            if node["pnode"] >= draft.host.nr_nodes:
                raise settings.error(f"vnuma: the host has no NUMA node {node['pnode']}", item)
            draft.sections["b"]["numa_placement"] = False
        elif key == "size":
            node["memkb"] = _number(settings, item, text) << 10 & ULONG_MAX
            totals.memory_kib = totals.memory_kib + node["memkb"] & ULONG_MAX
        elif key == "vcpus":
            for first, last in _ranges(settings, item, text):
                totals.vcpus += last - first + 1
                if totals.vcpus > MOST_VCPUS:
                    raise settings.error(f"vnuma: more than {MOST_VCPUS} vcpus", item)
                vcpus.update(range(first, min(last, totals.vcpu_bits - 1) + 1))
        elif key == "vdistances":
            given = _distances(settings, item, text, totals.nodes)
            node["distances"] = given + node["distances"][len(given) :]
        else:
            message = f"vnuma: unknown parameter '{key:.40}' has no effect"
            settings.warn("vnuma-piece", message, item, perhaps(_NAMES, key))
    return VnodeInfo(vcpus=tuple(sorted(vcpus)), **node)


def _number(settings: Settings, item: Atom, text: str) -> int:
    value, end = strtoul(text, 10)
    if not end or value == ULONG_MAX:
        raise settings.error(f"vnuma: '{text:.40}' is no number", item)
    return value


def _ranges(settings: Settings, item: Atom, text: str) -> list[tuple[int, int]]:
    """``N`` and ``N-M`` separated by commas. xl goes on with whatever it got from a bad one; this refuses."""
    ranges = []
    for term in text.split(","):
        if not term:
            continue
        first, end = strtoul(term, 10)
        last = first
        good = end > 0
        if good and term[end : end + 1] == "-":
            rest = term[end + 1 :]
            last, rest_end = strtoul(rest, 10)
            good, end = rest_end > 0 and first <= last, end + 1 + rest_end
        if not good or end != len(term) or last >> 31:
            raise settings.error(f"vnuma: invalid vcpu range '{term:.40}'", item, "write N or N-M")
        ranges.append((first, last))
    if not ranges:
        raise settings.error("vnuma: vcpus is empty", item, "write N or N-M")
    return ranges


def _distances(settings: Settings, item: Atom, text: str, nodes: int) -> tuple[int, ...]:
    """The distances to the first nodes; surplus ones (xl writes past its array) are dropped."""
    distances = [uint32(_number(settings, item, term)) for term in text.split(",") if term]
    if not distances:
        raise settings.error("vnuma: vdistances is empty", item)
    if len(distances) > nodes:
        settings.warn("vnuma-piece", f"vnuma: {len(distances)} distances for {nodes} nodes", item)
    return tuple(distances[:nodes])
