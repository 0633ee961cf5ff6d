from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from xlpy.engine.qemu import accelerator
from xlpy.engine.qemu.accelerator import Accelerator, AcceleratorProbe, find_accelerator, run_probe
from xlpy.engine.qemu.accelerator_payload import EXIT_STATUS
from xlpy.engine.qemu.program import find_qemu, qemu_version
from xlpy.errors import ConfigError, MissingProgram


@pytest.fixture(autouse=True)
def _no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLPY_ACCEL", raising=False)


@pytest.mark.qemu
def test_the_payload_ends_where_code_runs() -> None:
    assert run_probe(find_qemu(), "tcg", 60) == EXIT_STATUS


@pytest.mark.qemu
def test_an_accelerator_that_does_not_get_there_in_time() -> None:
    assert run_probe(find_qemu(), "tcg", 0) is None


@pytest.mark.qemu
@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="there is no /dev/kvm to try")
def test_a_probe_that_hangs_ends_even_without_us(tmp_path: Path) -> None:
    """The limit is there from its first instruction on, whatever becomes of whoever started it."""
    program = tmp_path / "qemu"
    program.write_text(f"#!/bin/sh\nulimit -t >{tmp_path}/limit\nexit {EXIT_STATUS}\n")
    program.chmod(0o755)
    assert run_probe(str(program), "kvm", 20) == EXIT_STATUS
    assert 0 < int((tmp_path / "limit").read_text()) < 10


def test_kvm_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "accelerator.json"
    found = find_accelerator(str(cache))
    assert found.name in ("kvm", "tcg")
    assert (found.note is None) == (found.name == "kvm")
    monkeypatch.setattr(accelerator, "_try_kvm", lambda qemu: pytest.fail("tried again"))
    assert find_accelerator(str(cache)) == found


def test_the_answer_is_kept_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def try_kvm(qemu: str) -> Accelerator:
        tries.append(qemu)
        return Accelerator(name="kvm")

    monkeypatch.setattr(accelerator, "_KVM", "/dev/null")
    monkeypatch.setattr(accelerator, "find_qemu", lambda: "/bin/true")
    monkeypatch.setattr(accelerator, "_try_kvm", try_kvm)
    cache = tmp_path / "accelerator.json"
    for _ in range(3):
        assert find_accelerator(str(cache)) == Accelerator(name="kvm")
    assert len(tries) == 1
    kept = json.loads(cache.read_text())
    kept["key"][0] = "another boot"
    cache.write_text(json.dumps(kept))
    find_accelerator(str(cache))
    assert len(tries) == 2
    cache.write_text("no JSON")
    find_accelerator(str(cache))
    assert len(tries) == 3


def test_no_kvm_needs_no_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_KVM", str(tmp_path / "kvm"))
    found = find_accelerator(str(tmp_path / "cache"))
    assert found.name == "tcg"
    assert found.note is not None
    assert found.note.startswith("no ")


def test_a_choice_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    assert find_accelerator(str(tmp_path / "cache")).name == "tcg"
    monkeypatch.setenv("XLPY_ACCEL", "hax")
    with pytest.raises(ConfigError, match="unknown accelerator"):
        AcceleratorProbe(str(tmp_path)).wait()


def test_no_qemu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram) as caught:
        find_qemu()
    assert "apt install qemu-system-x86" in (caught.value.hint or "")
    with pytest.raises(MissingProgram):
        find_qemu(str(tmp_path / "own-qemu"))
    with pytest.raises(MissingProgram):
        qemu_version(str(tmp_path / "own-qemu"))


@pytest.mark.qemu
def test_the_version() -> None:
    assert qemu_version(find_qemu())[0].isdigit()
