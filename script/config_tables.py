#!/usr/bin/env python3
"""The generated parts of man/xlpy.cfg.5: settings by name, codes of findings. Run it after changing keys or codes.

script/config_tables.py          # rewrite them in place
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from xlpy.config.codes import ERRORS, WARNINGS  # noqa: E402
from xlpy.config.keys import find_key, known_names  # noqa: E402

MANUAL = ROOT / "man" / "xlpy.cfg.5"
KINDS = {
    "string": "string",
    "int": "number",
    "uint32": "number",
    "param": "number",
    "mask": "number",
    "bool": "0 or 1",
    "mib": "MiB",
    "strings": "list",
}


def tables() -> dict[str, str]:
    """The generated parts by name, in roff."""
    return {
        "settings": "".join([_setting(name) for name in sorted(known_names())]),
        "errors": _items(ERRORS.items()),
        "warnings": _items(WARNINGS.items()),
    }


def with_tables(text: str) -> str:
    """The manual page with its generated parts made anew."""
    for name, table in tables().items():
        begin, end = f'.\\" begin {name}\n', f'.\\" end {name}\n'
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        if after or rest:
            text = f"{before}{begin}{table}{end}{after}"
    return text


def _setting(name: str) -> str:
    row = find_key(name)
    assert row is not None
    _, how, _, _, guests, since, text = row
    about = [guests, *([KINDS[how]] if how in KINDS else []), f"since Xen {since}" if since != "4.2" else ""]
    return f".It Sy {_escaped(name)}\n{_escaped(text)} ({_escaped(', '.join(filter(None, about)))}).\n"


def _items(rows: Iterable[tuple[str, str]]) -> str:
    return "".join([f".It Sy {_escaped(code)}\n{_escaped(text)}.\n" for code, text in rows])


def _escaped(text: str) -> str:
    """Text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return re.sub(r"^([.'])", r"\\&\1", text)


if __name__ == "__main__":
    MANUAL.write_text(with_tables(MANUAL.read_text()))
