"""Rates of network cards, ``10Mb/s@20ms``: to bytes per interval and back (libxlu_vif.c)."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, strtoul
from xlpy.config.diagnostic import SpecError

_DEFAULT_INTERVAL_US = 50_000
_US_PER_S = 10**6
_UINT32_MAX = (1 << 32) - 1
_FACTORS = {"G": 10**9, "M": 10**6, "K": 10**3}
_INTERVAL_FACTORS = {"": 10**6, "s": 10**6, "m": 10**3, "ms": 10**3, "u": 1, "us": 1}
_BITS_PER_BYTE = 8


def parse_rate(text: str, offset: int = 0) -> tuple[int, int]:
    """``10Mb/s@20ms`` as (bytes per interval, interval in microseconds). Raises SpecError.

    Prefixes are powers of 1000; an interval without a unit is in seconds, whatever the manual says.
    """
    rate, at_sign, interval = text.partition("@")
    interval_us = _DEFAULT_INTERVAL_US
    if not rate:
        raise SpecError("no rate is given", offset, len(text), "write it as 10Mb/s or 1MB/s@20ms")
    bytes_per_s = _bytes_per_s(rate, offset)
    if at_sign:
        interval_us = _interval_us(interval, offset + len(rate) + 1)
    if bytes_per_s * interval_us > ULONG_MAX:
        raise SpecError(f"the rate '{text:.40}' is too high", offset, len(text))
    return bytes_per_s * interval_us // _US_PER_S, interval_us


def rate_text(bytes_per_interval: int, interval_us: int) -> str:
    """A rate that ``parse_rate`` reads to these numbers, in the roundest form; some numbers have none."""
    lowest = -(-bytes_per_interval * _US_PER_S // interval_us)
    highest = ((bytes_per_interval + 1) * _US_PER_S - 1) // interval_us
    at = "" if interval_us == _DEFAULT_INTERVAL_US else f"@{interval_us}us"
    for prefix, factor in (*_FACTORS.items(), ("", 1)):
        for unit, per_byte, spare in (("B", 1, 0), ("b", _BITS_PER_BYTE, _BITS_PER_BYTE - 1)):
            number = max(1, -(-lowest * per_byte // factor))
            if number * factor <= highest * per_byte + spare and number <= _UINT32_MAX:
                return f"{number}{prefix}{unit}/s{at}"
    return f"{lowest}B/s{at}"


def _bytes_per_s(rate: str, offset: int) -> int:
    digits = _leading_digits(rate)
    unit = rate[len(digits) :]
    bits = unit.endswith("b/s")
    prefix = unit[:-3] if bits or unit.endswith("B/s") else "?"
    if not digits or prefix not in ("", *_FACTORS):
        raise SpecError(
            f"'{rate:.40}' is no rate", offset, len(rate), "write it as N[G|M|K](B|b)/s, such as 10Mb/s"
        )
    number, end = strtoul(digits)  # base 0, so that a leading 0 means octal
    if not 0 < number <= _UINT32_MAX:
        raise SpecError(f"the rate '{rate:.40}' is out of range", offset, len(rate))
    if end == len(digits):  # else xl takes the digit that isn't octal for the prefix
        number *= _FACTORS.get(prefix, 1)
    return number // _BITS_PER_BYTE if "b" in rate[end : end + 2] else number


def _interval_us(text: str, offset: int) -> int:
    digits = _leading_digits(text)
    factor = _INTERVAL_FACTORS.get(text[len(digits) :])
    if not digits or factor is None:
        raise SpecError(f"'{text:.40}' is no interval", offset, len(text), "write it as 50ms, 20us or 1s")
    number, end = strtoul(digits)
    if end < len(digits):
        factor = 1
    if not 0 < number <= _UINT32_MAX or number * factor > _UINT32_MAX:
        raise SpecError(f"the interval '{text:.40}' is out of range", offset, len(text))
    return number * factor


def _leading_digits(text: str) -> str:
    end = 0
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return text[:end]
