"""What xl and xlpy said and did, side by side: only what differs from moment to moment is left out."""

from __future__ import annotations

import difflib
import re
from typing import Any

Outcome = dict[str, Any]  # status, out, err
_UUID = r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
# By the command: what moves between one call and the next, and what is written in its place.
_MOVING: dict[str, tuple[tuple[str, str], ...]] = {
    "list": ((r" +\d+\.\d\b", " TIME"), (r"(?<= )[r-][b-](?=[p-][s-][-rscwS?][d-] )", "**")),
    "vcpu-list": ((r"(-|\d+) +(r|-)(b|-)([-p])(?= )", r"CPU **\4"), (r" +\d+\.\d\b", " TIME")),
    "claims": ((r" +\d+\.\d\b", " TIME"), (r"(?<= )[r-][b-](?=[p-][s-][-rscwS?][d-] )", "**")),
    # xlpyd asks libxl for a certain domid, xl for any: so libxl remembers it
    "list -l": ((r'(?m)^ {16}"domid": \d+,', '"domid": ANY'),),
    "console": ((r"(?m)^\[ *\d+\.\d{6}\]", "[TIME]"),),  # of the guest's kernel
    "uptime": ((r"(\d+ days?, +)?\d+:\d\d(:\d\d)?", "TIME"),),
}
_EFFECTS = {"list": "list", "vcpus": "vcpu-list", "config": "list -l"}
# Keys of xenstore that are what time, the kernel and the hypervisor make of them.
_STORE_MOVING = re.compile(
    r"^/(tool|vm/[^/]*/(start_time|uuid)|local/domain/\d+/(data|drivers|error|control/sysrq|vm-data)"
    r"|.*/(tty|port|ring-ref[^/ ]*|event-channel[^/ ]*|start_time|timeoffset|physical-device|device-model-pid|hotplug-status"
    r"|multi-queue[^/ ]*|feature-[^/ ]*|request-[^/ ]*|queue-\d+.*|platform-feature-[^/ ]*))\b"
)
# What is wrong in a configuration: we say it with line and column, and in other words.
_XLS_FINDING = re.compile(
    r"(?P<place>\S+:\d+): .*|(\S+|command line): config parsing error in [\w ]+: .*|unrecognized argument `.*"
    r"|Invalid parameter `\w+'\."
)
_OUR_FINDING = re.compile(
    r"(xl: warning: )?(?P<place>(\S+|command line):\d+):\d+: .*|command line: config parsing error in .*"
)
_LIBRARY = re.compile(
    r"^(libxl|xc|xencall[:\w]*|xenforeignmemory|libxl-save-helper|xenguest|domainbuilder): ", re.MULTILINE
)


def differences(words: list[str], theirs: Outcome, ours: Outcome) -> list[str]:
    """In what the two differ, in words; nothing when they agree."""
    command = _command(words)
    found = []
    if theirs["status"] != ours["status"]:
        found.append(f"exit status {ours['status']} in place of {theirs['status']}")
    if _still(theirs["out"], command) != _still(ours["out"], command):
        found += ["stdout:", *_diff(theirs["out"], ours["out"])]
    if not _same_messages(theirs, ours, command):
        found += ["stderr:", *_diff(theirs["err"], ours["err"])]
    return found


def _diff(theirs: str, ours: str) -> list[str]:
    """What ours has more and less, with the blanks and tabs at the ends of lines to be seen."""
    lines = difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "xl", "xlpy", lineterm="", n=0)
    return [repr(line) for line in lines][2:]


def effect_differences(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    """In what the two hosts differ after the same commands."""
    found = []
    for name, text in theirs.items():
        still = _still_store if name == "store" else _still_effect(name)
        expected, there = still(text).splitlines(), still(ours[name]).splitlines()
        missing = [line for line in expected if line not in there]
        more = [line for line in there if line not in expected]
        if missing or more:
            found.append(f"{name}: without {missing}, but {more}")
    return found


def _still_effect(name: str) -> Any:
    return lambda text: _still(text, _EFFECTS.get(name, ""))


def _still(text: str, command: str) -> str:
    text = re.sub(r"(?m)^\S*/xl: ", "xl: ", text)  # getopt says how it was called
    for pattern, instead in _MOVING.get(command, ()):
        text = re.sub(pattern, instead, text)
    text = re.sub(r"(info 0x\d/0x0/)\d+", r"\1LENGTH", text)
    return re.sub(_UUID, _known_uuid, text)


def _known_uuid(found: re.Match[str]) -> str:
    """A uuid that a file gave stays, and so does nobody's; one that was made up doesn't."""
    return found[0] if found[0].startswith(("11111111-", "00000000-")) else "UUID"


def _still_store(text: str) -> str:
    lines = [line for line in text.splitlines() if not _STORE_MOVING.match(line)]
    return re.sub(_UUID, _known_uuid, "\n".join(lines))


def _same_messages(theirs: Outcome, ours: Outcome, command: str) -> bool:
    """xl's own lines are there, all and in order. What its libraries add has other words: ours come indented.

    Where only a library has said why, or nobody, ours says it in one line. A finding in a configuration has its line in
    common, where xl tells that. Ours warns of more: of settings without effect, say.
    """
    xl_lines = [line for line in _lines(theirs["err"], command) if not _LIBRARY.match(line)]
    our_lines = [line for line in _lines(ours["err"], command) if not line.startswith("  ")]
    rest = _behind(xl_lines, our_lines)
    silent = not theirs["err"].strip() and theirs["status"]
    wordless = silent or _LIBRARY.search(theirs["err"])
    return rest == [] or bool(wordless and rest is not None and len(rest) == 1)


def _behind(xl_lines: list[str], our_lines: list[str]) -> list[str] | None:
    """What of our lines is left behind xl's, without warnings; None where one of xl's is missing or another is between."""
    rest = list(our_lines)
    for line in xl_lines:
        while rest and not _same(line, rest[0]) and rest[0].startswith("xl: warning: "):
            rest.pop(0)
        if not rest or not _same(line, rest.pop(0)):
            return None
    return [line for line in rest if not line.startswith("xl: warning: ")]


def _same(theirs: str, ours: str) -> bool:
    if theirs == ours:
        return True
    finding, our_finding = _XLS_FINDING.fullmatch(theirs), _OUR_FINDING.fullmatch(ours)
    if finding is None or our_finding is None:
        return False
    return finding["place"] in (None, our_finding["place"])


def _lines(text: str, command: str) -> list[str]:
    return [line for line in _still(text, command).splitlines() if line.strip()]


def _command(words: list[str]) -> str:
    """The command of a line: the first word behind ``xl`` and its global options."""
    if "xl" not in words:
        return ""
    rest = [word for word in words[words.index("xl") + 1 :] if not word.startswith("-")]
    return next((name for name in _MOVING if rest and name.startswith(rest[0])), "")
