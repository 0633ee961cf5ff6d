"""A DomainConfig in libxl's JSON, byte for byte: libxl's generated *_gen_json functions printing through yajl.

Fields come in the order of libxl's IDL, which is that of the model's records; what has libxl's default is left
out; a defbool is the string "True" or "False"; an empty map or list has an empty line inside. The annotation of
a field says which of these it is (see ``xlpy.model.domain_config``).

The form is that of Xen 4.20: fields that came later are left out, as an xl of that version knows nothing of them.
"""

from __future__ import annotations

from xlpy.config.started import as_started
from xlpy.model.choice import Choice
from xlpy.model.device_config import ChannelConfig, UsbdevConfig
from xlpy.model.domain import ActionOnShutdown
from xlpy.model.domain_config import CpuidPolicy, DomainBuildInfo, DomainConfig
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
_UNPRINTED: tuple[object, ...] = ((), {}, ActionOnShutdown.DESTROY, "00000000-0000-0000-0000-000000000000")
_DEFBOOL = ("False", "True")
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


def domain_list_json(domains: Iterable[tuple[int | None, DomainConfig]]) -> str:
    """What ``xl list -l`` prints, with a newline more, for (domid, config) pairs."""
    return _list([_entry(domid, config, _INDENT) for domid, config in domains], "") + "\n"


def _entry(domid: int | None, config: DomainConfig, indent: str) -> str:
    """A config with its domid; that of a started domain holds more than its file said, Domain-0's does not."""
    if domid:
        config = as_started(config)
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
    """Names and values of what is printed of a record."""
    if isinstance(record, DomainBuildInfo):
        return _build_info(record)
    if isinstance(record, ChannelConfig):
        return _channel(record)
    if isinstance(record, UsbdevConfig):
        return _usbdev(record)
    if isinstance(record, CpuidPolicy):
        return [("cpuid", record.cpuid), ("msr", record.msr)]
    return _plain(record)


def _plain(record: Record) -> Fields:
    given = record.__dict__
    fields: Fields = []
    for name, annotation in record.fields_.items():
        value = given[name] if name in given else getattr(record, name)
        if value is None or value in _UNPRINTED or name in _LATER_FIELDS:
            continue
        if isinstance(value, bool):
            if annotation == "bool | None":
                fields.append((name, _DEFBOOL[value]))
            elif value:
                fields.append((name, True))
        elif value != 0 or annotation != "int" or name in record.required_:
            fields.append((name, value))
    return fields


def _build_info(info: DomainBuildInfo) -> Fields:
    """libxl_domain_build_info, whose union is a map named after the type.

    Where the config gives no number of vcpus, xl up to 4.20 prints neither it nor what depends on it.
    """
    depends_on_vcpus = ("max_vcpus", "vcpu_hard_affinity", "vcpu_soft_affinity")
    without = () if "max_vcpus" in info.__dict__ else depends_on_vcpus
    return [
        (f"type.{name}" if name in ("hvm", "pv", "pvh") else name, value)
        for name, value in _plain(info)
        if name not in without
    ]


def _channel(channel: ChannelConfig) -> Fields:
    fields = [field for field in _plain(channel) if field[0] not in ("connection", "path")]
    fields.append(
        (f"connection.{channel.connection}", {} if channel.path is None else {"path": channel.path})
    )
    return fields


def _usbdev(device: UsbdevConfig) -> Fields:
    fields = [field for field in _plain(device) if field[0] in ("ctrl", "port")]
    if device.type is not None:
        numbers = (("hostbus", device.hostbus), ("hostaddr", device.hostaddr))
        fields.append((f"type.{device.type}", {name: number for name, number in numbers if number}))
    return fields
