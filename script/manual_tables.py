#!/usr/bin/env python3
"""The generated parts of man/xlpy.1 and man/xlpyd.8: commands and options. Run it after changing a table of commands.

script/manual_tables.py          # rewrite them in place
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from xlpy.agent.xlpyd import option_parser  # noqa: E402
from xlpy.cli.command import Command  # noqa: E402
from xlpy.cli.commands import TOPICS, table  # noqa: E402
from xlpy.cli.global_options import GLOBALS  # noqa: E402
from xlpy.cli.options import Option  # noqa: E402

MAN = ROOT / "man"
_LITERAL = "-width Ds -compact"


def tables(page: str) -> dict[str, str]:
    """The generated parts of a page by name, in roff."""
    if page == "xlpyd.8":
        return {"options": "".join(_daemon_options())}
    commands = []
    for topic, title in TOPICS.items():
        commands.append(f".Ss {_escaped(title)}\n.Bl -tag -width Ds\n")
        commands += [_command(row) for row in table(topic).values()]
        commands.append(".El\n")
    return {
        "globals": "".join([_option(option) for option in GLOBALS if not option.hidden]),
        "commands": "".join(commands),
    }


def with_tables(text: str, found: dict[str, str]) -> str:
    """The page with its generated parts made anew."""
    for name, part in found.items():
        begin, end = f'.\\" begin {name}\n', f'.\\" end {name}\n'
        before, _, rest = text.partition(begin)
        _, mark, after = rest.partition(end)
        if mark:
            text = f"{before}{begin}{part}{end}{after}"
    return text


def _command(row: Command) -> str:
    usage = " ".join(row.usage.split())
    head = f".It Ic {_escaped(row.name)}" + (f" Li {_quoted(usage)}" if usage else "") + "\n"
    text = "".join([f"{_sentence(line)}\n" for line in row.summary.splitlines()])
    options = [option for option in row.options if not option.hidden]
    if not options:
        return head + text
    return f"{head}{text}.Bl -tag {_LITERAL}\n{''.join([_option(option) for option in options])}.El\n"


def _option(option: Option) -> str:
    names = [f"Fl {letter}{_value(option, '', 'Ar')}" for letter in option.letters]
    names += [f"Fl \\-{_escaped(long)}{_value(option, '=', 'Ns = Ns Ar')}" for long in option.longs]
    return f".It {' , '.join(names)}\n{_sentence(option.help) or 'As in xl.'}\n"


def _value(option: Option, equals: str, macro: str) -> str:
    if option.metavar is None:
        return ""
    if option.optional:
        return f" Ns Li {_quoted(f'[{equals}{option.metavar}]')}"
    return f" {macro} {_quoted(option.metavar)}"


def _daemon_options() -> Iterable[str]:
    for action in option_parser("/run/xlpy/xlpy.sock", "/var/lib/xlpy")._actions:
        names = " , ".join([_daemon_option(name, action.metavar) for name in action.option_strings])
        if action.choices:
            names += f" Ns = Ns Ar {_quoted('|'.join(action.choices))}"
        help_text = (action.help or "").replace("%(default)s", str(action.default))
        yield f".It {names}\n{_sentence(help_text[:1].upper() + help_text[1:])}\n"


def _daemon_option(name: str, metavar: object) -> str:
    value = f" Ns = Ns Ar {metavar}" if metavar and name.startswith("--") else ""
    return f"Fl {_escaped(name[1:])}{value}"


def _sentence(text: str) -> str:
    text = _escaped(text.strip())
    return f"{text}." if text and text[-1] not in ".:;" else text


def _quoted(text: str) -> str:
    """A macro's argument that is one word, whatever is in it."""
    found = _escaped(text)
    return f'"{found}"' if re.search(r"[^A-Za-z0-9_-]", found) or len(found) < 3 else found


def _escaped(text: str) -> str:
    """Text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return re.sub(r"^([.'])", r"\\&\1", text)


def main() -> None:
    """Rewrite the pages."""
    for page in ("xlpy.1", "xlpyd.8"):
        path = MAN / page
        path.write_text(with_tables(path.read_text(), tables(page)))


if __name__ == "__main__":
    main()
