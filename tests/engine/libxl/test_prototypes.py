"""The table of prototypes says what libxl.h says, where Xen's headers are installed (Debian: libxen-dev)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xlpy.engine.libxl.prototypes import FUNCTIONS, MACHINES, NEWEST, OLDEST, SINCE, wrong_machine

INCLUDE = Path("/usr/include")
HEADERS = ("libxl.h", "libxl_utils.h", "libxl_event.h")
_PROTOTYPE = re.compile(
    r"^(?P<result>(?:const )?\w+[\s*]+)libxl_(?P<name>\w+)\((?P<arguments>[^;{]*)\)\s*(?:LIBXL_\w+\s*)*;",
    re.M,
)
_COMMENTS = re.compile(r"/\*.*?\*/", re.S)
# What an argument's type is in the table; whatever else has a star is p.
_LETTERS = {
    "int": "i",
    "unsigned int": "u",
    "unsigned": "u",
    "bool": "i",
    "uint32_t": "u",
    "libxl_domid": "u",
    "uint64_t": "q",
    "int64_t": "q",
    "uint8_t": "y",
    "char": "b",
    "void": "v",
    "libxl_bitmap": "B",
    "libxl_uuid": "U",
    "const char *": "s",
    "char *": "s",
}


def letter(declared: str) -> str:
    """Of an argument, or of a result."""
    kind = re.sub(
        r"\s+", " ", re.sub(r"(\*?)\b\w+$", r"\1", declared.strip()) if " " in declared.strip() else declared
    )
    kind = re.sub(r" ?\*", " *", kind).strip()
    if "asyncop_how" in kind or "asyncprogress_how" in kind:
        return "o"
    if kind.endswith("*"):
        return _LETTERS.get(kind, "p")
    return _LETTERS.get(kind, "i")  # an enumeration


def declared() -> dict[str, str]:
    """Every function of the headers, in the table's letters, without the context."""
    found = {}
    for header in HEADERS:
        text = _COMMENTS.sub("", (INCLUDE / header).read_text())
        for match in _PROTOTYPE.finditer(text):
            result = "p" if "*" in match["result"] else letter(match["result"].strip())
            _, *arguments = match["arguments"].split(",")
            found[match["name"]] = result + "".join(map(letter, arguments))
    return found


@pytest.mark.skipif(not (INCLUDE / "libxl.h").exists(), reason="needs Xen's headers: libxen-dev")
def test_prototypes_are_those_of_the_header() -> None:
    theirs = declared()
    missing = [name for name in FUNCTIONS if name not in theirs and name not in SINCE]
    assert missing == []
    different = {
        name: (ours, theirs[name])
        for name, ours in FUNCTIONS.items()
        if name in theirs and ours != theirs[name]
    }
    assert different == {}


def test_versions_and_machines_are_of_functions_that_are_used() -> None:
    assert all(OLDEST < minor <= NEWEST for minor in SINCE.values())
    assert all(any(name.startswith(prefix) for name in FUNCTIONS) for prefix in MACHINES)
    assert not wrong_machine("psr_get_val", "x86_64")
    assert wrong_machine("psr_get_val", "aarch64")
    assert wrong_machine("dt_overlay", "x86_64")
    assert not wrong_machine("dt_overlay_domain", "aarch64")
    assert not any(wrong_machine("domain_create_new", machine) for machine in ("x86_64", "aarch64"))
