"""Hostile config files without end: recorded ones mutated, random tokens, random values. Same seed, same files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from any_config import LISTS, NAMES, NESTED, NUMBERS, SPECS, TEXTS, WORDS

from xlpy.config.literal import literal

CORPUS = Path(__file__).parent.parent / "data" / "config" / "corpus"
TOKENS = (
    *(
        "name",
        "a",
        "x.y",
        "type",
        '="n"',
        "=",
        "+=",
        '"s"',
        "'t'",
        "[",
        "]",
        ",",
        ";",
        "\n",
        "\n",
        "#c\n",
        "#c",
        "5",
    ),
    *(
        "0x1f",
        "-",
        ".",
        "(",
        "{",
        '"',
        "\\",
        "\t",
        " ",
        '"a\\n"',
        '"\\x41"',
        '"\\101"',
        '"\\0 1"',
        "é",
        '"é"',
        "\r\n",
    ),
    *(
        "A",
        "_a",
        "=[",
        "],",
        'name="q"\n',
        'kernel="/k"\n',
        "==",
        "\x0c",
        "\x01",
        "\0",
        "1a",
        "${a}",
        '"${a}"',
    ),
    *("#xlpy: extended\n", 'include "f"\n', "\ufeff", "\udce9", "import x\n", "True", "None"),
)
HEADS = ('name="n"\nkernel="/k"\n', 'name="n"\ntype="hvm"\n', 'name="n"\ntype="pvh"\nkernel="/k"\n', "")


def hostile_files(seed: int) -> Iterator[bytes]:
    """Files, one after the other, for ever."""
    chance = random.Random(seed)
    recorded = [path.read_bytes() for path in sorted(CORPUS.glob("*.cfg"))]
    makers = (
        lambda: _mutated(chance, chance.choice(recorded)),
        lambda: _mutated(chance, _settings(chance)),
        lambda: _settings(chance),
        lambda: _tokens(chance),
        lambda: _spliced(chance, chance.choice(recorded), chance.choice(recorded)),
    )
    while True:
        yield chance.choice(makers)()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _tokens(chance: random.Random) -> bytes:
    return _encoded(chance.choice(HEADS) + "".join(chance.choices(TOKENS, k=chance.randrange(12))))


def _settings(chance: random.Random) -> bytes:
    lines = [chance.choice(HEADS)]
    for _ in range(chance.randrange(1, 6)):
        name = chance.choice((*NAMES, *SPECS, *NESTED))
        lines.append(f"{name}{chance.choice(('=', '=', '=', '+='))}{_value(chance, name)}\n")
    return _encoded("".join(lines))


def _value(chance: random.Random, name: str) -> str:
    kind = chance.randrange(8)
    if kind < 5 and name in NESTED:
        return chance.choice(NESTED[name])
    if kind < 5 and name in SPECS:
        specs = [_bent(chance, chance.choice(SPECS[name])) for _ in range(chance.randrange(4))]
        return literal(tuple(specs))
    if kind < 7 and name in WORDS:
        return literal(_bent(chance, chance.choice(WORDS[name])))
    return chance.choice((*NUMBERS, *TEXTS, *LISTS))


def _bent(chance: random.Random, text: str) -> str:
    """The text, now and then with a few characters changed, doubled or missing."""
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice("0x-,=:@ ;^é\0Z9") + text[place + chance.randrange(3) :]
    return text


def _mutated(chance: random.Random, data: bytes) -> bytes:
    """Bytes overwritten, cut out, doubled or swapped."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        if not changed:
            break
        place, length = chance.randrange(len(changed)), chance.randrange(1, 9)
        kind = chance.randrange(4)
        if kind == 0:
            changed[place] = chance.randrange(256)
        elif kind == 1:
            del changed[place : place + length]
        elif kind == 2:
            changed[place:place] = changed[place : place + length] * chance.randrange(1, 4)
        else:
            changed[place:place] = _encoded(chance.choice(TOKENS))
    return bytes(changed)


def _spliced(chance: random.Random, one: bytes, other: bytes) -> bytes:
    return one[: chance.randrange(len(one) + 1)] + other[chance.randrange(len(other) + 1) :]
