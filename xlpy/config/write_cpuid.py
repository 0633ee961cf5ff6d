"""The ``cpuid`` setting from a policy: a list of registers, or names where registers can't say it."""

from __future__ import annotations

from xlpy.config.cpuid_names import find_arch_cap, find_field, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.literal import Value
    from xlpy.model.domain_config import CpuidLeaf, CpuidPolicy

_REGISTERS = ("eax", "ebx", "ecx", "edx")


def cpuid_value(policy: CpuidPolicy) -> Value:
    """What ``cpuid`` must be. Registers of MSRs have names only, and one setting can't mix the two forms."""
    if not policy.msr:
        return tuple([_registers(leaf) for leaf in policy.cpuid])
    words = ["host"]
    for leaf in policy.cpuid:
        words += _named_bits(leaf)
    for entry in policy.msr:
        caps = [(name, bit) for name in names() if (bit := find_arch_cap(name)) is not None]
        said = [f"{name}={entry.policy[63 - bit]}" for name, bit in caps if entry.policy[63 - bit] != "x"]
        words += said or [f"{caps[0][0]}=x"]
    return ",".join(words)


def _registers(leaf: CpuidLeaf) -> str:
    subleaf = "" if leaf.subleaf is None else f",{leaf.subleaf:#x}"
    given = [f"{name}={bits}" for name in _REGISTERS if (bits := getattr(leaf, name)) is not None]
    return f"{leaf.leaf:#x}{subleaf}:{','.join(given)}"


def _named_bits(leaf: CpuidLeaf) -> list[str]:
    """``NAME=VALUE`` for each bit that isn't left as it is and has a name of its own; a bit may have several."""
    words: dict[tuple[str, int], str] = {}
    for name in names():
        place = find_field(name)
        if place is None or place[:2] != (leaf.leaf, leaf.subleaf) or place[4] != 1:
            continue
        bits = getattr(leaf, place[2])
        if bits is not None and (bits[31 - place[3]] != "x" or not bits.strip("x")):
            words[place[2], place[3]] = f"{name}={bits[31 - place[3]]}"
    return list(words.values())
