"""What guests share with their host or each other: 9pfs, vTPMs, pvcalls, channels, virtio devices."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, int32, strtoul
from xlpy.config.diagnostic import SpecError, one_of
from xlpy.config.draft import Draft
from xlpy.config.identity import parse_uuid
from xlpy.config.pieces import comma_pieces
from xlpy.model.device_config import ChannelConfig, P9Config, PvcallsConfig, VirtioConfig, VtpmConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from xlpy.config.parser import Atom

    T = TypeVar("T")

LOG_DIR = "/var/log/xen"
_BLANKS = " \t\n\v\f\r"
_P9_TYPES = ("qemu", "xen_9pfsd")
_P9_STRINGS = {"security_model": "security_model", "path": "path", "tag": "tag", "backend": "backend_domname"}
_P9_NUMBERS = ("max-files", "max-open-files", "max-space")
_P9_NAMES = (*_P9_STRINGS, "type", *_P9_NUMBERS, "auto-delete")
_CHANNEL_NAMES = ("backend", "name", "path", "connection")


def _each(draft: Draft, key: str, field: str, read: Callable[[Draft, Atom, int], T]) -> None:
    """Read every spec of a setting; ``read`` gets its number, too."""
    found: list[T] = []
    for atom in draft.settings.atoms(key) or ():
        try:
            found.append(read(draft, atom, len(found)))
        except SpecError as error:
            raise draft.settings.spec_error(key, atom, error) from error
    if found:
        draft.sections["config"][field] = tuple(found)


def _pairs(text: str) -> Iterator[tuple[int, str, str]]:
    """(offset, key, value) of ``key=value`` pieces, without blanks around (split_string_into_pair)."""
    if not text.strip(","):  # xl crashes
        raise SpecError("the spec is empty")
    offset = 0
    for piece in text.split(","):
        if piece:
            key, equals, value = piece.partition("=")
            if not equals or not value:
                raise SpecError(f"'{piece:.40}' has no value", offset, len(piece), "write key=value")
            yield offset, key.strip(_BLANKS), value.strip(_BLANKS)
        offset += len(piece) + 1


def p9(draft: Draft) -> None:
    """9pfs shares. They have no devid of their own before libxl gives them one."""
    _each(draft, "p9", "p9s", _read_p9)


def _read_p9(draft: Draft, atom: Atom, _number: int) -> P9Config:
    share: dict[str, Any] = {}
    for offset, key, value in _pairs(atom.text):
        if key in _P9_STRINGS:
            share[_P9_STRINGS[key]] = value
        elif key == "type":
            if value.lower() not in (*_P9_TYPES, "unknown"):
                raise SpecError(f"unknown type '{value:.40}'", offset, len(value), one_of(_P9_TYPES, value))
            share["type"] = value.lower() if value.lower() in _P9_TYPES else None
        elif key in _P9_NUMBERS:
            size, end = strtoul(value, 10)
            if not end or size == ULONG_MAX:
                raise SpecError(f"{key}: '{value:.40}' is no number", offset, len(key))
            share[key.replace("-", "_")] = int32(size)
        elif key == "auto-delete":
            share["auto_delete"] = strtoul(value)[0] != 0
        else:
            raise SpecError(f"unknown parameter '{key:.40}'", offset, len(key), one_of(_P9_NAMES, key))
    if share.get("type") == "xen_9pfsd" and "path" not in share:
        share["path"] = f"{LOG_DIR}/guests/{draft.sections['c']['name']}"
    return P9Config(**share)


def vtpm(draft: Draft) -> None:
    """Virtual TPMs; each needs the domain that serves it."""
    _each(draft, "vtpm", "vtpms", _read_vtpm)


def _read_vtpm(draft: Draft, atom: Atom, number: int) -> VtpmConfig:
    tpm: dict[str, Any] = {"devid": number}
    for offset, piece in comma_pieces(atom.text):
        key, equals, value = piece.partition("=")
        if not equals:
            draft.settings.warn_in("piece", f"vtpm: '{piece:.40}' ends the spec", atom, offset, len(piece))
            break
        if key == "backend":
            tpm["backend_domname"] = value
        elif key == "uuid":
            tpm["uuid"] = parse_uuid(value)
            if tpm["uuid"] is None:
                raise SpecError(f"'{value:.60}' is no UUID", offset + len(key) + 1, len(value))
        else:
            raise SpecError(
                f"unknown parameter '{key:.40}'", offset, len(key), one_of(("backend", "uuid"), key)
            )
    if "backend_domname" not in tpm:
        raise SpecError("no backend is given", 0, 1, "add backend=DOMAIN")
    return VtpmConfig(**tpm)


def pvcalls(draft: Draft) -> None:
    """Interfaces that pass socket calls to another domain."""
    _each(draft, "pvcalls", "pvcallsifs", _read_pvcalls)


def _read_pvcalls(draft: Draft, atom: Atom, number: int) -> PvcallsConfig:
    backend = None
    for offset, piece in comma_pieces(atom.text):
        key, equals, value = piece.partition("=")
        if not equals:
            draft.settings.warn_in("piece", f"pvcalls: '{piece:.40}' ends the spec", atom, offset, len(piece))
            break
        if key != "backend":
            raise SpecError(f"unknown parameter '{key:.40}'", offset, len(key), "write backend=DOMAIN")
        backend = value
    return PvcallsConfig(backend_domname=backend, devid=number)


def channels(draft: Draft) -> None:
    """Channels between guest and host. They have no devid of their own before libxl gives them one."""
    _each(draft, "channel", "channels", _read_channel)


def _read_channel(draft: Draft, atom: Atom, number: int) -> ChannelConfig:
    given: dict[str, str] = {}
    for offset, key, value in _pairs(atom.text):
        if key not in _CHANNEL_NAMES:
            draft.settings.warn_in(
                "piece",
                f"channel: unknown parameter '{key:.40}' has no effect",
                atom,
                offset,
                len(key),
                one_of(_CHANNEL_NAMES, key),
            )
        elif key == "connection" and value not in ("pty", "socket"):
            hint = one_of(("pty", "socket"), value.lower())
            raise SpecError(f"unknown connection '{value:.40}'", offset, len(key) + 1 + len(value), hint)
        else:
            given[key] = value
    if "connection" not in given:
        raise SpecError("no connection is given", 0, 1, "add connection=pty or connection=socket")
    path = None
    if given["connection"] == "socket":
        path = given.get("path")
        if path is None:
            raise SpecError("no path is given for the socket", 0, 1, "add path=...")
    return ChannelConfig(
        backend_domname=given.get("backend"),
        name=given.get("name"),
        connection=given["connection"],
        path=path,
    )


def virtio(draft: Draft) -> None:
    """Virtio devices of Arm guests."""
    _each(draft, "virtio", "virtios", _read_virtio)


def _read_virtio(draft: Draft, atom: Atom, number: int) -> VirtioConfig:
    device: dict[str, Any] = {"devid": number}
    pieces = comma_pieces(atom.text)
    for offset, piece in pieces:
        key, equals, value = piece.partition("=")
        at = offset + len(key) + 1
        if equals and key == "backend":
            device["backend_domname"] = value
        elif equals and key == "type":
            if value.startswith("virtio"):  # such as virtio,device22: the comma is part of the name
                rest_offset, rest = next(pieces, (0, ""))
                if not rest_offset:
                    raise SpecError(
                        f"the type '{value:.40}' is cut short", at, len(value), "write virtio,deviceN"
                    )
                blanks = rest_offset - atom.text.rfind(",", 0, rest_offset) - 1
                value = f"{value},{' ' * blanks}{rest}"
            device["type"] = value
        elif equals and key == "transport":
            if value.lower() not in ("mmio", "unknown"):
                raise SpecError(f"unknown transport '{value:.40}'", at, len(value), "write transport=mmio")
            device["transport"] = "mmio" if value.lower() == "mmio" else None
        elif equals and key == "grant_usage":
            device["grant_usage"] = strtoul(value)[0] != 0
        else:
            known = ("backend", "type", "transport", "grant_usage")
            raise SpecError(f"unknown parameter '{piece:.40}'", offset, len(piece), one_of(known, key))
    return VirtioConfig(**device)
