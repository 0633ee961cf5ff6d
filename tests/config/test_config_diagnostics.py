"""Every code that a finding can have, with the text that a user sees."""

from __future__ import annotations

import ast

import pytest
from parsing import HVM, PV
from source_tree import ROOT

from xlpy.config.check import Finding, check_text
from xlpy.config.codes import ERRORS, WARNINGS
from xlpy.config.diagnostic import SettingError
from xlpy.config.from_libvirt import from_libvirt

CASES: list[tuple[str, str, str]] = [
    ("syntax", PV + "a = = 1\n", "f:3:5: error: unexpected '=', expected a string, a number or '['"),
    ("syntax", PV + "memory = 1g\n", "f:3:11: error: unexpected 'g', expected the end of the line or ';'"),
    ("syntax", PV + "a='x\n", "f:3:3: error: this string has no closing '"),
    ("syntax", 'name="n"\r\n', "f:1:9: error: carriage return: the file has Windows line ends"),
    ("syntax", "\ufeffname='n'\n", "f:1:1: error: the file begins with a byte order mark"),
    ("syntax", "a='x\0'\n", "f:1:5: error: NUL character in a string"),
    ("syntax", PV + "# end", "f:3:1: error: a comment on the last line needs a newline at its end"),
    ("syntax", "import os\n", "f:1:8: error: unexpected 'os', expected '=' or '+='"),
    ("syntax", "a=(1,2)\n", "f:1:3: error: unexpected '(1,2)': this looks like Python"),
    ("syntax", "vcpus=-1\n", "f:1:7: error: negative numbers must be quoted"),
    ("syntax", "Memory=1\n", "f:1:1: error: names have no capital letters: 'Memory=1'"),
    ("syntax", "a=[1 2]\n", "f:1:6: error: unexpected '2', expected ',' or ']'"),
    ("syntax", PV + "a='x'\na+=[1]\n", "f:4:1: error: a: can't add a list to a single value or the other way round"),
    ("missing", "kernel='/k'\n", "f: error: the config has no name"),
    ("missing", "name='n'\n", "f: error: neither kernel nor bootloader is given"),
    ("unknown-value", HVM + "vga='sdtvga'\n", "f:3:6: error: vga: unknown value 'sdtvga'"),
    ("bad-value", PV + "vcpus=2\nmaxvcpus=1\n", "f:4:10: error: maxvcpus is 1, less than vcpus, which is 2"),
    ("bad-spec", PV + "disk=['/x,rwa,xvda']\n", "f:3:11: error: disk: unknown value 'rwa' for format"),
    ("extended", "#xlpy: extended\n" + PV + "root='${x}'\n", "f:4:7: error: no value for 'x'"),
    ("extended", "#xlpy: extended\ninclude 'x'\n", "f:2:10: error: files can't be included here"),
    ("unknown-key", PV + "memroy=1\n", "f:3:1: warning: unknown setting 'memroy' has no effect"),
    ("not-a-value", PV + "memory=[1]\n", "f:3:8: warning: memory is a list but should be a single value; it has no effect"),
    ("not-a-list", PV + "disk='x'\n", "f:3:7: warning: disk is a single value but should be a list; it has no effect"),
    ("not-a-number", PV + "memory='1g'\n", "f:3:9: warning: memory: '1g' is not a valid number; the setting has no effect"),
    ("nested-list", PV + "vif=['',['']]\n", "f:3:9: warning: vif: a list inside the list ends it; the rest has no effect"),
    ("ignored-key", PV + "vif2=1\n", "f:3:6: warning: vif2 has no effect"),
    ("overridden", PV + "cmdline='a'\nroot='b'\n", "f:4:7: warning: root has no effect beside cmdline"),
    ("incomplete", HVM + "bios_path_override='/b'\n", "f:3:21: warning: bios_path_override without bios"),
    ("deprecated", PV + "builder='generic'\n", "f:3:10: warning: builder is deprecated"),
    ("bad-affinity", PV + "cpus=['x']\n", "f:3:6: warning: cpus: invalid pcpu range 'x'; cpus has no effect"),
    ("vif-piece", PV + "vif=['brigde=b']\n", "f:3:7: warning: vif: unknown parameter 'brigde'; it has no effect"),
    ("vfb-piece", PV + "vfb=['vnx=1']\n", "f:3:7: warning: vfb: unknown parameter 'vnx' has no effect"),
    ("vnuma-piece", PV + "maxvcpus=1\nvnuma=[['vcpus=0','x=1']]\n", "f:4:20: warning: vnuma: unknown parameter 'x' has no effect"),
    ("piece", PV + "channel=['connection=pty,x=1']\n", "f:3:26: warning: channel: unknown parameter 'x' has no effect"),
    ("cpuid", PV + "cpuid='host,svn=1'\n", "f:3:13: warning: cpuid: unknown flag 'svn'; it has no effect"),
    ("ioport-rest", PV + "ioports=['2f8x']\n", "f:3:11: warning: ioports: 'x' behind the number has no effect"),
    ("rdm", HVM + "rdm='strategy=host,policy=strict'\n", "f:3:6: warning: rdm: xl makes nothing of policy="),
    ("too-many", PV + "".join(f"k{n}=1\n" for n in range(300)), "f:203:1: warning: further warnings are left out"),
]  # fmt: skip
ELSEWHERE = {"unused-variable", "unreadable", "xml"}


def shown(finding: Finding) -> str:
    return f"{finding.where}: {finding.severity}: {finding.message}"


@pytest.mark.parametrize(
    ("code", "text", "message"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)]
)
def test_what_a_user_sees(code: str, text: str, message: str) -> None:
    found = [finding for finding in check_text(text, "f") if finding.code == code]
    assert shown(found[0]) == message
    assert found[0].line is None or "^" in (found[0].detail or "")


def test_an_unused_variable() -> None:
    (finding,) = check_text("#xlpy: extended\n" + PV, "f", variables={"x": "1"})
    assert (finding.code, shown(finding)) == (
        "unused-variable",
        "f:1:1: warning: nothing here uses the variable 'x'",
    )


def test_a_file_that_is_no_xml() -> None:
    with pytest.raises(SettingError) as caught:
        from_libvirt(b"<domain", "f")
    assert (caught.value.finding, str(caught.value)) == ("xml", "f:1:1: not well-formed: unclosed token")


def test_every_code_is_shown_here() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == ERRORS.keys() | WARNINGS.keys()
    for code, text, _ in CASES:
        severity = "error" if code in ERRORS else "warning"
        assert {finding.severity for finding in check_text(text, "f") if finding.code == code} == {severity}


def test_every_code_of_the_source_is_known() -> None:
    names = {"warn", "warn_in", "_warn", "_error", "_collect", "SettingError"}
    used = set()
    for path in (ROOT / "xlpy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and path.parts[-2] == "config":
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                first = node.args[0] if node.args else None
                if name in names and isinstance(first, ast.Constant):
                    used.add(first.value)
    assert used | {"too-many", "unreadable"} == ERRORS.keys() | WARNINGS.keys()
