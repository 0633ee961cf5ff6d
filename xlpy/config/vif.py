"""Network card specs: ``vif=`` and network-attach (xl-network-configuration(5), libxlu_vif.c)."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, int32, strtoul, uint32
from xlpy.config.diagnostic import SpecError, command_line_error, hint_text, one_of
from xlpy.config.pieces import comma_pieces
from xlpy.config.rate import parse_rate
from xlpy.config.xlconf import XlConf
from xlpy.model.domain_config import NicConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from xlpy.config.diagnostic import WordHint
    from xlpy.config.draft import Draft

    Warn = Callable[[str, int, int, str | WordHint | None], None]

_STRINGS = {
    "bridge": "bridge",
    "gatewaydev": "gatewaydev",
    "netdev": "gatewaydev",
    "ip": "ip",
    "script": "script",
    "backend": "backend_domname",
    "vifname": "ifname",
    "model": "model",
    "vlan": "vlan",
    "forwarddev": "coloft_forwarddev",
}
_MAC_HINT = "write it as 00:16:3e:12:34:56"
_NAMES = (*_STRINGS, "type", "mac", "rate", "devid", "mtu", "trusted", "untrusted")
_OLD = {"netdev": ("netdev is deprecated", "write gatewaydev="), "accel": ("accel has no effect", None)}
_TYPES = {"vif": "vif", "ioemu": "vif_ioemu"}


def vifs(draft: Draft) -> None:
    """The ``vif`` setting. As in xl a piece that can't be read is only warned about, and left out."""
    settings = draft.settings
    found: list[NicConfig] = []
    for atom in settings.atoms("vif") or ():
        spec_atom = atom

        def warn(message: str, offset: int, length: int, hint: str | WordHint | None) -> None:
            settings.warn_in("vif-piece", f"vif: {message}", spec_atom, offset, length, hint)  # noqa: B023

        try:
            nic = read_vif_spec(comma_pieces(atom.text), draft.conf, warn, atom.text)
        except SpecError as error:
            raise settings.spec_error("vif", atom, error) from error
        found.append(nic.replace(devid=len(found)) if nic.devid is None else nic)
    if found:
        draft.sections["config"]["nics"] = tuple(found)


def parse_vif_arguments(
    arguments: Sequence[str],
    source: str = "command line",
    conf: XlConf | None = None,
    warn: Callable[[str, int, int, str | None], None] | None = None,
) -> NicConfig:
    """The card that the arguments of network-attach describe; each is one piece, and all must be right.

    ``warn(message, offset, length, hint)`` hears of deprecated pieces, with the place in the arguments joined by
    blanks. Raises ConfigError.
    """

    def late_warn(message: str, offset: int, length: int, hint: str | WordHint | None) -> None:
        if warn is not None:
            warn(message, offset, length, hint_text(hint))

    pieces = []
    offset = 0
    for argument in arguments:
        pieces.append((offset, argument))
        offset += len(argument) + 1
    try:
        return read_vif_spec(pieces, conf or XlConf(), late_warn, strict=True)
    except SpecError as error:
        raise command_line_error(error, " ".join(arguments), source) from error


def read_vif_spec(
    pieces: Iterable[tuple[int, str]],
    conf: XlConf,
    warn: Warn | None,
    text: str = "",
    strict: bool = False,
) -> NicConfig:
    """The card that (offset, piece) pairs describe, on top of xl.conf's defaults (xl's parse_nic_config).

    ``text`` is what they are pieces of: an address that is too short goes on in the next one. What is wrong with a piece goes to ``warn(message, offset, length, hint)``, or is raised if ``strict``.
    """
    nic: dict[str, Any] = {}
    defaults = (
        ("script", conf.vif_script),
        ("bridge", conf.vif_bridge),
        ("gatewaydev", conf.vif_gatewaydev),
        ("backend_domname", conf.vif_backend),
    )
    nic.update([(field, value) for field, value in defaults if value is not None])
    for offset, piece in pieces:
        try:
            _read_piece(nic, piece, offset, warn, text)
        except _BadPiece as error:
            if strict:
                raise SpecError(error.message, error.offset, error.length, error.late_hint) from None
            if warn is not None:
                warn(f"{error.message}; it has no effect", error.offset, error.length, error.late_hint)
    return NicConfig(**nic)


class _BadPiece(SpecError):
    """A piece that xl complains about and then goes on without when it comes from a config."""


def _read_piece(nic: dict[str, Any], piece: str, offset: int, warn: Warn | None, text: str) -> None:
    key, equals, value = piece.partition("=")
    at = offset + len(key) + 1
    if not equals:
        if key not in ("trusted", "untrusted"):
            raise _BadPiece(f"unknown parameter '{piece:.40}'", offset, len(piece), one_of(_NAMES, piece))
        nic["trusted"] = key == "trusted"
    elif key in _STRINGS:
        nic[_STRINGS[key]] = value
    elif key == "type":
        if value not in _TYPES:
            raise _BadPiece(f"unknown type '{value:.40}'", at, len(value), one_of(tuple(_TYPES), value))
        nic["nictype"] = _TYPES[value]
    elif key == "mac":
        _read_mac(nic, value, at, text[at:] or value, warn)
    elif key == "rate":
        nic["rate_bytes_per_interval"], nic["rate_interval_usecs"] = parse_rate(value, at)
    elif key in ("devid", "mtu"):
        number = _number(value, at)
        nic[key] = None if key == "devid" and number == -1 else number
    elif key.startswith("colo_") and key in NicConfig.fields_:
        nic[key] = value
    elif key != "accel":
        raise _BadPiece(f"unknown parameter '{key:.40}'", offset, len(key), one_of(_NAMES, key))
    if key in _OLD and warn is not None:
        message, hint = _OLD[key]
        warn(message, offset, len(key), hint)


def _number(text: str, offset: int) -> int:
    value, end = strtoul(text, 10)
    if not end or value == ULONG_MAX:
        raise SpecError(f"'{text:.40}' is no number", offset, len(text))
    return int32(value)


def _read_mac(nic: dict[str, Any], value: str, offset: int, text: str, warn: Warn | None) -> None:
    """Six hexadecimal numbers with any one character between them.

    ``text`` begins with the value. Of an address that breaks off xl keeps the octets before the bad one; it does not
    stop at the comma behind one that is too short.
    """
    octets = [int(octet, 16) for octet in nic.get("mac", "0:0:0:0:0:0").split(":")]
    position, good = 0, True
    for index in range(6):
        octet, end = strtoul(text[position:], 16)
        good = end > 0 and uint32(octet) <= 0xFF
        if not good:
            break
        octets[index] = uint32(octet)
        position += end + 1
    if any(octets):
        nic["mac"] = ":".join([f"{octet:02x}" for octet in octets])
    else:
        nic.pop("mac", None)
    if not good:
        raise _BadPiece(f"'{value:.40}' is no MAC address", offset, len(value), _MAC_HINT)
    if position - 1 > len(value) and warn is not None:
        message = f"the MAC address '{value:.40}' is too short and goes on in the next parameter"
        warn(message, offset, len(value), _MAC_HINT)
