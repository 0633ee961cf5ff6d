"""Sound cards: ``vsnd=``, a list of cards, each a list of items ``CARD, ...``, ``PCM, ...``, ``STREAM, ...``."""

from __future__ import annotations

from xlpy.config.cnumber import strtoul, uint32
from xlpy.config.diagnostic import SpecError, one_of
from xlpy.config.draft import Draft
from xlpy.config.parser import Atom, Sequence
from xlpy.config.pieces import comma_pieces
from xlpy.model.device_config import VsndConfig, VsndParams, VsndPcm, VsndStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_FORMATS = (
    *("s8", "u8", "s16_le", "s16_be", "u16_le", "u16_be", "s24_le", "s24_be", "u24_le", "u24_be"),
    *("s32_le", "s32_be", "u32_le", "u32_be", "f32_le", "f32_be", "f64_le", "f64_be"),
    *("iec958_subframe_le", "iec958_subframe_be", "mu_law", "a_law", "ima_adpcm", "mpeg", "gsm"),
)
_NUMBERS = {"channels-min": "channels_min", "channels-max": "channels_max", "buffer-size": "buffer_size"}
_COMMON = ("sample-rates", "sample-formats", *_NUMBERS)
_OWN = {
    "card": {"backend": "backend_domname", "short-name": "short_name", "long-name": "long_name"},
    "pcm": {"name": "name"},
    "stream": {"unique-id": "unique_id", "type": "type"},
}


class _Part:
    """A card, PCM device or stream while it is read."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.params: dict[str, Any] = {}
        self.parts: list[_Part] = []


def vsnd(draft: Draft) -> None:
    """The ``vsnd`` setting."""
    settings = draft.settings
    sequence = settings.sequence("vsnd")
    found: list[VsndConfig] = []
    for item in sequence.items if sequence is not None else ():
        if not isinstance(item, Sequence):
            raise settings.error(
                "vsnd: a card must be a list", item, 'write vsnd = [ [ "CARD, ...", "PCM, ..." ] ]'
            )
        card = _Part()
        for atom in item.items:
            if not isinstance(atom, Atom):
                break
            try:
                _read_item(card, atom.text)
            except SpecError as error:
                raise settings.spec_error("vsnd", atom, error) from error
        found.append(_card(card, len(found)))
    if found:
        draft.sections["config"]["vsnds"] = tuple(found)


def read_vsnd_items(items: Iterable[str]) -> VsndConfig:
    """The card that these items (arguments of vsnd-attach) describe. Raises SpecError."""
    card = _Part()
    for item in items:
        _read_item(card, item)
    return _card(card, None)


def _read_item(card: _Part, text: str) -> None:
    """One item: its first piece says what it is."""
    part, kind = card, ""
    for offset, piece in comma_pieces(text):
        if not kind:
            kind = piece.lower()
            if kind not in _OWN:
                hint = one_of(("CARD", "PCM", "STREAM"), piece.upper())
                raise SpecError(f"'{piece:.40}' is no kind of item", offset, len(piece), hint)
            part = _begin(card, kind)
        else:
            _read_piece(part, kind, piece, offset)


def _begin(card: _Part, kind: str) -> _Part:
    """The part that an item of this kind is about; a stream before any PCM device brings one along."""
    if kind == "card":
        return card
    if kind == "pcm" or not card.parts:
        card.parts.append(_Part())
    if kind == "stream":
        card.parts[-1].parts.append(_Part())
        return card.parts[-1].parts[-1]
    return card.parts[-1]


def _read_piece(part: _Part, kind: str, piece: str, offset: int) -> None:
    key, equals, value = piece.partition("=")
    at = offset + len(key) + 1
    if equals and key.startswith("sample-") and not value.strip(";"):  # xl crashes
        raise SpecError(f"{key} is empty", offset, len(piece))
    if equals and key == "sample-rates":
        part.params["sample_rates"] = tuple([uint32(strtoul(rate)[0]) for rate in value.split(";") if rate])
    elif equals and key == "sample-formats":
        formats = [name for name in value.split(";") if name]
        for name in formats:
            if name.lower() not in _FORMATS:
                raise SpecError(
                    f"unknown format '{name:.40}'", at, len(value), one_of(_FORMATS, name.lower())
                )
        part.params["sample_formats"] = tuple([name.lower() for name in formats])
    elif equals and key in _NUMBERS:
        part.params[_NUMBERS[key]] = uint32(strtoul(value)[0])
    elif equals and key in _OWN[kind]:
        if key == "type":
            if value.lower() not in ("p", "c"):
                raise SpecError(
                    f"unknown stream type '{value:.40}'", at, len(value), "p (playback) or c (capture)"
                )
            value = value.lower()
        part.fields[_OWN[kind][key]] = value
    else:
        known = (*_OWN[kind], *_COMMON)
        raise SpecError(f"unknown parameter '{piece:.40}'", offset, len(piece), one_of(known, key))


def _card(card: _Part, number: int | None) -> VsndConfig:
    pcms = []
    for pcm in card.parts:
        streams = [VsndStream(params=VsndParams(**stream.params), **stream.fields) for stream in pcm.parts]
        pcms.append(VsndPcm(params=VsndParams(**pcm.params), streams=tuple(streams), **pcm.fields))
    return VsndConfig(devid=number, params=VsndParams(**card.params), pcms=tuple(pcms), **card.fields)
