"""The scanner: libxlu's tokens, their places, and what is said about text that holds none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.config.lexer import tokens

SNIPPETS = [
    *"a1.[]=;,'\"\\\n\t #-+(){}é\x00\r\x0c\udc80Z_",
    "+=",
    "name",
    "0x1f",
    '"s"',
    "# c\n",
    "\\n",
    "\\x41",
    "\\101",
]
config_text = st.lists(st.sampled_from(SNIPPETS), max_size=40).map("".join)


def scan(text: str) -> tuple[list[tuple[str, int, str]], list[tuple[int, int, str, str | None]]]:
    errors: list[tuple[int, int, str, str | None]] = []
    return list(tokens(text, lambda *report: errors.append(report))), errors


def kinds(text: str) -> list[str]:
    found, errors = scan(text)
    assert errors == []
    return [kind for kind, _, _ in found]


def test_all_kinds_of_tokens() -> None:
    assert kinds("a.b_9 = 'x', \"y\" [ 0x1f ] += ; # c\n\t\n") == [
        *("IDENT", "=", "STRING", ",", "STRING", "[", "NUMBER", "]", "+=", ";", "NEWLINE", "NEWLINE", "$end"),
    ]


def test_places_are_offsets_into_the_text() -> None:
    found, _ = scan('  vcpus\t= "4"')
    assert found == [("IDENT", 2, "vcpus"), ("=", 8, "="), ("STRING", 10, "4"), ("$end", 13, "")]


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        (r'"\"\'\\"', "\"'\\"),
        (r'"\a\b\f\n\r\t\v"', "\a\b\f\n\r\t\v"),
        (r"'a \"b\" c'", 'a "b" c'),
        (r'"a\101b"', "ab"),  # libxlu swallows an octal escape and adds nothing
        (r'"a\0 1b"', "ab"),
        (r'"a\10119"', "a9"),
        ("'é\udc80'", "é\udc80"),
    ],
)
def test_escapes(quoted: str, text: str) -> None:
    found, errors = scan(quoted)
    assert errors == []
    assert found[0] == ("STRING", 0, text)


@pytest.mark.parametrize(
    ("text", "offset", "length", "words", "hint_words"),
    [
        ("a=-1\n", 2, 2, "negative numbers must be quoted", '"-1"'),
        ("a-b=1\n", 1, 4, "can't be part of a name", "a-z"),
        ("Name=1\n", 0, 6, "no capital letters", "'name'"),
        ("a=True\n", 2, 4, "unexpected 'True'", "write 1"),
        ("_a=1\n", 0, 4, "begin with a letter", None),
        ("vcpus=2\r\n", 7, 1, "Windows line ends", "dos2unix"),
        ("\ufeffname=1\n", 0, 7, "byte order mark", "without a BOM"),
        ("a=\x00\n", 2, 1, "NUL", None),
        ('a="x\x00"\n', 4, 1, "NUL", None),
        ('a="x\n', 2, 2, 'no closing "', "ends in the line"),
        ('a="x\\\nb"\n', 2, 3, 'no closing "', "+="),
        ("a=1.5\n", 3, 2, "Python", "strings, numbers and lists"),
        ("a=(1,2)\n", 2, 5, "Python", "strings, numbers and lists"),
        ("a={'b':1}\n", 2, 7, "dictionaries", "['key=value,...']"),
        ("a=@\n", 2, 1, "unexpected '@'", None),
        ("a=\x0c\n", 2, 1, "'\\x0c'", None),
        ('a="\\x41"\n', 3, 2, "numeric escapes", "the character itself"),
        ('a="\\1"\n', 3, 2, "numeric escapes", "the character itself"),
        ('a="\\q"\n', 3, 2, "unknown escape '\\q'", "\\\\"),
        ("a=1 # end", 4, 1, "needs a newline", "newline"),
    ],
)
def test_what_cannot_be_read(text: str, offset: int, length: int, words: str, hint_words: str | None) -> None:
    _, errors = scan(text)
    first = errors[0]
    assert first[:2] == (offset, length)
    assert words in first[2]
    if hint_words is not None:
        assert first[3] is not None
        assert hint_words in first[3]


@pytest.mark.parametrize("text", ["a=1 #", "a=1 @", 'a=1 "', "a=1 \udc80"])
def test_a_single_stray_byte_at_the_very_end_is_dropped(text: str) -> None:
    assert kinds(text) == ["IDENT", "=", "NUMBER", "$end"]


def test_a_stray_character_of_two_bytes_at_the_end_is_not() -> None:
    assert scan("a=1 é")[1]


@given(config_text)
def test_tokens_stand_where_they_say(text: str) -> None:
    found, errors = scan(text)
    assert found[-1] == ("$end", len(text), "")
    offsets = [offset for _, offset, _ in found]
    assert offsets == sorted(offsets)
    for kind, offset, token_text in found:
        if kind in ("IDENT", "NUMBER") or kind in ",[]=+=;":
            assert text.startswith(token_text, offset)
        elif kind == "STRING":
            assert text[offset] in "\"'"
    for offset, length, message, _ in errors:
        assert 0 <= offset < len(text)
        assert 0 < length <= len(text) - offset
        assert message


@given(st.text())
def test_any_text_can_be_scanned(text: str) -> None:
    scan(text)
