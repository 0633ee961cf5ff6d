"""What a command imports is most of what it costs: the common path stays without the heavy modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "argparse", "asyncio", "click", "contextlib", "ctypes", "dataclasses", "inspect", "logging", "paramiko", "pathlib",
    "rich", "shutil", "sqlite3", "subprocess", "tempfile", "threading", "typing", "uuid", "yaml",
}  # fmt: skip


def modules_after(code: str) -> set[str]:
    """The modules that are loaded after this code has run in a fresh interpreter without site."""
    root = str(Path(__file__).parents[2])
    probe = f"import sys\nsys.path.insert(0, {root!r})\n{code}\nprint('MODULES', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", probe],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return set(done.stdout.rpartition("MODULES ")[2].split())


ENGINE = """
from xlpy.engine.base import Engine
from xlpy.model.domain import DomainInfo
class Small(Engine):
    def list_domains(self):
        return (DomainInfo(domid=0, uuid="0", name="Domain-0", start_time_s=0.0),)
    def find_domain(self, reference):
        return self.list_domains()[0]
    def destroy_domain(self, domid):
        pass
"""


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "Domain-0"],
        ["destroy", "-f", "0"],
        ["domid", "Domain-0"],
        ["uptime"],
        ["vm-list"],
        ["help"],
    ],
    ids=" ".join,
)
def test_a_plain_command_is_light(words: list[str]) -> None:
    loaded = modules_after(
        f"{ENGINE}\nfrom xlpy.cli.main import run\nassert run({words}, open_host=lambda address: Small()) == 0"
    )
    assert not loaded & (HEAVY | {"enum", "json", "re"})


def test_the_client_is_light() -> None:
    assert not modules_after("import xlpy.client.host, xlpy.client.address, xlpy.transport.unix") & (
        HEAVY | {"re"}
    )


def test_saving_and_restoring_is_light() -> None:
    loaded = modules_after(
        "import xlpy.cli.create, xlpy.cli.saverestore, xlpy.client.save, xlpy.client.restore"
    )
    assert not loaded & (HEAVY | {"collections", "enum", "json", "re"})
    loaded = modules_after("import xlpy.cli.saverestore, xlpy.cli.started")
    assert not {name for name in loaded if name.startswith("xlpy.config")}


def test_the_config_parser_is_light() -> None:
    code = """
from xlpy.config.domain import parse_domain_config
parse_domain_config('name="x"\\ntype="pvh"\\nkernel="/k"\\nmemory=32\\ndisk=["/d,raw,xvda,w"]\\nvif=[""]\\n', "x.cfg")
"""
    assert not modules_after(code) & (HEAVY | {"enum", "re"})


def test_the_name_it_is_called_by_decides() -> None:
    code = """
from xlpy.__main__ import main
sys.argv = ["/usr/sbin/xl", "frobnicate"]
as_xl = main()
sys.argv = ["/usr/bin/xlpy", "frobnicate"]
assert (as_xl, main()) == (1, 2)
"""
    assert "xlpy.cli.main" in modules_after(code)


# What os is made of, and what __main__ imports: a start of ours has no more of the standard library.
STANDARD = {
    "__future__",
    "_collections_abc",
    "_stat",
    "gc",
    "genericpath",
    "os",
    "os.path",
    "posixpath",
    "stat",
}
TABLES = {
    f"cli.table_{topic}"
    for topic in ("device", "domain", "host", "hypervisor", "lab", "managed", "own", "passthrough")
}
LINE = {
    *("", "__main__", "cli", "cli.command", "cli.commands", "cli.global_options", "cli.options", "errors"),
    *("model", "model.late_import"),
}
RUN = {*LINE, "cli.main", "cli.session", "cli.usage"}
HELP = {*RUN, "cli.help", "cli.help_page"}
TAB = {
    *LINE,
    "cli.completion",
    *(
        f"cli.completion.{name}"
        for name in ("answer", "candidate", "files", "place", "specs", "values", "wanted")
    ),
}
WORD_BREAKS = " \t\n\"'><=;|&(:"


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["--version"], {"", "__main__"}),
        (["help"], {*HELP, *TABLES}),
        (["help", "--long"], {*HELP, *TABLES}),
        (["--help"], {*HELP, *TABLES}),
        (["help", "create"], {*HELP, *TABLES, "cli.examples"}),
        (["create", "--help"], {*HELP, "cli.table_domain", "cli.examples"}),
        (["__complete", "bash", "xlpy li", WORD_BREAKS], {*TAB, *TABLES, "cli.completion.line"}),
        (["__complete", "bash", "xlpy list --co", WORD_BREAKS], {*TAB, "cli.table_domain", "cli.completion.line"}),
        (["__complete", "zsh", "xlpy", "list", "--co"], {*TAB, "cli.table_domain"}),
        (["__complete", "fish", "xlpy", "trigger", "web", "n"], {*TAB, "cli.table_domain"}),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)  # fmt: skip
def test_what_needs_no_host_imports_just_this(words: list[str], ours: set[str]) -> None:
    code = f"sys.argv = ['xlpy', *{words!r}]\nfrom xlpy.__main__ import main\nassert main() == 0"
    loaded = modules_after(code)
    assert {name.removeprefix("xlpy").removeprefix(".") for name in loaded if name.startswith("xlpy")} == ours
    standard = {name for name in loaded - modules_after("") if not name.startswith("xlpy")}
    assert standard <= STANDARD


def test_the_process_ends_with_the_commands_status(tmp_path: Path) -> None:
    def run(*words: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "xlpy", *words]
        return subprocess.run(argv, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)

    assert run("--version").stdout.startswith("xlpy ")
    assert run("no-such-command").returncode == 2
    assert "there is no command" in run("no-such-command").stderr
    for words in (["help"], ["help", "list"]):  # more than a buffer holds, and less
        with open("/dev/full", "w") as full:
            failed = run(*words, stdout=full.fileno())
        assert (failed.returncode, failed.stderr) == (
            1,
            "xlpy: cannot write the output: No space left on device\n",
        )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing_else(closed: str) -> None:
    """As daemons start commands."""

    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        argv = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "xlpy", *words]
        return subprocess.run(argv, capture_output=True, check=False)

    shown, refused = run("help", "list"), run("no-such-command")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert (shown.stdout == b"") == (" >&-" in f" {closed}")
    assert (refused.stderr == b"") == ("2>&-" in closed)
