"""Every recorded config: the verdict, exit status and JSON of the real xl, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from recorded_host import RECORDED_HOST

from xlpy.config.domain import parse_domain_config
from xlpy.config.libxl_json import domain_json
from xlpy.errors import ConfigError

CORPUS = Path(__file__).parent.parent / "data" / "config" / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.cfg"))
NOT_YET: frozenset[str] = frozenset()  # recordings that xlpy does not match; may only shrink

MADE_UP_UUID = re.compile(rb'"uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"')
MADE_UP_GENERATION = re.compile(rb'"ms_vm_genid": \[[^]]*\]')


def outcome(name: str) -> tuple[int, bytes]:
    """What xlpy makes of a recorded config: exit status and output."""
    path = CORPUS / f"{name}.cfg"
    try:
        parsed = parse_domain_config(path.read_bytes(), path.name, host=RECORDED_HOST)
    except ConfigError as error:
        return error.exit_status, b""
    return 0, domain_json(parsed.config).encode("utf-8", "surrogateescape")


def recording(name: str) -> tuple[int, bytes]:
    return int((CORPUS / f"{name}.rc").read_text()), (CORPUS / f"{name}.out").read_bytes()


def without_random(name: str, result: tuple[int, bytes]) -> tuple[int, bytes]:
    status, output = result
    text = (CORPUS / f"{name}.cfg").read_bytes()
    if not re.search(rb"^\s*uuid\s*=", text, re.MULTILINE):
        output = MADE_UP_UUID.sub(b'"uuid": made up', output)
    return status, MADE_UP_GENERATION.sub(b'"ms_vm_genid": made up', output)


def test_there_are_recordings() -> None:
    assert len(NAMES) == 269


@pytest.mark.parametrize("name", NAMES)
def test_same_as_xl(name: str) -> None:
    matches = without_random(name, outcome(name)) == without_random(name, recording(name))
    if name in NOT_YET:
        assert not matches, f"{name} matches now: take it off the list"
        return
    assert without_random(name, outcome(name)) == without_random(name, recording(name))


@pytest.mark.parametrize("name", [name for name in NAMES if recording(name)[0] != 0])
def test_refusals_say_where_and_why(name: str) -> None:
    path = CORPUS / f"{name}.cfg"
    with pytest.raises(ConfigError) as caught:
        parse_domain_config(path.read_bytes(), path.name, host=RECORDED_HOST)
    assert caught.value.where is not None
    assert caught.value.where.startswith(path.name)
    assert len(caught.value.message) > 10
