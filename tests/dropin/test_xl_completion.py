"""The completion that Debian's xen-utils-common has for xl: it reads ``xl help``."""

from __future__ import annotations

import pytest
from debian_machine import DebianMachine

from xlpy.cli.commands import ORDER

pytestmark = pytest.mark.outside

COMPLETE = """\
. /usr/share/bash-completion/completions/xl
COMP_WORDS=(xl "$1")
COMP_CWORD=1
_xl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(machine: DebianMachine, word: str) -> list[str]:
    return machine.run("bash", "-c", COMPLETE, "bash", word).stdout.split()


def test_commands_are_completed(machine: DebianMachine) -> None:
    assert completed(machine, "mem-") == ["mem-max", "mem-set"]
    assert completed(machine, "des") == ["destroy"]
    assert completed(machine, "nonsense") == []


def test_all_commands_are_offered(machine: DebianMachine) -> None:

    assert sorted(completed(machine, "")) == sorted(ORDER)
