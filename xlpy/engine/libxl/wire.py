"""A DomainConfig as the libxl of this host takes it: what that version knows nothing of is refused, never dropped."""

from __future__ import annotations

from xlpy.errors import NotSupported
from xlpy.model.libxl_form import to_libxl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xlpy.engine.libxl.context import Context, Struct
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.record import Record

_CPUID_IN_A_MAP_SINCE = 18
# libxl's own reading moves these to where newer versions keep them (copy_deprecated_fn), so they don't come back.
_MOVED = frozenset({"apic", "acpi", "timer_mode", "nested_hvm", "altp2m"})


def domain_config(context: Context, config: DomainConfig) -> Struct:
    """A libxl_domain_config in memory (``with``). Raises NotSupported for what this libxl has no field for."""
    wire = to_libxl(config)
    b_info = wire["b_info"]
    if "cpuid" in b_info and context.library.minor < _CPUID_IN_A_MAP_SINCE:
        b_info["cpuid"] = _cpuid_list(b_info["cpuid"], context)
    return _checked(context, "domain_config", wire)


def device(context: Context, structure: str, config: Record) -> Struct:
    """A device in memory (``with``), by the name of its structure. Raises NotSupported."""
    return _checked(context, structure, to_libxl(config))


def _checked(context: Context, structure: str, wire: dict[str, Any]) -> Struct:
    struct = context.new(structure, wire)
    lost = sorted(set(_paths(wire)) - set(_paths(struct.json())))
    if lost:
        struct.dispose()
        raise NotSupported(
            f"the libxl of Xen 4.{context.library.minor} knows nothing of {', '.join(lost)}",
            "take it out of the configuration, or use a newer Xen",
        )
    return struct


def _cpuid_list(policy: dict[str, Any], context: Context) -> list[object]:
    if policy.get("msr"):
        raise NotSupported(
            f"the libxl of Xen 4.{context.library.minor} knows no MSRs in a CPUID policy",
            "that came with Xen 4.18",
        )
    leaves: list[object] = policy.get("cpuid", [])
    return leaves


def _paths(value: object, prefix: str = "") -> Iterator[str]:
    """The names of all fields that say something; elements of lists are one like the other."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in _MOVED:
                yield from _paths(item, f"{prefix}.{name}" if prefix else name)
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, prefix)
    else:
        yield prefix
