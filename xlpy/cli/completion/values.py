"""What fits at a place, as far as that is known without asking anybody; ``live`` knows the rest."""

from __future__ import annotations

from xlpy.cli.commands import all_commands, find_command, subcommands, xl_commands
from xlpy.cli.completion.candidate import Candidate
from xlpy.cli.completion.files import files
from xlpy.cli.completion.specs import SPECS, setting_candidates, spec_candidates
from xlpy.cli.completion.wanted import wanted_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.cli.completion.place import Place

WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "trigger": (
        ("nmi", "non-maskable interrupt"),
        ("reset", "reset button"),
        ("init", "INIT signal"),
        ("power", "ACPI power button"),
        ("sleep", "ACPI sleep button"),
        ("s3resume", "wake up from suspend to RAM"),
    ),
    "button": (("power", "ACPI power button"), ("sleep", "ACPI sleep button")),
    "sysrq_letter": (
        ("b", "reboot at once"),
        ("c", "crash"),
        ("e", "terminate all processes"),
        ("i", "kill all processes"),
        ("m", "show memory"),
        ("s", "sync file systems"),
        ("t", "show tasks"),
        ("u", "remount read-only"),
        ("w", "show blocked tasks"),
        ("h", "show help"),
    ),
    "console": (("pv", ""), ("serial", ""), ("vuart", "")),
    "form": (
        ("table", "for people"),
        ("plain", "as xl prints it"),
        ("json", ""),
        ("yaml", ""),
        ("csv", ""),
    ),
    "state": (
        ("running", "it is running"),
        ("paused", "it is paused"),
        ("shutdown", "it has ended and is still there"),
        ("gone", "it is no more"),
        ("console", "its console has said a text"),
    ),
    "shell": (("bash", ""), ("zsh", ""), ("fish", "")),
    "enforcing": (("Enforcing", ""), ("Permissive", ""), ("1", ""), ("0", "")),
    "monitoring": (("cache-occupancy", ""), ("total-mem-bandwidth", ""), ("local-mem-bandwidth", "")),
    "overlay": (("add", ""), ("remove", ""), ("attach", "")),
    "then": (("destroy", "end those that have not ended"),),
    "xen": (("4.14", "Debian 11"), ("4.17", "Debian 12"), ("4.20", "Debian 13")),
    "all_or_none": (("all", "all pcpus"), ("-", "leave it as it is")),
}
"""Kinds of which all values are known."""


def candidates(place: Place) -> list[Candidate]:
    """All ways to go on at this place, behind ``place.front``; which of them begin like the word is not checked."""
    if place.dashed:
        return list(_options(place))
    kind = wanted_kind(place)
    if kind is not None:
        return list(_of_kind(kind, place))
    if place.option is None and place.command is None:
        return list(_seconds(place.group) if place.group is not None else _commands(place.xl))
    return []


def _of_kind(kind: str, place: Place) -> list[Candidate]:
    if kind in WORDS:
        return [Candidate(value, text) for value, text in WORDS[kind]]
    if kind == "row_kind":
        from xlpy.cli.schema import every_kind

        return [Candidate(each.name) for each in every_kind()]
    if kind in SPECS:
        return spec_candidates(kind, place.word)
    if kind == "file":
        return files(place.word)
    if kind == "config":
        if "=" in place.word and place.option is None:
            return setting_candidates(place.word)
        return files(place.word, ".cfg")
    if kind == "setting":
        return setting_candidates(place.word)
    if kind == "command":
        return _helped(place)
    if kind in ("column_list", "sort_list", "condition"):
        return _columns(kind, place)
    if kind == "domain_or_config":
        return [*_live("domain", place), *files(place.word, ".cfg")]
    if kind == "vcpu":
        return [Candidate("all", "all vcpus"), *_live(kind, place)]
    return _live(kind, place)


def _live(kind: str, place: Place) -> list[Candidate]:
    from xlpy.cli.completion.live import live_candidates

    return live_candidates(kind, place)


def _commands(xl: bool) -> Iterator[Candidate]:
    if xl:
        for row in xl_commands():
            yield Candidate(row.name, _first_line(row.summary))
        yield Candidate("help", "Show what a command does and its options")
        return
    groups: set[str] = set()
    for row in all_commands():
        first, _, second = row.name.partition(" ")
        if not second:
            yield Candidate(first, _first_line(row.summary))
        elif first not in groups:
            groups.add(first)
            yield Candidate(first, ", ".join(subcommands(first)))


def _seconds(group: str) -> Iterator[Candidate]:
    for second in subcommands(group):
        row = find_command(f"{group} {second}")
        yield Candidate(second, _first_line(row.summary) if row is not None else "")


def _helped(place: Place) -> list[Candidate]:
    return list(_seconds(place.arguments[0]) if place.arguments else _commands(place.xl))


def _options(place: Place) -> Iterator[Candidate]:
    seen: set[str] = set()
    for option in place.options:
        if option.hidden:
            continue
        for letter in option.letters:
            if letter not in seen:
                yield Candidate(f"-{letter}", option.help)
        for name in option.longs:
            if name not in seen:
                takes_value = option.metavar is not None and not option.optional
                yield Candidate(f"--{name}{'=' * takes_value}", option.help, partial=takes_value)
        seen.update((*option.letters, *option.longs))
    if not place.xl or place.command is not None:
        yield Candidate("--help", "Show what it does and its options")


def _columns(kind: str, place: Place) -> list[Candidate]:
    if place.command is None:
        return []
    from xlpy.cli.completion.columns import columns

    found = columns(place.command.name)
    if kind == "condition":
        return found
    front, comma, rest = place.word.rpartition(",")
    falling = "-" if kind == "sort_list" and rest.startswith("-") else ""
    return [candidate.behind(front + comma + falling) for candidate in found]


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
