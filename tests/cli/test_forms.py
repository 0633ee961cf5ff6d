"""The forms of output: table, plain, json, yaml, csv; columns, sorting, headers."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml
from command_line import Call
from fake_engine import FakeEngine
from recorded import GUESTS, populate

from xlpy.render.domain import domain_kind
from xlpy.render.output import Wishes, show


@pytest.fixture(autouse=True)
def guests(fake: FakeEngine) -> None:
    populate(fake, *GUESTS)


def test_json_names_its_schema_and_units(call: Call) -> None:
    document = json.loads(call("list", "-o", "json").out)
    assert document["schema"] == "xlpy/domain/1"
    by_name = {row["name"]: row for row in document["rows"]}
    assert next(iter(by_name)) == "Domain-0"
    gcrash = by_name["gcrash"]
    assert gcrash["domid"] == 16
    assert gcrash["memory_kib"] == 96 * 1024 + 4
    assert gcrash["cpu_time_ns"] == 5_400_000_000
    assert gcrash["state"] == "shutdown"
    assert gcrash["state_letters"] == "---sc-"
    assert gcrash["shutdown_reason"] == "crash"
    assert by_name["gpv"]["shutdown_reason"] is None


def test_yaml_says_what_json_says(call: Call) -> None:
    assert yaml.safe_load(call("-o", "yaml", "list").out) == json.loads(call("-o", "json", "list").out)


def test_csv_has_all_columns(call: Call) -> None:
    rows = list(csv.DictReader(io.StringIO(call("list", "--output=csv").out)))
    assert [row["name"] for row in rows] == ["Domain-0", *(guest.name for guest in GUESTS)]
    assert rows[1]["uuid"] == GUESTS[0].uuid
    assert rows[1]["shutdown_reason"] == ""


def test_chosen_columns(call: Call) -> None:
    assert (
        call("list", "--columns", "domid,name", "gpv", "gpvh").out == "domid  name\n   11  gpv\n   17  gpvh\n"
    )
    assert json.loads(call("list", "--columns=name", "gpv", "-o", "json").out)["rows"] == [{"name": "gpv"}]
    assert call("list", "--columns", "shutdown-reason", "gcrash", "--no-headers").out == "crash\n"


def test_an_unknown_column_names_the_known_ones(call: Call) -> None:
    result = call("list", "--columns", "size")
    assert result.status == 2
    assert "memory_kib" in result.err


def test_sorting(call: Call) -> None:
    out = call("list", "--sort", "-cpu-time-ns,-name", "--columns", "name", "--no-headers").out
    assert out.split() == ["gpvh", "gpv", "gsd", "gcrash", "gpaused", "gover", "Domain-0"]


def test_a_column_that_is_nearly_there(call: Call) -> None:
    for option in (("--columns", "nmae"), ("--sort", "nmae"), ("--filter", "nmae = web")):
        assert "did you mean name? columns: name, domid" in call("list", *option).err


def test_no_headers_leaves_xls_header_out(call: Call) -> None:
    assert call("list").out.splitlines()[1:] == call("list", "--no-headers").out.splitlines()


def test_an_unknown_form(call: Call) -> None:
    result = call("list", "-o", "xml")
    assert result.status == 2
    assert "table, plain, json, yaml, csv" in result.err


def table(width: int, monkeypatch: pytest.MonkeyPatch, **options: bool) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    long_name = GUESTS[0].replace(name="a-name-that-is-far-too-long-for-a-column-of-its-own-in-80")
    out = io.StringIO()
    show(domain_kind(**options), [long_name, *GUESTS], Wishes("table"), out)
    assert max(map(len, out.getvalue().splitlines())) <= width
    assert "\x1b" not in out.getvalue()  # no terminal, no colours
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_table_cuts_names_and_nothing_else(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    out = table(width, monkeypatch)
    assert ("…" in out) is (width < 100)
    if width < 100:
        assert out.splitlines()[2].split()[0].endswith("80")  # both ends of a name are shown
    gcrash = next(line for line in out.splitlines() if line.startswith("gcrash"))
    assert gcrash.split() == ["gcrash", "16", "96", "1", "shutdown", "(crash)", "5.4"]


@pytest.mark.parametrize(("width", "options"), [(30, {}), (80, {"verbose": True})])
def test_what_is_too_wide_becomes_sheets(
    width: int, options: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = table(width, monkeypatch, **options).splitlines()
    assert ["Name", "gcrash"] in [line.split() for line in lines]
    assert ["State", "shutdown", "(crash)"] in [line.split() for line in lines]


def test_an_empty_table_has_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    show(domain_kind(), [], Wishes("table"), out)
    assert out.getvalue().startswith("Name")


def test_the_state_is_told_in_words_too(call: Call) -> None:
    out = call("list", "-o", "table", "gcrash").out
    assert "shutdown (crash)" in out


def test_xl_is_plain_and_knows_no_forms(xl: Call) -> None:
    assert xl("list", "-o", "json").status == 2
    assert xl("-o", "json", "list").status == 1


def test_single_values(call: Call) -> None:
    assert json.loads(call("domid", "gpv", "-o", "json").out) == {
        "schema": "xlpy/domain-name/1",
        "rows": [{"name": "gpv", "domid": 11}],
    }
    assert json.loads(call("uptime", "gpv", "-o", "json").out)["rows"][0]["start_time_s"] == 1_700_000_000.0


def test_a_configuration_has_no_csv(call: Call) -> None:
    result = call("-o", "csv", "list", "-l")
    assert (result.out, result.status) == ("", 2)
    assert result.err == "xlpy: a configuration does not fit into csv\n  (use -o json or -o yaml)\n"
