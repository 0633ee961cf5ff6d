"""The table of settings: complete, in the manual's words for kinds, and every plain row goes where it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from parsing import HVM, PV, config, diagnostics

from xlpy.config.keys import KEYS, Row, find_key, known_names
from xlpy.model.domain_config import DomainConfig

HERE = Path(__file__).parent
PLAIN = [
    row for row in KEYS if row[1] in ("string", "int", "uint32", "param", "mask", "bool", "mib", "strings")
]
PVH = 'name="n"\ntype="pvh"\nkernel="/k"\n'
HEADS = {"hvm": HVM, "pv": PV, "pvh": PVH, "": HVM}
SAMPLES: dict[str, tuple[str, object]] = {
    "string": ('"text"', "text"),
    "int": ("5", 5),
    "uint32": ('"-1"', 0xFFFFFFFF),
    "param": ("5", 5),
    "mask": ("5", 5),
    "bool": ("1", True),
    "mib": ("3", 3072),
    "strings": ('["a", "b"]', ("a", "b")),
}


def field(found: DomainConfig, target: str) -> object:
    section, _, name = target.partition(".")
    build, hvm = found.b_info, found.b_info.hvm
    sections: dict[str, object] = {
        "c": found.c_info,
        "b": build,
        "sched": build.sched_params,
        "arm": build.arch_arm,
        "hvm": hvm,
        "pv": build.pv,
        "pvh": build.pvh,
        "spice": hvm.spice if hvm else None,
    }
    return getattr(sections[section], name)


@pytest.mark.parametrize("row", PLAIN, ids=[row[0] for row in PLAIN])
def test_plain_settings_go_where_the_table_says(row: Row) -> None:
    name, how, target, types, *_ = row
    written, value = SAMPLES[how]
    assert field(config(f"{HEADS[types]}{name}={written}\n"), target) == value


@pytest.mark.parametrize("name", ["cap", "cpu_weight", "xenstore_feature_mask"])
def test_where_minus_one_stands_for_unset_it_is_unset(name: str) -> None:
    row = find_key(name)
    assert row is not None
    assert field(config(f'{HVM}{name}="-1"\n'), row[2]) is None


def test_there_are_172_settings_each_with_help_and_a_version() -> None:
    names = known_names()
    assert len(names) == len(set(names)) == 172
    for name in names:
        row = find_key(name)
        assert row is not None
        _, _, _, _, guests, since, text = row
        assert guests
        assert 5 < len(text) < 70
        assert (4, 2) <= tuple(int(part) for part in since.split(".")) <= (4, 23)


def test_parts_belong_to_a_setting_that_reads_them() -> None:
    readers = {row[0] for row in KEYS if row[1] in ("call", "step")}
    assert {row[2] for row in KEYS if row[1] == "part"} <= readers


def test_an_unknown_name_has_no_row() -> None:
    assert find_key("memroy") is None
    assert find_key("") is None or find_key("")[6] == ""  # type: ignore[index]


def test_settings_for_another_type_are_not_read() -> None:
    assert diagnostics(PV + "viridian=['bogus']\npvshim=1\n") == []


def test_every_setting_is_used_by_a_test() -> None:
    texts = [path.read_text() for path in HERE.glob("test_config_*.py")]
    texts += [
        path.read_text(errors="replace")
        for path in (HERE.parent / "data" / "config" / "corpus").glob("*.cfg")
    ]
    everything = "\n".join(texts)
    plain = {row[0] for row in PLAIN}
    missing = [
        name
        for name in known_names()
        if name not in plain and f"{name}=" not in everything.replace(" =", "=")
    ]
    assert missing == []
