"""Model values in the shape of libxl's JSON, and back: what libxl's generated *_gen_json and *_parse_json agree on.

Fields come in the order of libxl's IDL, which is that of the model's records; what has libxl's default is left out; a
defbool is the string "True" or "False"; a union is a map named after its type. The annotation of a field says which of
these it is (see ``xlpy.model.domain_config``).
"""

from __future__ import annotations

import sys

from xlpy.errors import ProtocolError
from xlpy.model.choice import Choice
from xlpy.model.device_config import ChannelConfig, UsbdevConfig
from xlpy.model.domain import ActionOnShutdown
from xlpy.model.domain_config import CpuidPolicy, DomainBuildInfo, DomainConfig
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Fields = list[tuple[str, object]]
    R = TypeVar("R", bound=Record)

_UNPRINTED: tuple[object, ...] = ((), {}, ActionOnShutdown.DESTROY, "00000000-0000-0000-0000-000000000000")
_DEFBOOL = ("False", "True")
_TYPES = ("hvm", "pv", "pvh")


def libxl_fields(record: Record) -> Fields:
    """Names and values of what libxl prints of a record; the values may be records again."""
    if isinstance(record, DomainBuildInfo):
        return _build_info(record)
    if isinstance(record, ChannelConfig):
        return _channel(record)
    if isinstance(record, UsbdevConfig):
        return _usbdev(record)
    if isinstance(record, CpuidPolicy):
        return [("cpuid", record.cpuid), ("msr", record.msr)]
    return _plain(record)


def to_libxl(value: object) -> Any:
    """The value as JSON-ready maps and lists."""
    if isinstance(value, Record):
        return {name: to_libxl(field) for name, field in libxl_fields(value)}
    if isinstance(value, tuple):
        return [to_libxl(item) for item in value]
    if isinstance(value, dict):
        return {key: to_libxl(item) for key, item in value.items()}
    return value.value if isinstance(value, Choice) else value


def from_libxl(cls: type[R], value: object) -> R:
    """A record of what libxl printed; fields that the model doesn't have are left out. Raises ProtocolError."""
    if cls is CpuidPolicy and isinstance(value, list):  # up to Xen 4.17 it has no MSRs
        value = {"cpuid": value}
    if not isinstance(value, dict):
        raise ProtocolError(f"libxl's JSON has {value!r:.60} in place of a {cls.__name__}")
    fields: dict[str, Any] = {}
    if cls is DomainConfig:  # what libxl leaves out is its default, not that of config files
        fields.update(on_reboot=ActionOnShutdown.DESTROY, on_soft_reset=ActionOnShutdown.DESTROY)
    for key, item in value.items():
        name, _, variant = key.partition(".")
        if variant and cls is DomainBuildInfo:
            fields[variant] = _read(cls, cls.fields_.get(variant, ""), item)
        elif variant and isinstance(item, dict):  # a channel's connection, a USB device's type
            fields[name] = variant
            fields.update({inner: each for inner, each in item.items() if inner in cls.fields_})
        elif name in cls.fields_:
            fields[name] = _read(cls, cls.fields_[name], item)
    try:
        return cls(**fields)
    except TypeError as error:
        raise ProtocolError(f"libxl's JSON: {error}") from error


# -- to libxl


def _plain(record: Record) -> Fields:
    given = record.__dict__
    fields: Fields = []
    for name, annotation in record.fields_.items():
        value = given[name] if name in given else getattr(record, name)
        if value is None or value in _UNPRINTED:
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
        (f"type.{name}" if name in _TYPES else name, value)
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


# -- from libxl


def _read(cls: type[Record], annotation: str, value: object) -> Any:
    """A value for a field of this annotation."""
    annotation = annotation.replace(" | None", "")
    if annotation == "bool":
        return value in (True, "True")
    if annotation.startswith("tuple[") and isinstance(value, list):
        inner = annotation[6:].rpartition(", ...]")[0]
        return tuple(_read(cls, inner, item) for item in value)
    found = vars(sys.modules[cls.__module__]).get(annotation)
    if isinstance(found, type) and issubclass(found, Record):
        return from_libxl(found, value)
    if isinstance(found, type) and issubclass(found, Choice):
        return found(value)
    return value
