"""CPU features: ``cpuid=`` as a string of names, or as a list of registers in xend's form (libxl_cpuid.c).

Whatever is wrong is only warned about, as in xl: a guest must not fail to start for a feature it won't miss.
"""

from __future__ import annotations

from xlpy.config.cnumber import scan_integer, strtoul, uint32
from xlpy.config.diagnostic import perhaps
from xlpy.config.draft import Draft
from xlpy.config.parser import Atom
from xlpy.model.domain_config import CpuidLeaf, CpuidMsr, CpuidPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.cpuid_names import Place
    from xlpy.config.diagnostic import WordHint

_BITS = 32
_ANY = "x" * _BITS
_NO_SUBLEAF = 0xFFFFFFFF
_REGISTERS = ("eax", "ebx", "ecx", "edx")
_FLAG_HINT = "0, 1, x (default), k (keep) or s (keep)"


def cpuid(draft: Draft) -> None:
    """The ``cpuid`` setting."""
    settings = draft.settings
    policy = _Policy()
    atoms = settings.atoms("cpuid", quiet=True)
    if atoms is not None:
        for atom in atoms:
            _read_registers(draft, policy, atom)
    else:
        single = settings.atom("cpuid")
        if single is not None:
            _read_names(draft, policy, single)
    if policy.leaves or policy.msr is not None:
        draft.sections["b"]["cpuid"] = policy.record()


class _Policy:
    """Leaves in the order in which they were first named; a register is a list of 32 characters."""

    def __init__(self) -> None:
        self.leaves: dict[tuple[int, int | None], dict[str, list[str]]] = {}
        self.msr: list[str] | None = None
        self.msr_index = 0

    def registers(self, leaf: int, subleaf: int | None) -> dict[str, list[str]]:
        """The registers of a leaf that have a policy."""
        return self.leaves.setdefault((leaf, subleaf), {})

    def record(self) -> CpuidPolicy:
        """The policy as libxl has it."""
        leaves = [
            CpuidLeaf(leaf=leaf, subleaf=subleaf, **{name: "".join(bits) for name, bits in registers.items()})
            for (leaf, subleaf), registers in self.leaves.items()
        ]
        msr = () if self.msr is None else (CpuidMsr(index=self.msr_index, policy="".join(self.msr)),)
        return CpuidPolicy(cpuid=tuple(leaves), msr=msr)


def _read_names(draft: Draft, policy: _Policy, atom: Atom) -> None:
    """``host,NAME=VALUE,...``."""
    offset, first = 0, True
    for word in atom.text.split(","):
        if word and first:
            first = False
            if word != "host":
                draft.settings.warn_in(
                    "cpuid",
                    "cpuid: the first word must be 'host'; the setting has no effect",
                    atom,
                    offset,
                    len(word),
                )
                return
        elif word:
            _read_flag(draft, policy, atom, offset, word)
        offset += len(word) + 1


def _read_flag(draft: Draft, policy: _Policy, atom: Atom, offset: int, word: str) -> None:
    from xlpy.config.cpuid_names import ARCH_CAPS_MSR, find_arch_cap, find_field, names

    name, equals, value = word.partition("=")
    problem: str | None = None
    hint: str | WordHint | None = None
    if not equals:
        problem, hint = f"'{word:.40}' has no value", f"write {word:.40}=..."
    else:
        field = find_field(name)
        arch_cap = find_arch_cap(name) if field is None else None
        if field is not None:
            good = _set_field(policy, name, field, value)
        elif arch_cap is not None:
            policy.msr_index = ARCH_CAPS_MSR
            policy.msr = policy.msr or ["x"] * 64
            good = len(value) == 1 and value in "01xks"
            if good:
                policy.msr[63 - arch_cap] = value.replace("s", "k")
        else:
            good = True
            problem, hint = f"unknown flag '{name:.40}'", perhaps(names(), name)
        if not good:
            problem, hint = f"'{value:.40}' is no value for {name}", _FLAG_HINT
    if problem is not None:
        draft.settings.warn_in("cpuid", f"cpuid: {problem}; it has no effect", atom, offset, len(word), hint)


def _set_field(policy: _Policy, name: str, field: Place, value: str) -> bool:
    """Put a value into its place; whether it is one. The leaf is there even if it isn't."""
    leaf, subleaf, register, low, length = field
    registers = policy.registers(leaf, subleaf)
    number, end = strtoul(value)
    if end:
        bits = [str(number >> place & 1) for place in reversed(range(length))]
    elif value[:1] in ("x", "k", "s"):
        bits, number = [value[0]] * length, 0
    else:
        return False
    target = registers.setdefault(register, list(_ANY))
    if name == "family":
        _set_family(target, bits, number)
    elif name == "model":
        target[12:16], target[24:28] = bits[:4], bits[4:]
    else:
        target[32 - length - low : 32 - low] = bits
    return True


def _set_family(target: list[str], bits: list[str], number: int) -> None:
    """Families beyond 15 go on in a second field of eight bits, of which libxl fills seven."""
    extended = ["0"] * 8
    if number >= 16:
        beyond = number - 15
        extended = [bits[0], *[str(beyond >> place & 1) for place in reversed(range(7))]]
        target[20:24] = list("1111")
    else:
        target[20:24] = bits[4:]
    target[4:12] = extended


def _read_registers(draft: Draft, policy: _Policy, atom: Atom) -> None:
    """``LEAF[,SUBLEAF]:eax=...,ebx=...`` with 32 characters per register."""
    problem = _take_registers(policy, atom.text)
    if problem is not None:
        draft.settings.warn_in(
            "cpuid", f"cpuid: {problem}", atom, 0, len(atom.text), "LEAF[,SUBLEAF]:eax=32 of 01xks,..."
        )


def _take_registers(policy: _Policy, text: str) -> str | None:
    """What is wrong, or None. Registers before the bad one stay set."""
    leaf, end = _unsigned(text)
    if not end:
        return f"'{text:.40}' does not begin with the number of a leaf"
    subleaf: int | None = None
    text = text[end:]
    if text.startswith(","):
        subleaf, end = _unsigned(text[1:])
        if not end:
            return "illegal number of a subleaf"
        text = text[1 + end :]
    if not text.startswith(":"):
        return "there is no colon behind the leaf"
    registers = policy.registers(leaf, None if subleaf == _NO_SUBLEAF else subleaf)
    position = 1
    while position < len(text):
        equals = text.find("=", position)
        name = text[position : equals if equals >= 0 else len(text)]
        register = name[:3]
        if register not in _REGISTERS or equals < 0:
            return f"'{name:.40}' is no register (eax, ebx, ecx, edx)"
        comma = text.find(",", equals)
        end = comma if comma >= 0 else len(text)
        if end - equals - 1 != _BITS:
            return f"{register} must have exactly {_BITS} characters"
        registers[register] = list(text[equals + 1 : end])
        position = end + 1
        while text[position : position + 1] in (" ", "\n"):
            position += 1
    return None


def _unsigned(text: str) -> tuple[int, int]:
    value, end = scan_integer(text)
    return uint32(value), end
