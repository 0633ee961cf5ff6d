"""The table of commands: complete, true to xl, and every row leads somewhere."""

from __future__ import annotations

import pytest
from command_line import Call
from recorded import Recording

from xlpy.cli.commands import (
    ORDER,
    all_commands,
    find_command,
    find_xl_command,
    subcommands,
    xl_commands,
)
from xlpy.cli.options import Option

COMMANDS = {row.name: row for row in all_commands()}
HELPS = [
    "block-attach", "cd-insert", "cpupool-create", "create", "list", "migrate", "network-attach", "psr-cat-set",
    "save", "sched-credit2", "shutdown", "vcpu-pin", "long", "unknown",
]  # fmt: skip
NEW_SINCE_RECORDING = {"suspend", "resume", "xenstore-quota-get", "xenstore-quota-set"}


def test_all_names_of_xl_are_known() -> None:
    assert len(set(ORDER)) == len(ORDER) == 96
    assert all(find_command(name) for name in (*ORDER, "dt-overlay"))
    own = {name for name, row in COMMANDS.items() if row.own}
    assert COMMANDS.keys() == {*ORDER, "dt-overlay", "help"} | own


@pytest.mark.parametrize("name", COMMANDS)
def test_a_row_leads_to_its_function(name: str) -> None:
    handler = COMMANDS[name].load()
    assert handler.__doc__


@pytest.mark.parametrize("name", COMMANDS)
def test_options_of_a_row_do_not_collide(name: str) -> None:
    options: tuple[Option, ...] = COMMANDS[name].options
    spellings = [word for option in options for word in (*option.letters, *option.longs)]
    assert len(spellings) == len(set(spellings))
    assert len({option.name for option in options}) == len(options)
    assert all(option.help or option.hidden for option in options)


@pytest.mark.parametrize("name", HELPS)
def test_help_as_recorded(name: str, xl: Call) -> None:
    recording = Recording(f"help-{name}")
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


@pytest.mark.parametrize(("name", "status"), [("help", 0), ("noargs", 1)])
def test_list_of_commands_as_recorded(name: str, status: int, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    new = [
        line
        for line in result.out.splitlines()
        if line.split()[0:1] and line.split()[0] in NEW_SINCE_RECORDING
    ]
    recorded = recording.out.replace(  # 4.17 said so; the newer xl names the right device
        " vsnd-list           List virtual display", " vsnd-list           List virtual sound"
    )
    assert [line for line in result.out.splitlines() if line not in new] == recorded.splitlines()
    assert len(new) == len(NEW_SINCE_RECORDING)
    assert result.status == recording.status == status


@pytest.mark.parametrize(
    "name",
    [
        "e-badcmd", "e-destroy-noarg", "e-memset2", "e-save", "e-sysrq", "e-migrate", "e-debugkeys", "e-shutdown-noarg",
    ],
)  # fmt: skip
def test_usage_errors_as_recorded(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_xl_knows_no_version_option(xl: Call) -> None:
    result = xl("--version")
    assert result.status == Recording("version").status
    assert result.err.endswith("invalid option -- '-'\nunknown global option\n")


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        ("cr", "create"),
        ("vm", "vm-list"),
        ("li", "list"),
        ("save", "save"),
        ("s", None),
        ("", None),
        ("he", None),
    ],
)
def test_xl_takes_unambiguous_beginnings(beginning: str, name: str | None) -> None:
    command = find_xl_command(beginning)
    assert (command.name if command else None) == name


def test_xlpy_wants_whole_names_and_helps_to_find_them(call: Call) -> None:
    result = call("lst")
    assert result.status == 2
    assert result.err == "xlpy: there is no command 'lst'\n  (did you mean list or vm-list?)\n"
    assert call("hots", "list").err == "xlpy: there is no command 'hots'\n  (did you mean host?)\n"
    assert call("host", "lst").err.endswith("(did you mean host list?)\n")
    assert "one of: host list, host show" in call("host", "nonsense").err


@pytest.mark.parametrize("row", xl_commands(), ids=lambda row: row.name)
def test_help_of_every_command_needs_no_host(row: object, call: Call, xl: Call) -> None:
    name = row.name  # type: ignore[attr-defined]
    for words in (("help", name), (name, "--help")):
        if words[0] == "help" or name in COMMANDS:
            assert call(*words).out.startswith(f"Usage: xlpy {name}")
            assert xl(*words).out.startswith("Usage: xl [-vtT")


def test_dry_run_is_refused_where_there_is_none(xl: Call) -> None:
    result = xl("-N", "list")
    assert (result.err, result.status) == ("command does not implement -N (dryrun) option\n", 1)


@pytest.mark.parametrize("words", [("config", "--help"), ("config", "-h"), ("help", "config")])
def test_help_of_the_commands_with_a_first_word_in_common(words: tuple[str, ...], call: Call) -> None:
    result = call(*words)
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(
        "Usage: xlpy config COMMAND [options] [arguments]\n\nCommands:\n  config check"
    )
    for second in subcommands("config"):
        assert f"\n  config {second} " in result.out
        assert call("help", "config", second).out.startswith(f"Usage: xlpy config {second} ")
        assert call("config", second, "--help").out == call("help", "config", second).out


@pytest.mark.parametrize("words", [("config", "chekc"), ("help", "config", "chekc")])
def test_a_second_word_that_does_not_exist(words: tuple[str, ...], call: Call) -> None:
    result = call(*words)
    assert result.status == 2
    assert result.err == "xlpy: there is no command 'config chekc'\n  (did you mean config check?)\n"
