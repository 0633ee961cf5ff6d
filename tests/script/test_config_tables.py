"""The manual page of config files: its tables are those of the program, and mandoc has nothing to say."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from config_tables import MANUAL, tables, with_tables

from xlpy.config.codes import ERRORS, WARNINGS
from xlpy.config.extended import MARK
from xlpy.config.keys import known_names


def test_the_tables_are_up_to_date() -> None:
    text = MANUAL.read_text()
    assert with_tables(text) == text, "run script/config_tables.py"
    for name, table in tables().items():
        assert f'.\\" begin {name}\n{table}.\\" end {name}\n' in text


def test_the_tables_hold_everything() -> None:
    found = tables()
    assert found["settings"].count(".It Sy ") == len(known_names()) == 172
    assert found["errors"].count(".It Sy ") == len(ERRORS)
    assert found["warnings"].count(".It Sy ") == len(WARNINGS)


def test_a_table_that_is_out_of_date_is_made_anew() -> None:
    old = '.\\" begin errors\nold\n.\\" end errors\n'
    assert with_tables(old) == f'.\\" begin errors\n{tables()["errors"]}.\\" end errors\n'


def test_the_manual_tells_about_extended_files() -> None:
    assert f".Dl {MARK}\n" in MANUAL.read_text()


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_no_fault() -> None:
    done = subprocess.run(
        ["mandoc", "-Tlint", "-W", "warning", str(MANUAL)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == ""
