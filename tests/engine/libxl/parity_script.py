"""The scripts of the parity test: text to steps, as ``tests/data/parity/README.md`` describes them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data"
_KINDS = {"?": "read", "$": "change", "!": "setup", "=": "effect", "until": "until", "file": "file"}

Step = dict[str, Any]


def read_script(path: Path) -> dict[str, list[Step]]:
    """The steps of each scene."""
    scenes: dict[str, list[Step]] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if line.startswith(" "):
            next(reversed(scenes.values()))[-1]["text"] += f"{text}\n"
        elif line.startswith("["):
            scenes[text.strip("[]")] = []
        else:
            next(reversed(scenes.values())).append(_step(text, f"{path.name}:{number}"))
    return scenes


def _step(text: str, place: str) -> Step:
    mark, _, rest = text.partition(" ")
    kind = _KINDS[mark]
    step: Step = {"kind": kind, "place": place, "words": [], "text": rest}
    if kind in ("read", "change"):
        step["words"] = shlex.split(rest)
    elif kind == "file":
        step.update(words=[rest], text="")
    return step


def recorded_lines() -> dict[str, str]:
    """The command lines that were recorded, by their names."""
    return {path.stem: path.read_text().strip() for path in (DATA / "xl").glob("*.cmd")}
