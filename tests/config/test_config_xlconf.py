"""xl.conf, memory sizes, and the nearest word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.config.diagnostic import hint_text, one_of, perhaps
from xlpy.config.size import parse_memory_size
from xlpy.config.xlconf import XlConf
from xlpy.config.xlconf_file import parse_xl_conf
from xlpy.errors import ConfigError, UsageError
from xlpy.model.nearest import nearest


def test_an_empty_file_is_xls_defaults() -> None:
    parsed = parse_xl_conf(b"# nothing\n")
    assert (parsed.conf, parsed.diagnostics) == (XlConf(), ())


def test_all_settings() -> None:
    text = (
        "autoballoon='0'\nrun_hotplug_scripts=0\nlockfile='/l'\nvif.default.script='s'\nvif.default.bridge='b'\n"
        "vif.default.gatewaydev='g'\nvif.default.backend='d'\noutput_format='sxp'\nblkdev_start='xvdb'\nclaim_mode=0\n"
        "remus.default.netbufscript='n'\ncolo.default.proxyscript='p'\nmax_grant_frames=1\nmax_maptrack_frames=2\n"
        "max_grant_version=1\nvm.cpumask='0-1'\nvm.hvm.cpumask='1'\nvm.pv.cpumask='all'\ndomid_policy='random'\n"
        "bootloader_restrict=1\n"
    )
    parsed = parse_xl_conf(text)
    assert parsed.diagnostics == ()
    assert parsed.conf == XlConf(
        autoballoon="off", run_hotplug_scripts=False, lockfile="/l", vif_script="s", vif_bridge="b",
        vif_gatewaydev="g", vif_backend="d", output_format="sxp", blkdev_start="xvdb", claim_mode=False,
        remus_netbufscript="n", colo_proxyscript="p", max_grant_frames=1, max_maptrack_frames=2,
        max_grant_version=1, vm_cpumask="0-1", hvm_cpumask="1", pv_cpumask="all", domid_policy="random",
        bootloader_restrict=True,
    )  # fmt: skip


def test_old_names() -> None:
    parsed = parse_xl_conf("vifscript='old'\nvif.default.script='new'\ndefaultbridge='b'\n")
    assert (parsed.conf.vif_script, parsed.conf.vif_bridge) == ("new", "b")
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == ["deprecated", "deprecated"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("autoballoon='maybe'\n", "unknown-value"),
        ("output_format='xml'\n", "unknown-value"),
        ("domid_policy='x'\n", "unknown-value"),
        ("outputformat='json'\n", "unknown-key"),
        ("claim_mode='x'\n", "not-a-number"),
    ],
)
def test_warnings(text: str, code: str) -> None:
    parsed = parse_xl_conf(text)
    assert parsed.conf == XlConf()
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == [code]


@pytest.mark.parametrize(
    "text", ["max_grant_frames='x'\n", 'max_grant_version="-1"\n', "vm.cpumask='1-0'\n", "a=@\n"]
)
def test_errors(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_xl_conf(text)
    assert (caught.value.where or "").startswith("/etc/xen/xl.conf:1:")


@pytest.mark.parametrize(
    ("text", "size_kib"),
    [
        ("512", 524288),
        ("512m", 524288),
        ("1G", 1048576),
        ("1t", 1 << 30),
        ("64k", 64),
        ("2048b", 2),
        ("", 0),
        ("k", 0),
    ],
)
def test_memory_sizes(text: str, size_kib: int) -> None:
    assert parse_memory_size(text) == size_kib


@pytest.mark.parametrize("text", ["512mb", "1.5g", "x", "-1k", "1 m", "5q"])
def test_what_is_no_memory_size(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_memory_size(text)
    assert (caught.value.message, caught.value.exit_status) == (f"invalid memory size: {text}", 1)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("memroy", "memory"), ("vcpu", "vcpus"), ("nmae", "name"), ("zzz", None), ("", None), ("m" * 500, None)],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, ("name", "memory", "maxmem", "vcpus")) == meant


@given(
    st.text(alphabet="abc", max_size=6), st.lists(st.text(alphabet="abc", min_size=1, max_size=6), max_size=4)
)
def test_a_known_word_is_nearest_to_itself(word: str, known: list[str]) -> None:
    assert word == "" or nearest(word, (*known, word)) == word


def test_without_a_near_word_all_are_named() -> None:
    assert hint_text(one_of(("a", "b"), "zzzz")) == "one of a b"
    assert hint_text(perhaps(("a", "b"), "zzzz")) is None
    assert hint_text(perhaps(("memory", "b"), "memroy")) == "did you mean 'memory'?"
