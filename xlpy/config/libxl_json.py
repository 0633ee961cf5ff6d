"""A DomainConfig in libxl's JSON, byte for byte: libxl's generated *_gen_json functions printing through yajl.

Which fields are printed, and as what, is ``xlpy.model.libxl_form``'s; an empty map or list has an empty line inside.

The form is that of Xen 4.20: fields that came later are left out, as an xl of that version knows nothing of them.
"""

from __future__ import annotations

from xlpy.config.started import as_retrieved, as_started
from xlpy.model.choice import Choice
from xlpy.model.domain_config import DomainConfig
from xlpy.model.libxl_form import libxl_fields
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Fields = list[tuple[str, object]]

_LATER_FIELDS = frozenset(
    (
        *("altp2m_count", "trap_unmapped_accesses", "xenstore_feature_mask", "xenstore_quota"),
        *("xen_platform_pci_bar_uc", "arm_sci"),
    )
)
_INDENT = "    "
_ESCAPES = {
    **{chr(code): f"\\u{code:04X}" for code in range(32)},
    **{'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"},
}


def domain_json(config: DomainConfig) -> str:
    """What ``xl create -n`` prints. Like libxl's own texts, this and the others end with a newline."""
    return _text(config, "") + "\n"


def device_json(device: Record) -> str:
    """A device as ``xl -N`` prints it behind ``disk: `` (block-attach) or ``vif: ``, with a newline more."""
    return _text(device, "") + "\n"


def domain_entry_json(domid: int | None, config: DomainConfig) -> str:
    """What ``xl config-update -d`` prints of a config, with a domid of None."""
    return _entry(domid, config, "") + "\n"


def domain_list_json(domains: Iterable[tuple[int | None, DomainConfig]], retrieved: bool = False) -> str:
    """What ``xl list -l`` prints, with a newline more, for (domid, config) pairs.

    ``retrieved`` says that libxl has given the configs; another engine's lack what libxl adds when a domain starts.
    """
    return _list([_entry(domid, config, _INDENT, retrieved) for domid, config in domains], "") + "\n"


def _entry(domid: int | None, config: DomainConfig, indent: str, retrieved: bool = False) -> str:
    """A config with its domid; that of a started domain holds more than its file said, Domain-0's does not."""
    if domid:
        config = as_retrieved(config) if retrieved else as_started(config)
    return _map([("domid", domid), ("config", config)], indent)


def _text(value: object, indent: str) -> str:
    """A value in JSON; ``indent`` is that of the line it begins in."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Choice):
        return f'"{value.value}"'
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    if isinstance(value, Record):
        return _map(_fields(value), indent)
    if isinstance(value, dict):
        return _map(list(value.items()), indent)
    assert isinstance(value, tuple)
    return _list([_text(item, indent + _INDENT) for item in value], indent)


def _escaped(text: str) -> str:
    if '"' in text or "\\" in text or not text.isprintable():
        return "".join([_ESCAPES.get(character, character) for character in text])
    return text


def _map(fields: Fields, indent: str) -> str:
    inner = indent + _INDENT
    lines = [f'{inner}"{_escaped(name)}": {_text(value, inner)}' for name, value in fields]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _list(items: Sequence[str], indent: str) -> str:
    inner = indent + _INDENT
    return "[\n" + ",\n".join([inner + item for item in items]) + f"\n{indent}]"


def _fields(record: Record) -> Fields:
    """What Xen 4.20 prints of a record."""
    return [(name, value) for name, value in libxl_fields(record) if name not in _LATER_FIELDS]
