"""The manual pages: they hold every command and option there is, and mandoc has nothing to say."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from manual_tables import MAN, tables, with_tables

from xlpy.cli.commands import all_commands
from xlpy.cli.global_options import GLOBALS
from xlpy.inventory.settings import HOST_SETTINGS

PAGES = ("xlpy.1", "xlpyd.8", "xlpy.cfg.5", "xlpy-hosts.yaml.5")


def test_there_is_a_page_for_each_program_and_each_file() -> None:
    assert {path.name for path in MAN.iterdir()} == set(PAGES)


@pytest.mark.parametrize("page", ["xlpy.1", "xlpyd.8"])
def test_the_tables_are_up_to_date(page: str) -> None:
    text = (MAN / page).read_text()
    found = tables(page)
    assert with_tables(text, found) == text, "run script/manual_tables.py"
    for name, part in found.items():
        assert f'.\\" begin {name}\n{part}.\\" end {name}\n' in text


def test_every_command_and_option_is_in_the_page() -> None:
    page = shown("xlpy.1")
    for row in all_commands():
        assert f"\n     {row.name} {' '.join(row.usage.split())}".rstrip() in page
        for option in row.options:
            assert option.hidden or option.spelled() in page
    for option in GLOBALS:
        assert option.spelled() in page


def test_every_setting_of_a_host_is_in_its_page() -> None:
    text = (MAN / "xlpy-hosts.yaml.5").read_text()
    section = text.partition(".Sh SETTINGS OF A HOST\n")[2].partition(".Sh ")[0]
    items = [line.removeprefix(".It Sy ") for line in section.splitlines() if line.startswith(".It Sy ")]
    assert sorted(items) == sorted(HOST_SETTINGS)


def test_the_options_of_the_daemon_are_in_its_synopsis() -> None:
    text = (MAN / "xlpyd.8").read_text()
    synopsis = text.partition(".Sh SYNOPSIS\n")[2].partition(".Sh ")[0]
    for line in tables("xlpyd.8")["options"].splitlines():
        if line.startswith(".It ") and "version" not in line and "help" not in line:
            assert line.split()[2] in synopsis


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_no_fault(page: str) -> None:
    done = subprocess.run(
        ["mandoc", "-Tlint", "-W", "warning", str(MAN / page)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == ""


def shown(page: str) -> str:
    """The page as it is read, without formatting and with wide lines."""
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        pytest.skip("mandoc is not installed")
    done = subprocess.run(
        [mandoc, "-Tascii", "-O", "width=1000", str(MAN / page)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    bold = "\b"
    text = done.stdout
    while bold in text:
        at = text.index(bold)
        text = text[: at - 1] + text[at + 1 :]
    return text
