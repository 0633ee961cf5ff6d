"""vcpus and where they may run: CPU lists, vcpus, maxvcpus, cpus, cpus_soft, llc_colors."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, int32, scan_integer, strtoul
from xlpy.config.diagnostic import SpecError, command_line_error
from xlpy.config.draft import Draft
from xlpy.config.parser import Atom, Sequence
from xlpy.errors import ConfigError
from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    import collections.abc

    from xlpy.config.draft import HostFacts

MOST_VCPUS = 32768  # Xen's own limits are lower; libxl would only notice at creation
_MOST_COLORS = 65536
_UINT32_MAX = (1 << 32) - 1


def parse_cpu_list(
    text: str, bits: int, nodes: collections.abc.Sequence[collections.abc.Sequence[int]] = ()
) -> tuple[int, ...]:
    """The pcpus of a CPU list such as ``0-3,^1,node:0`` in ascending order (xl's parse_cpurange).

    ``bits`` is the length of the bitmap (HostFacts.cpu_bits), what is beyond it is dropped; ``nodes`` holds the
    pcpus of each NUMA node. Raises SpecError.
    """
    masks = tuple([sum([1 << cpu for cpu in node]) for node in nodes]) if "node" in text else ()
    return numbers_of(_cpu_mask(text, (1 << bits) - 1, masks))


def numbers_of(mask: int) -> tuple[int, ...]:
    """The numbers of the bits that are set."""
    return tuple([number for number, bit in enumerate(reversed(f"{mask:b}")) if bit == "1"])


def _cpu_mask(text: str, every: int, nodes: tuple[int, ...]) -> int:
    """The list as an integer, which keeps a long list of large ranges cheap."""
    found, offset = 0, 0
    for term in text.split(","):
        if term:
            found = _with_term(found, term, offset, every, nodes)
        offset += len(term) + 1
    return found


def _with_term(found: int, term: str, offset: int, every: int, nodes: tuple[int, ...]) -> int:
    rest = term.removeprefix("^")
    removes = len(rest) < len(term)
    by_node = False
    for prefix in ("node:", "nodes:"):
        if rest.startswith(prefix):
            rest, by_node = rest.removeprefix(prefix), True
            break
    if rest == "all":
        if removes:
            raise SpecError('can\'t combine "^" and "all"', offset, len(term))
        return every
    first, last = _parse_range(rest, term, offset)
    named = 0
    if by_node:
        for node in nodes[first : last + 1]:
            named |= node
    elif first < every.bit_length():
        named = (1 << min(last + 1, every.bit_length())) - (1 << first)
    named &= every
    return found & ~named if removes else found | named


def _parse_range(text: str, term: str, offset: int) -> tuple[int, int]:
    """``N`` or ``N-M``."""
    first, end = strtoul(text, 10)
    last = first
    good = end > 0 and first != ULONG_MAX
    if good and text[end : end + 1] == "-":
        text = text[end + 1 :]
        last, end = strtoul(text, 10)
        good = end > 0 and first <= last < ULONG_MAX
    if not good or end != len(text):
        raise SpecError(
            f"invalid pcpu range '{term:.40}'",
            offset,
            len(term),
            "terms are N, N-M, all, node:N, each after an optional ^",
        )
    return first, last


def vcpus(draft: Draft) -> None:
    """``vcpus`` online at start and the most there may be.

    Without ``vcpus`` both fields stay unset, which means one vcpu; so xl up to 4.20 prints it.
    """
    settings, build = draft.settings, draft.sections["b"]
    online = settings.integer("vcpus")
    if online is not None:
        if not 0 <= online <= MOST_VCPUS:
            raise settings.error(f"vcpus must be from 1 to {MOST_VCPUS}", "vcpus")
        build["avail_vcpus"] = tuple(range(online))
    most = settings.integer("maxvcpus")
    if most is not None:
        most = int32(most)
        if most > MOST_VCPUS:
            raise settings.error(f"maxvcpus must be at most {MOST_VCPUS}", "maxvcpus")
        if most != 0:
            build["max_vcpus"] = most


def fill_in(draft: Draft) -> None:
    """What of vcpus and memory is not given follows from the other."""
    build = draft.sections["b"]
    if "max_memkb" not in build and "target_memkb" in build:
        build["max_memkb"] = build["target_memkb"]
    online = len(build.get("avail_vcpus", ()))
    if "max_vcpus" not in build and online:
        build["max_vcpus"] = online
    if build.get("max_vcpus", 0) < online:
        raise draft.settings.error(
            f"maxvcpus is {build.get('max_vcpus', 0)}, less than vcpus, which is {online}",
            "maxvcpus" if "maxvcpus" in draft.settings else "vcpus",
        )
    if build.get("max_vcpus", 1) < 1:
        raise draft.settings.error("maxvcpus must be at least 1", "maxvcpus")


def hard_affinity(draft: Draft) -> None:
    """``cpus``: pcpus that the vcpus may run on."""
    _affinity(draft, "cpus", "vcpu_hard_affinity")


def soft_affinity(draft: Draft) -> None:
    """``cpus_soft``: pcpus that the vcpus run on by preference."""
    _affinity(draft, "cpus_soft", "vcpu_soft_affinity")


def _affinity(draft: Draft, key: str, field: str) -> None:
    """One mask for all vcpus, or a list with one for each. Without ``vcpus`` xl up to 4.20 reads no list at all."""
    settings, build = draft.settings, draft.sections["b"]
    most = build.get("max_vcpus", 1)
    sequence = settings.sequence(key, quiet=True)
    if sequence is not None:
        build["numa_placement"] = False
        try:
            masks = [_mask(draft, key, item) for item in sequence.items[:most]]
        except ConfigError as error:
            if "max_vcpus" in build:
                raise
            settings.warn("bad-affinity", f"{error.message}; {key} has no effect", sequence, error.hint)
            return
        lists = {mask: numbers_of(mask) for mask in masks}
        build[field] = tuple([lists[mask] for mask in masks])
        return
    atom = settings.atom(key)
    if atom is not None:
        build[field] = (numbers_of(_mask(draft, key, atom)),) * most
        if key == "cpus_soft":
            build["numa_placement"] = False


def _mask(draft: Draft, key: str, atom: Atom | Sequence) -> int:
    if not isinstance(atom, Atom):
        raise draft.settings.error(f"{key}: a list inside the list", atom, "write one CPU list for each vcpu")
    host = draft.host
    try:
        return _cpu_mask(atom.text, (1 << host.cpu_bits) - 1, draft.node_masks if "node" in atom.text else ())
    except SpecError as error:
        raise draft.settings.spec_error(key, atom, error) from error


def nodes_of(host: HostFacts) -> tuple[tuple[int, ...], ...]:
    """The pcpus of each NUMA node."""
    return tuple([host.cpus_of_node(node) for node in range(host.nr_nodes)])


def apply_global_masks(draft: Draft) -> None:
    """Narrow the hard affinity to xl.conf's masks (xl's apply_global_affinity_masks). None may end up empty."""
    conf, build = draft.conf, draft.sections["b"]
    type_mask = conf.pv_cpumask if draft.domain_type == DomainType.PV else conf.hvm_cpumask
    masks = [mask for mask in (conf.vm_cpumask, type_mask) if mask is not None]
    affinity = build.get("vcpu_hard_affinity", ())
    if not masks and not affinity:
        return
    host = draft.host
    if not affinity:
        affinity = (tuple(range(host.cpu_bits)),) * build.get("max_vcpus", 1)
    allowed = (1 << host.cpu_bits) - 1
    for mask in masks:
        try:
            allowed &= _cpu_mask(mask, allowed, draft.node_masks)
        except SpecError as error:
            raise command_line_error(error, mask, "xl.conf") from error
    if masks:
        left = {cpus: tuple([cpu for cpu in cpus if allowed >> cpu & 1]) for cpus in set(affinity)}
        affinity = tuple([left[cpus] for cpus in affinity])
    if all(affinity):
        build["vcpu_hard_affinity"] = affinity
    elif "max_vcpus" in build:
        raise draft.settings.error(
            "no pcpu is left for a vcpu to run on",
            "cpus" if "cpus" in draft.settings else "name",
            f"this host has pcpus 0-{host.max_cpu_id}",
        )
    else:
        build.pop("vcpu_hard_affinity", None)  # xl up to 4.20 looks at no affinity without vcpus


def llc_colors(draft: Draft) -> None:
    """A list of ``N`` or ``N-M``; what follows the numbers is ignored, as sscanf(3) does."""
    settings = draft.settings
    sequence = settings.sequence("llc_colors")
    if sequence is None:
        return
    colors: list[int] = []
    for item in sequence.items:
        if not isinstance(item, Atom):
            raise settings.error("llc_colors: not a list of numbers and ranges", item)
        first, end = scan_integer(item.text, 10)
        last, second_end = first, 0
        if end and item.text[end : end + 1] == "-":
            second, second_end = scan_integer(item.text[end + 1 :], 10)
            last = second if second_end else first
        if not end or not 0 <= first <= _UINT32_MAX or not 0 <= last <= _UINT32_MAX:
            raise settings.error(f"llc_colors: invalid range '{item.text:.40}'", item, "write N or N-M")
        if first > last:
            raise settings.error(f"llc_colors: the range '{item.text:.40}' runs backwards", item)
        if len(colors) + last - first >= _MOST_COLORS:
            raise settings.error(f"llc_colors: more than {_MOST_COLORS} colours", item)
        colors.extend(range(first, last + 1))
    draft.sections["b"]["llc_colors"] = tuple(colors)
