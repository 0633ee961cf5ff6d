"""xlpy config check, fmt, show, diff and convert, and what create does with extended files and --strict."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest
from command_line import Call

GOOD = 'name = "web"\ntype = "pvh"\nkernel = "/k"\nmemory = 64\nvcpus = 2\n'
BAD = 'name="web"\ntype="pvh"\nkernel="/k"\nmemroy=64\ndisk=["/x,raw,xvda,rx"]\non_crash="restrat"\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.cfg").write_text(GOOD)
    (tmp_path / "bad.cfg").write_text(BAD)
    (tmp_path / "common.cfg").write_text('type = "pvh"\nkernel = "/k"\n')
    (tmp_path / "many.cfg").write_text('#xlpy: extended\ninclude "common.cfg"\nname = "${name}"\n')
    return tmp_path


def test_check_says_nothing_about_a_good_file(call: Call) -> None:
    result = call("config", "check", "good.cfg")
    assert (result.status, result.out, result.err) == (0, "", "")


def test_check_reports_all_there_is_in_the_order_of_the_file(call: Call) -> None:
    result = call("config", "check", "good.cfg", "bad.cfg")
    assert (result.status, result.err) == (1, "")
    assert result.out == (
        "bad.cfg:4:1: warning: unknown setting 'memroy' has no effect [unknown-key]\n"
        "  memroy=64\n  ^^^^^^\n  (did you mean 'memory'?)\n"
        "bad.cfg:5:20: error: disk: unknown value 'rx' for access [bad-spec]\n"
        "  disk=[\"/x,raw,xvda,rx\"]\n                     ^^\n  (did you mean 'ro'?)\n"
        "bad.cfg:6:11: error: on_crash: unknown value 'restrat' [unknown-value]\n"
        "  on_crash=\"restrat\"\n            ^^^^^^^\n  (did you mean 'restart'?)\n"
    )


def test_check_for_editors(call: Call) -> None:
    result = call("config", "check", "-o", "json", "bad.cfg", "none.cfg")
    document = json.loads(result.out)
    assert document["schema"] == "xlpy/config-finding/1"
    first, *_, last = document["rows"]
    assert first == {
        "file": "bad.cfg",
        "line": 4,
        "column": 1,
        "severity": "warning",
        "code": "unknown-key",
        "message": "unknown setting 'memroy' has no effect",
        "hint": "did you mean 'memory'?",
        "detail": "memroy=64\n^^^^^^",
    }
    assert (last["file"], last["code"], last["line"]) == ("none.cfg", "unreadable", None)
    assert result.status == 1
    assert json.loads(call("config", "check", "-o", "json", "good.cfg").out)["rows"] == []


def test_check_reports_each_error_of_syntax(call: Call, place: Path) -> None:
    (place / "s.cfg").write_text("a = = 1\nb = 2\nc == 3\n")
    result = call("config", "check", "s.cfg")
    assert [line for line in result.out.splitlines() if "[syntax]" in line] == [
        "s.cfg:1:5: error: unexpected '=', expected a string, a number or '[' [syntax]",
        "s.cfg:3:4: error: unexpected '=', expected a string, a number or '[' [syntax]",
    ]


def test_strict_makes_errors_of_what_has_no_effect(call: Call, place: Path) -> None:
    (place / "w.cfg").write_text('name="w"\nbuilder="generic"\nkernel="/k"\nmemroy=1\n')
    rows = json.loads(call("config", "check", "--strict", "-o", "json", "w.cfg").out)["rows"]
    assert [(row["code"], row["severity"]) for row in rows] == [
        ("deprecated", "warning"),
        ("unknown-key", "error"),
    ]


def test_check_asks_the_host_that_is_named(call: Call, place: Path) -> None:
    (place / "p.cfg").write_text(GOOD + 'cpus="500"\n')
    assert call("config", "check", "p.cfg").status == 0
    result = call("config", "check", "-H", "somewhere", "p.cfg")
    assert result.out.startswith("p.cfg:6:7: error: no pcpu is left for a vcpu to run on [bad-value]\n")


def test_create_strict(call: Call) -> None:
    loose = call("create", "-n", "good.cfg", "memroy=1")
    assert (loose.status, "warning: command line:1:1: unknown setting 'memroy'" in loose.err) == (0, True)
    strict = call("create", "-n", "--strict", "good.cfg", "memroy=1")
    assert (strict.status, strict.out) == (1, "")
    assert (
        "xlpy: command line:1:1: unknown setting 'memroy' has no effect\n  memroy=1\n  ^^^^^^" in strict.err
    )


def test_one_file_makes_many_guests(call: Call) -> None:
    for name in ("web1", "web2"):
        assert call("create", "-p", "many.cfg", "--set", f"name={name}").status == 0
    assert "web1" in call("list").out
    result = call("create", "many.cfg")
    assert result.status == 1
    assert "many.cfg:3:9: no value for 'name'" in result.err


def test_show_says_where_values_are_from(call: Call) -> None:
    result = call("config", "show", "many.cfg", "memory=64", "--set", "name=w")
    lines = [line.split("  #") for line in result.out.splitlines()]
    shown = {line[0].split(" = ")[0]: (line[0].split(" = ")[1].strip(), line[1].strip()) for line in lines}
    assert shown["name"] == ('"w"', "many.cfg:3:9")
    assert shown["kernel"] == ('"/k"', "common.cfg:2:11")
    assert shown["memory"] == ("64", "command line:1:8")
    assert shown["maxmem"] == ("64", "from memory (command line:1:8)")
    assert shown["vcpus"] == ("1", "default")
    assert shown["uuid"][1] == "made up"


def test_what_is_shown_is_a_config_itself(call: Call, place: Path) -> None:
    for kind in ("pvh", "pv", "hvm"):
        (place / "x.cfg").write_text(
            f'name="x"\ntype="{kind}"\nkernel="/k"\nuuid="01234567-89ab-cdef-0123-456789abcdef"\nmaxmem=99\n'
        )
        (place / "shown.cfg").write_text(call("config", "show", "x.cfg").out)
        assert call("config", "check", "shown.cfg").out == ""
        assert call("config", "diff", "x.cfg", "shown.cfg").out == ""


def test_show_for_programs(call: Call) -> None:
    rows = json.loads(call("config", "show", "-o", "json", "good.cfg").out)["rows"]
    assert {"name": "kernel", "value": '"/k"', "source": "file", "origin": "good.cfg:3:11"} in rows
    assert {"name": "vcpus", "value": "2", "source": "file", "origin": "good.cfg:5:9"} in rows
    assert {"name": "on_crash", "value": '"destroy"', "source": "default", "origin": "libxl"} in rows


def test_show_plain(call: Call) -> None:
    result = call("config", "show", "--plain", "many.cfg", "--set", "name=w")
    assert result.out == 'type = "pvh"\nkernel = "/k"\nname = "w"\n'


def test_fmt_rewrites_files_and_keeps_their_mode(call: Call, place: Path) -> None:
    path = place / "bad.cfg"
    path.chmod(0o640)
    (place / "link.cfg").symlink_to("bad.cfg")
    result = call("config", "fmt", "link.cfg", "good.cfg")
    assert (result.status, result.out, result.err) == (0, "", "")
    assert path.read_text().startswith('name = "web"\ntype = "pvh"\n')
    assert path.stat().st_mode & 0o777 == 0o640
    assert (place / "link.cfg").is_symlink()
    assert not [name for name in os.listdir(place) if name.endswith(".partial")]


def test_fmt_check_changes_nothing(call: Call, place: Path) -> None:
    result = call("config", "fmt", "--check", "bad.cfg", "good.cfg")
    assert (result.status, result.out) == (1, "bad.cfg\n")
    assert (place / "bad.cfg").read_text() == BAD
    assert call("config", "fmt", "--check", "good.cfg").status == 0
    found = json.loads(call("config", "fmt", "--check", "bad.cfg", "good.cfg", "-o", "json").out)
    assert found == {"schema": "xlpy/file/1", "rows": [{"path": "bad.cfg"}]}


def test_fmt_leaves_alone_what_does_not_parse(call: Call, place: Path) -> None:
    (place / "s.cfg").write_text("a = = 1\n")
    result = call("config", "fmt", "s.cfg", "bad.cfg")
    assert result.status == 1
    assert "s.cfg:1:5: unexpected '='" in result.err
    assert (place / "s.cfg").read_text() == "a = = 1\n"
    assert (place / "bad.cfg").read_text() != BAD


def test_fmt_as_a_filter(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a=1\n")))
    assert call("config", "fmt", "-").out == "a = 1\n"


def test_diff_with_a_domain_says_how_to_apply(call: Call, place: Path) -> None:
    (place / "old.cfg").write_text(GOOD + 'disk=["/d,raw,xvdb,rw"]\nvif=["bridge=a"]\n')
    assert call("create", "-p", "old.cfg").status == 0
    assert call("config", "diff", "old.cfg", "web").out == ""
    wanted = (
        GOOD.replace("64", "32").replace('"/k"', '"/k2"')
        + 'cpu_weight=512\non_crash="preserve"\ndisk=["/c d,raw,xvdc,r"]\nvif=["bridge=b"]\ncpus="0"\n'
    )
    (place / "new.cfg").write_text(wanted)
    result = call("config", "diff", "new.cfg", "web")
    assert result.status == 1
    assert (
        result.out
        == """\
--- web
+++ new.cfg
- cpu_weight = 256
+ cpu_weight = 512
    now: xlpy sched-credit2 -d web -w 512
- memory = 64
+ memory = 32
    now: xlpy mem-set web 32m
- maxmem = 64
+ maxmem = 32
    now: xlpy mem-max web 32m
+ cpus = "0"
    now: xlpy vcpu-pin web all 0 all
- on_crash = "destroy"
+ on_crash = "preserve"
    now: xlpy config-update web new.cfg
- kernel = "/k"
+ kernel = "/k2"
    at restart: xlpy config-update web new.cfg
+ disk = vdev=xvdc, format=raw, access=ro, target=/c d
    now: xlpy block-attach web 'vdev=xvdc, format=raw, access=ro, target=/c d'
- disk = vdev=xvdb, format=raw, access=rw, target=/d
    now: xlpy block-detach web xvdb
- vif = bridge=a
+ vif = bridge=b
    now: xlpy network-detach web 0 && xlpy network-attach web bridge=b
"""
    )
    rows = json.loads(call("config", "diff", "-o", "json", "new.cfg", "web").out)["rows"]
    assert rows[0] == {
        "setting": "cpu_weight",
        "wanted": "512",
        "present": "256",
        "applies": "live",
        "commands": ["xlpy sched-credit2 -d web -w 512"],
    }
    assert [row["applies"] for row in rows if row["setting"] == "kernel"] == ["restart"]


def test_diff_of_two_files(call: Call, place: Path) -> None:
    (place / "other.cfg").write_text(GOOD.replace("64", "128"))
    result = call("config", "diff", "good.cfg", "other.cfg")
    assert (
        result.out
        == "--- other.cfg\n+++ good.cfg\n- memory = 128\n+ memory = 64\n- maxmem = 128\n+ maxmem = 64\n"
    )
    assert result.status == 1


def test_diff_with_a_domain_that_is_not_there(call: Call) -> None:
    result = call("config", "diff", "good.cfg", "nobody")
    assert (result.status, "nobody is an invalid domain identifier" in result.err) == (1, True)


def test_convert_there_and_back(call: Call, place: Path) -> None:
    xml = call("config", "convert", "good.cfg")
    assert xml.status == 0
    assert xml.out.startswith("<domain type='xen'>\n  <name>web</name>\n")
    (place / "d.xml").write_text(xml.out)
    back = call("config", "convert", "d.xml")
    assert (back.status, back.err) == (0, "")
    assert 'kernel = "/k"\n' in back.out


def test_convert_refuses_what_would_be_lost(call: Call) -> None:
    result = call("config", "convert", "good.cfg.none")
    assert result.status == 3
    (Path("cap.cfg")).write_text(GOOD + "cap=50\n")
    result = call("config", "convert", "cap.cfg")
    assert (result.status, result.out) == (1, "")
    assert "lost:\n  cap = 50\n" in result.err
    lossy = call("config", "convert", "--lossy", "cap.cfg")
    assert (lossy.status, lossy.err) == (0, "xlpy: lost: cap = 50\n")
    assert lossy.out.startswith("<domain")


def test_convert_names_the_lines_of_xml_that_would_be_lost(call: Call, place: Path) -> None:
    (place / "d.xml").write_text(
        "<domain type='xen'><name>n</name><os><type>hvm</type></os>\n<devices><rng/></devices></domain>"
    )
    result = call("config", "convert", "d.xml")
    assert "lost:\n  line 2: /domain/devices/rng\n" in result.err


def test_a_second_word_is_needed(call: Call) -> None:
    result = call("config")
    assert (result.status, result.err.splitlines()[0]) == (2, "xlpy: config needs a second word")
    result = call("config", "chek")
    assert (result.status, result.err.splitlines()[0]) == (2, "xlpy: there is no command 'config chek'")


@pytest.mark.parametrize("second", ["show", "convert"])
def test_one_file_too_many(call: Call, second: str) -> None:
    assert call("config", second, "good.cfg", "bad.cfg").status == 2


def test_xl_has_no_such_commands(xl: Call) -> None:
    assert xl("config", "check").err != ""
    assert "Usage: xl [-vtTfN] config-update" in xl("help", "config").out
