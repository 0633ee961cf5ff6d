"""What TAB offers without asking any host."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlpy.cli.commands import all_commands
from xlpy.cli.completion.answer import fitting
from xlpy.cli.completion.columns import KINDS as COLUMN_KINDS
from xlpy.cli.completion.columns import columns
from xlpy.cli.completion.line import split_line
from xlpy.cli.completion.live import KINDS as LIVE_KINDS
from xlpy.cli.completion.place import find_place
from xlpy.cli.completion.scripts import FILES, SCRIPTS
from xlpy.cli.completion.specs import SPECS
from xlpy.cli.completion.values import WORDS
from xlpy.cli.completion.wanted import ARGUMENTS, OPTIONS, wanted_kind

ROOT = Path(__file__).parents[2]
BREAKS = " \t\n\"'><=;|&(:"
COMMANDS = {row.name: row for row in all_commands()}
OTHER_KINDS = {
    "row_kind", "file", "config", "setting", "command", "column_list", "sort_list", "condition", "domain_or_config",
}  # fmt: skip


def offered(line: str, xl: bool = False) -> list[str]:
    """What is offered at the end of a line of unquoted words; partial ones end with ``_``."""
    words = line.split(" ")[1:]
    return [candidate.value + "_" * candidate.partial for candidate in fitting(words, xl)]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guests").mkdir()
    for name in ("web.cfg", "web.img", "notes", ".hidden.cfg", "guests/db.cfg"):
        (tmp_path / name).write_text("")


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("xlpy block-a", ["block-attach"]),
        ("xlpy -v block-a", ["block-attach"]),
        ("xlpy -H host block-a", ["block-attach"]),
        ("xlpy -o json block-a", ["block-attach"]),
        ("xlpy nonsense l", []),
        ("xlpy config chec", ["check"]),
        ("xlpy config nonsense x", []),
        ("xlpy list --con", ["--context"]),
        ("xlpy list --out", ["--output=_"]),
        ("xlpy list -- --con", []),
        ("xlpy list -o j", ["json"]),
        ("xlpy list -lo j", ["json"]),
        ("xlpy list --output=j", ["--output=json"]),
        ("xlpy list --outp=j", ["--outp=json"]),
        ("xlpy list --columns na", ["name"]),
        ("xlpy list --columns=name,dom", ["--columns=name,domid"]),
        ("xlpy list --sort -mem", ["-memory_kib"]),
        ("xlpy --columns na", []),
        ("xlpy trigger web s", ["sleep", "s3resume"]),
        ("xlpy button-press web p", ["power"]),
        ("xlpy console -t s", ["serial"]),
        ("xlpy console --type=s", ["--type=serial"]),
        ("xlpy create w", ["web.cfg"]),
        ("xlpy create no", ["notes"]),
        ("xlpy create guests/", ["guests/db.cfg"]),
        ("xlpy create g", ["guests/_"]),
        ("xlpy create .h", [".hidden.cfg"]),
        ("xlpy create nowhere/", []),
        ("xlpy create -f w", ["web.cfg"]),
        ("xlpy create -fweb.cfg on_crash=coredump-d", ["on_crash=coredump-destroy"]),
        ("xlpy create web.cfg memor", ["memory=_"]),
        ("xlpy create web.cfg type=p", ["type=pv", "type=pvh"]),
        ("xlpy create web.cfg kernel=we", ["kernel=web.cfg", "kernel=web.img"]),
        ("xlpy create memory=1 vcp", ["vcpus=_"]),
        ("xlpy create type=h", ["type=hvm"]),
        ("xlpy restore web.", ["web.cfg", "web.img"]),
        ("xlpy config show web.cfg nam", ["name=_"]),
        ("xlpy config check web.cfg we", ["web.cfg"]),
        ("xlpy block-attach web format=qcow2,acc", ["format=qcow2,access=_"]),
        ("xlpy block-attach web vdev=xvdb access=r", ["access=r", "access=ro", "access=rw"]),
        ("xlpy block-attach web target=we", ["target=web.cfg", "target=web.img"]),
        ("xlpy block-attach web cd", ["cdrom"]),
        ("xlpy network-attach web type=", ["type=vif", "type=ioemu"]),
        ("xlpy cpupool-create pool.cfg sched=cr", ["sched=credit", "sched=credit2"]),
        ("xlpy help block-a", ["block-attach"]),
        ("xlpy help config f", ["fmt"]),
        ("xlpy completion f", ["fish"]),
        ("xlpy vncviewer --por", ["--port"]),
        ("xlpy vncviewer --port --pas", []),
        ("xlpy setenforce P", ["Permissive"]),
        ("xlpy psr-cmt-show cache", ["cache-occupancy"]),
        ("xlpy shutdown -a --then d", ["destroy"]),
        ("xlpy lab up --xen 4.2", ["4.20"]),
        ("xlpy schema disk", ["disk"]),
    ],
)  # fmt: skip
def test_what_is_offered(line: str, values: list[str]) -> None:
    assert offered(line) == values


def test_the_words_are_those_that_commands_take() -> None:
    from xlpy.cli.misc import TRIGGERS
    from xlpy.cli.psr import COUNTS
    from xlpy.lab.recipe import RELEASES
    from xlpy.render.output import FORMS

    for kind, words in (
        ("monitoring", COUNTS),
        ("trigger", TRIGGERS[1:]),
        ("xen", RELEASES),
        ("form", FORMS),
    ):
        assert {value for value, _ in WORDS[kind]} == set(words)


def test_as_xl_there_are_only_its_own_commands_and_options() -> None:
    assert "config" not in offered("xl ", xl=True)
    assert offered("xl conf", xl=True) == ["config-update"]
    assert offered("xl block-detach -", xl=True) == ["-f", "--force", "--help"]
    assert offered("xl -", xl=True) == ["-v", "-N", "-f", "-t", "-T"]


def test_every_option_of_every_command_is_offered() -> None:
    for row in COMMANDS.values():
        found = offered(f"xlpy {row.name} -")
        for option in row.options:
            if not option.hidden:
                assert {f"-{letter}" for letter in option.letters} <= set(found)
                assert {f"--{long}" for long in option.longs} <= {value.rstrip("=_") for value in found}


def test_the_hosts_before_and_behind_the_command_are_noted() -> None:
    found = find_place(["-H", "a,b", "list", "--host=c", "-vHd", "we"], xl=False)
    assert found is not None
    assert (found.hosts, found.word, wanted_kind(found)) == (["a", "b", "c", "d"], "we", "domain")


def test_the_tables_speak_of_commands_and_kinds_that_exist() -> None:
    kinds = {kind for row in ARGUMENTS.values() for kind in row} - {"..."} | set(OPTIONS.values())
    assert kinds == {*WORDS, *SPECS, *OTHER_KINDS, *LIVE_KINDS}
    assert ARGUMENTS.keys() <= COMMANDS.keys()
    options = {option.name for row in COMMANDS.values() for option in row.options}
    assert OPTIONS.keys() - {"host", "output", "columns", "sort", "filter"} <= options


def test_every_command_on_a_domain_offers_domains() -> None:
    without = {
        name
        for name, row in COMMANDS.items()
        if row.usage.strip().startswith("<Domain")
        and ARGUMENTS.get(name, ("",))[0] not in ("domain", "domid")
    }
    assert without == set()


def test_every_command_that_shows_rows_offers_columns() -> None:
    assert COLUMN_KINDS.keys() <= COMMANDS.keys()
    for name in COLUMN_KINDS:
        found = columns(name)
        assert found, name
        assert all(candidate.value for candidate in found)
    assert {name for name in COMMANDS if name.endswith("-list")} <= COLUMN_KINDS.keys()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("xlpy  list a", ["xlpy", "list", "a"]),
        ("xlpy list ", ["xlpy", "list", ""]),
        ("xlpy 'a b' \"c d\" e\\ f", ["xlpy", "a b", "c d", "e f"]),
        ('xlpy "a\\"b\\c', ["xlpy", 'a"b\\c']),
        ("xlpy a''", ["xlpy", "a"]),
        ("xlpy ''", ["xlpy", ""]),
        ("xlpy 'a", ["xlpy", "a"]),
        ("xlpy a\\", ["xlpy", "a"]),
        ("", [""]),
    ],
)
def test_bash_lines(line: str, words: list[str]) -> None:
    assert split_line(line, BREAKS).words == words


@pytest.mark.parametrize(
    ("line", "value", "inserted"),
    [
        ("xlpy cr", "create", "create "),
        ("xlpy a --host=x", "--host=xen1", "xen1 "),
        ("xlpy a b:c", "b:cd", "cd "),
        ("xlpy a 'b:c", "b:c d", "b:c d"),
        ('xlpy a "b', 'b"$', 'b\\"\\$'),
        ("xlpy a b", "b c", "b\\ c "),
        ("xlpy a 'b", "b'c", None),
        ("xlpy a b=", "c", None),
    ],
)
def test_what_bash_puts_in(line: str, value: str, inserted: str | None) -> None:
    assert split_line(line, BREAKS).inserted(value, partial=False) == inserted


def test_no_blank_behind_a_part() -> None:
    assert split_line("xlpy a --ho", BREAKS).inserted("--host=", partial=True) == "--host="


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_files_are_what_the_command_prints(shell: str) -> None:
    assert (ROOT / "completions" / FILES[shell]).read_text() == SCRIPTS[shell]
