"""cpupool-create: what it prints, and that no engine makes pools yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import Recording

from xlpy.model.host import Cpupool


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEngine) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cp.cfg").write_text('name="cp"\nsched="credit"\ncpus=["1"]\n')
    fake.pools = (Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 2, 3)),)
    return tmp_path


def test_a_dry_run_prints_what_xl_prints(xl: Call) -> None:
    recording = Recording("cpupool-create")
    for words in (("cpupool-create", "-n", "cp.cfg"), ("-N", "cpupool-create", "-f", "cp.cfg")):
        result = xl(*words)
        assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_without_anything_there_is_no_name(xl: Call) -> None:
    recording = Recording("e-cpupool2")
    result = xl("cpupool-create")
    assert result.status == recording.status
    assert recording.err.strip() in result.err


def test_the_scheduler_is_that_of_the_host(call: Call) -> None:
    result = call("cpupool-create", "-n", 'name="x"', "memroy=1")
    assert result.out == (
        'Using config file "command line"\ncpupool name:   x\nscheduler:      credit2\nnumber of cpus: 0\n'
    )
    assert "warning: command line:1:1: unknown setting 'memroy'" in result.err


def test_a_pool_of_this_name_may_exist(call: Call) -> None:
    result = call("cpupool-create", "-n", 'name="Pool-0"')
    assert (result.status, result.err) == (1, 'xlpy: Pool name "Pool-0" already exists\n')


def test_creation_is_refused_by_name(call: Call) -> None:
    result = call("cpupool-create", "cp.cfg")
    assert (result.status, "cannot make cpupools" in result.err) == (1, True)


def test_a_file_that_is_not_there(call: Call) -> None:
    assert call("cpupool-create", "none.cfg").status == 1


def test_too_many_files(xl: Call) -> None:
    assert xl("cpupool-create", "cp.cfg", "more.cfg").status == 1
