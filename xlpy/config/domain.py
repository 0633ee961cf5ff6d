"""A config text to a DomainConfig: what xl's parse_config_data does, driven by the table of keys."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, int32, uint32
from xlpy.config.cpus import apply_global_masks
from xlpy.config.diagnostic import SettingError
from xlpy.config.draft import Draft, HostFacts
from xlpy.config.keys import KEYS, known_names
from xlpy.config.settings import Settings
from xlpy.config.source import Source
from xlpy.config.xlconf import XlConf
from xlpy.errors import XlError
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import (
    ArmInfo,
    DomainBuildInfo,
    DomainConfig,
    DomainCreateInfo,
    DomainSchedParams,
    HvmInfo,
    PvhInfo,
    PvInfo,
    SdlInfo,
    SpiceInfo,
    VncInfo,
)
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from xlpy.config.diagnostic import Diagnostic
    from xlpy.config.keys import Row

_KIB_PER_MIB = 1024
_UNSET = 0xFFFFFFFF
_parts: dict[str, list[str]] = {}


class ParsedConfig(Record):
    """A config that can be used, and the settings it was read from.

    ``source`` is the text with the overrides, as xl would keep it; of an extended file what xl can read.
    """

    config: DomainConfig
    diagnostics: tuple[Diagnostic, ...]
    source: str
    settings: Settings


def decode_text(data: bytes) -> str:
    """The text of a config file. Bytes that aren't UTF-8 survive the way there and back, as in os.fsdecode."""
    return data.decode("utf-8", "surrogateescape")


def parse_domain_config(
    text: str | bytes,
    source: str,
    overrides: tuple[str, ...] = (),
    *,
    host: HostFacts | Callable[[], HostFacts] | None = None,
    conf: XlConf | None = None,
    variables: Mapping[str, str] | None = None,
    read_file: Callable[[str], bytes] | None = None,
) -> ParsedConfig:
    """The domain a config text describes, with what libxl has no opinion on left unset.

    ``source`` names the text in messages. ``overrides`` are the ``key=value`` arguments of ``xl create``; they
    are appended to the text as xl does. ``host`` may be a function: it is called when ``cpus=`` or ``vnuma=``
    needs it. ``conf`` is xl.conf. ``variables`` and ``read_file``, for what it includes, are for extended files.

    Raises ConfigError with xl's exit status for what xl refuses.
    """
    whole = open_source(text, source, overrides, variables, read_file)
    draft = Draft(Settings(whole), _host_function(host), conf or XlConf())
    for row in KEYS:
        _read_row(draft, row)
    config, diagnostics = _finish(draft)
    text = whole.text
    if whole.variables is not None:
        from xlpy.config.extended import plain_text

        text = plain_text(whole)
    return ParsedConfig(config=config, diagnostics=diagnostics, source=text, settings=draft.settings)


def check_domain_config(
    settings: Settings, host: HostFacts
) -> tuple[tuple[Diagnostic, ...], tuple[SettingError, ...]]:
    """Warnings and errors of a config's settings: unlike xl this goes on to the next setting behind an error."""
    draft = Draft(settings, lambda: host, XlConf())
    errors: list[SettingError] = []
    for row in KEYS:
        try:
            _read_row(draft, row)
        except SettingError as error:
            errors.append(error)
            if draft.domain_type is None and row[0] == "type":
                return tuple(settings.diagnostics), tuple(errors)
            if row[0] == "name":
                draft.sections["c"]["name"] = ""
    if not errors:
        try:
            _finish(draft)
        except SettingError as error:
            errors.append(error)
    settings.warn_unknown(known_names())
    return tuple(settings.diagnostics), tuple(errors)


def open_source(
    text: str | bytes,
    name: str,
    overrides: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
    read_file: Callable[[str], bytes] | None = None,
) -> Source:
    """The source of a config text, be it extended or not. Raises ConfigError for variables that have no place."""
    if isinstance(text, bytes):
        text = decode_text(text)
    if text.startswith("#xlpy:"):
        from xlpy.config.extended import extended_source, is_extended

        if is_extended(text):
            read = None if read_file is None else lambda path: decode_text(read_file(path))
            return extended_source(name, text, overrides, variables or {}, read)
    if variables:
        raise SettingError(
            "extended",
            "variables are for extended files only",
            "its first line must be '#xlpy: extended'",
            where=name,
        )
    return Source(name, text, overrides)


def _read_row(draft: Draft, row: Row) -> None:
    """Read one setting, if it is given and there for this type of domain."""
    name, how, target, types, *_ = row
    if how == "part" or (types and types != draft.domain_type):
        return
    if how == "step" or name in draft.settings or (how == "call" and _part_given(name, draft.settings)):
        _read(draft, name, how, target)


def _host_function(host: HostFacts | Callable[[], HostFacts] | None) -> Callable[[], HostFacts]:
    if host is None:
        return _no_host
    if isinstance(host, HostFacts):
        facts = host
        return lambda: facts
    return host


def _no_host() -> HostFacts:
    raise XlError("this config depends on the host's CPUs, and no host is known")


def _part_given(name: str, settings: Settings) -> bool:
    """Whether any of the settings that are read together with this one is given."""
    if not _parts:
        for part, how, whole, *_ in KEYS:
            if how == "part":
                _parts.setdefault(whole, []).append(part)
    return any(part in settings for part in _parts.get(name, ()))


def _read(draft: Draft, name: str, how: str, target: str) -> None:
    settings = draft.settings
    if how in ("call", "step", "again"):
        module, _, function = target.partition(":")
        _function(module, function)(draft)
        return
    if how == "ignored":
        settings.warn("ignored-key", f"{name} has no effect", name, target)
        return
    value: object
    if how == "string":
        value = settings.string(name)
    elif how == "bool":
        value = settings.boolean(name)
    elif how == "strings":
        value = settings.texts(name)
        if value is None:
            raise settings.error(f"{name} must be a list", name, f'write {name} = [ "..." ]', exit_status=3)
    else:
        value = _number(settings.integer(name), how)
    if value is not None:
        section, _, field = target.partition(".")
        draft.sections[section][field] = value


def _number(value: int | None, how: str) -> int | None:
    """A number as it arrives in libxl's field; in some fields -1 stands for unset."""
    if value is None:
        return None
    if how == "mib":
        return value * _KIB_PER_MIB & ULONG_MAX
    if how == "int":
        return int32(value)
    if how == "uint32":
        return uint32(value)
    if uint32(value) == _UNSET:
        return None
    return uint32(value) if how == "mask" else int32(value)


def _function(module: str, function: str) -> Callable[[Draft], None]:
    import sys

    name = f"xlpy.config.{module}"
    loaded = sys.modules.get(name)
    if loaded is None:
        __import__(name)
        loaded = sys.modules[name]
    found: Callable[[Draft], None] = getattr(loaded, function)
    return found


def _finish(draft: Draft) -> tuple[DomainConfig, tuple[Diagnostic, ...]]:
    """What came out, and what was to be said about it."""
    apply_global_masks(draft)
    draft.settings.warn_unknown(known_names())
    sections = draft.sections
    build: dict[str, Any] = sections["b"]
    build["sched_params"] = DomainSchedParams(**sections["sched"])
    if sections["arm"]:
        build["arch_arm"] = ArmInfo(**sections["arm"])
    if draft.domain_type == DomainType.HVM:
        build["hvm"] = HvmInfo(
            vnc=VncInfo(**sections["vnc"]),
            sdl=SdlInfo(**sections["sdl"]),
            spice=SpiceInfo(**sections["spice"]),
            **sections["hvm"],
        )
    elif draft.domain_type == DomainType.PVH:
        build["pvh"] = PvhInfo(**sections["pvh"])
    else:
        build["pv"] = PvInfo(**sections["pv"])
    config = DomainConfig(
        c_info=DomainCreateInfo(**sections["c"]), b_info=DomainBuildInfo(**build), **sections["config"]
    )
    return config, tuple(draft.settings.diagnostics)
