"""Devices of the host passed through: PCI functions (libxlu_pci.c), reserved memory, device tree nodes."""

from __future__ import annotations

from xlpy.config.cnumber import atoi, scanf_hex
from xlpy.config.diagnostic import SpecError, one_of
from xlpy.config.draft import Draft
from xlpy.model.device_config import DtdevConfig, PciConfig
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import RdmReserve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXIT_STATUS = 6  # libxl's ERROR_INVAL
POLICY_EXIT_STATUS = 3  # libxl's ERROR_FAIL
_FLAGS = ("permissive", "msitranslate", "seize", "power_mgmt")
_NAMES = ("bdf", "vslot", *_FLAGS, "rdm_policy", "name")
_POLICIES = ("strict", "relaxed")
_ALL_FUNCTIONS = (1 << 32) - 1
_ADDRESS_HINT = "write [DOMAIN:]BUS:DEV.FUNC in hexadecimal, such as 0000:01:00.0, with * for all functions"


def devices(draft: Draft) -> None:
    """The ``pci`` setting; the ``pci_*`` settings are what its entries begin with."""
    settings = draft.settings
    defaults: dict[str, Any] = {}
    for flag in _FLAGS:
        value = settings.integer(f"pci_{flag}")
        if value:
            defaults[flag] = True
    defaults["rdm_policy"] = _default_policy(draft)
    found = []
    for atom in settings.atoms("pci") or ():
        try:
            found.append(read_pci_spec(atom.text, defaults))
        except SpecError as error:
            raise settings.spec_error("pci", atom, error) from error
    if found:
        draft.sections["config"]["pcidevs"] = tuple(found)
        if draft.domain_type == DomainType.PV:
            draft.sections["pv"]["e820_host"] = True


def _default_policy(draft: Draft) -> str | None:
    """The policy of ``rdm``. xl takes it from the HVM part of a union: other guests find the value 0 there."""
    if draft.domain_type != DomainType.HVM:
        return "strict"
    rdm: RdmReserve | None = draft.sections["hvm"].get("rdm")
    return rdm.policy if rdm is not None else None


def read_pci_spec(text: str, defaults: dict[str, Any] | None = None) -> PciConfig:
    """The function that a spec describes: ``[BDF[@VSLOT]][,key=value...]``. Raises SpecError."""
    pci: dict[str, Any] = dict(defaults or {})
    position = _leading_address(pci, text)
    by_address, by_name = position > 0, False
    while position < len(text):
        comma = text.find(",", position)
        end = comma if comma >= 0 else len(text)
        key, equals, value = text[position:end].partition("=")
        at = position + len(key) + 1
        if not equals:
            hint = (
                _ADDRESS_HINT if position == 0 else f"write {key}=1" if key in _FLAGS else one_of(_NAMES, key)
            )
            raise SpecError(f"'{key:.40}' is no parameter", position, end - position, hint, EXIT_STATUS)
        if key == "bdf":
            _read_address(pci, value, at)
            by_address = True
        elif key == "vslot":
            _read_slot(pci, value, at)
        elif key in _FLAGS:
            pci[key] = atoi(value) != 0
        elif key == "rdm_policy":
            pci["rdm_policy"] = _policy(value, at)
        elif key == "name":
            pci["name"], by_name = value, True
        else:
            raise SpecError(
                f"unknown parameter '{key:.40}'", position, len(key), one_of(_NAMES, key), EXIT_STATUS
            )
        position = end + 1
    if by_address == by_name:
        problem = (
            "both an address and a name are given" if by_name else "neither an address nor a name is given"
        )
        raise SpecError(problem, 0, len(text), _ADDRESS_HINT, EXIT_STATUS)
    return PciConfig(**pci)


def read_pci_address(text: str) -> PciConfig:
    """The function of this address (xlu_pci_parse_bdf). Raises SpecError."""
    pci: dict[str, Any] = {}
    end = _read_address(pci, text, 0)
    if end < len(text):
        raise SpecError(
            f"unexpected '{text[end:]:.40}' behind the address", end, 1, _ADDRESS_HINT, EXIT_STATUS
        )
    return PciConfig(**pci)


def _policy(text: str, offset: int) -> str | None:
    if text.lower() not in (*_POLICIES, "invalid"):  # libxl's enum has a value of this name for unset
        hint = one_of(_POLICIES, text)
        raise SpecError(f"unknown rdm_policy '{text:.40}'", offset, len(text), hint, POLICY_EXIT_STATUS)
    return text.lower() if text.lower() in _POLICIES else None


def _leading_address(pci: dict[str, Any], text: str) -> int:
    """Read an address at the front with its slot; the offset behind it, or 0 if the spec begins otherwise."""
    trial = dict(pci)
    try:
        end = _read_address(trial, text, 0)
    except SpecError:
        return 0
    pci.update(trial)
    if text[end : end + 1] == "@":
        end = end + 1 + _read_slot(pci, text[end + 1 :], end + 1)
    if end < len(text):
        if text[end] != ",":
            raise SpecError(
                f"unexpected '{text[end:]:.40}' behind the address", end, 1, _ADDRESS_HINT, EXIT_STATUS
            )
        end += 1
    return end


def _read_address(pci: dict[str, Any], text: str, offset: int) -> int:
    """``[DOMAIN:]BUS:DEV.FUNC``; the offset behind it."""
    length = 0
    while length < len(text) and text[length] in "0123456789abcdefABCDEF:":
        length += 1
    colons = text.count(":", 0, length)
    numbers: list[int] = []
    position = 0
    for separator in ":::"[: colons if colons in (1, 2) else 0] + ".":
        value, end = scanf_hex(text[position : position + 40])
        position += end
        if not end or text[position : position + 1] != separator:
            raise SpecError(f"'{text:.40}' is no PCI address", offset, len(text), _ADDRESS_HINT, EXIT_STATUS)
        numbers.append(value & 0xFFFFFFFF)
        position += 1
    if len(numbers) < 2:
        raise SpecError(f"'{text:.40}' is no PCI address", offset, len(text), _ADDRESS_HINT, EXIT_STATUS)
    domain, bus, device = numbers if len(numbers) == 3 else (0, *numbers)
    function, mask, end = 0, _ALL_FUNCTIONS, 1
    if text[position : position + 1] != "*":
        function, end = scanf_hex(text[position : position + 40])
        mask = 1
    if not end or domain > 0xFFFF or bus > 0xFF or device > 0x1F or not 0 <= function <= 7:
        raise SpecError(
            f"the PCI address '{text:.40}' is out of range", offset, len(text), _ADDRESS_HINT, EXIT_STATUS
        )
    pci.update(domain=domain, bus=bus, dev=device, func=function, vfunc_mask=mask)
    return position + end


def _read_slot(pci: dict[str, Any], text: str, offset: int) -> int:
    """The slot the guest sees, 0 to 1f; the offset behind it."""
    value, end = scanf_hex(text[:40])
    if not end or not 0 <= value <= 0x1F:
        raise SpecError(f"'{text:.40}' is no slot", offset, len(text), "0 to 1f, hexadecimal", EXIT_STATUS)
    pci["vdevfn"] = value << 3
    return end


def reserved_memory(draft: Draft) -> None:
    """``strategy=host[,policy=...]``.

    A mistake in xl's parser drops the whole setting when the policy is a valid one, and takes it when not;
    here that only warns.
    """
    settings = draft.settings
    text = settings.string("rdm")
    if text is None:
        return
    strategy: str | None = None
    dropped = False
    for piece in text.split(","):
        key, equals, value = piece.partition("=")
        if key == "strategy" and value == "host":
            strategy = value
        elif key == "policy" and equals:
            dropped = dropped or value.lower() in (*_POLICIES, "invalid")
            settings.warn(
                "rdm", "rdm: xl makes nothing of policy=", "rdm", "use rdm_policy= of the pci entries"
            )
        else:
            settings.warn(
                "rdm",
                f"rdm: '{piece:.40}' is unknown; the setting has no effect",
                "rdm",
                "write strategy=host",
            )
            return
    if not dropped and strategy is not None and draft.domain_type == DomainType.HVM:
        draft.sections["hvm"]["rdm"] = RdmReserve(strategy=strategy)


def device_tree_nodes(draft: Draft) -> None:
    """Paths in the host's device tree."""
    texts = draft.settings.texts("dtdev")
    if texts:
        draft.sections["config"]["dtdevs"] = tuple([DtdevConfig(path=text) for text in texts])
