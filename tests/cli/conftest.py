"""A whole command line: argv → command → client → protocol → agent → fake engine, and back."""

from __future__ import annotations

import pytest
from changing_world import world  # noqa: F401 -- a fixture
from command_line import Call, Result
from schema_check import misfits

from xlpy.cli.main import run
from xlpy.client.host import Host


@pytest.fixture
def call(host: Host, capfd: pytest.CaptureFixture[str]) -> Call:
    """``call("list", "-v")`` runs xlpy; ``call("list", program="xl")`` runs it as xl."""

    def run_words(*words: str, program: str = "xlpy") -> Result:
        capfd.readouterr()
        status = run(words, program, open_host=lambda address: host)
        captured = capfd.readouterr()
        assert misfits(captured.out) == []
        return Result(status, captured.out, captured.err)

    return run_words


@pytest.fixture
def xl(call: Call) -> Call:
    """``xl("list")`` runs as xl."""

    def run_words(*words: str) -> Result:
        return call(*words, program="xl")

    return run_words
