"""Logs of real libxls, and the errors that they become."""

from __future__ import annotations

import pytest

from xlpy.engine.libxl.said import failure, progress_of
from xlpy.errors import (
    DomainExists,
    DomainNotFound,
    EngineError,
    NotEnoughMemory,
    XlError,
)

# As logged by Xen 4.17's in the lab.
NAME_TAKEN = """\
libxl: error: libxl_domain.c:145:libxl__domain_rename: Domain 41:Domain with name "web" already exists.
libxl: error: libxl_create.c:1296:initiate_domain_create: Domain 41:cannot make domain: -6
"""
NO_KERNEL = """\
xc: error: panic: xg_dom_core.c:205: failed to open file '/nothing/here': No such file or directory: Internal error
libxl: error: libxl_dom.c:563:libxl__build_dom: xc_dom_kernel_file failed: No such file or directory
libxl: error: libxl_create.c:1641:domcreate_rebuild_done: Domain 42:cannot (re-)build domain: -3
"""
NO_DISK = """\
libxl: error: libxl_device.c:400:libxl__device_disk_set_backend: Disk vdev=xvda failed to stat: /srv/x.img: \
No such file or directory
libxl: error: libxl_create.c:1003:initiate_domain_create: Unable to set disk defaults for disk 0
"""
SAVING = """\
xc: info: Saving domain 7, type x86 PV
xc: progress: Frames: 2048/24576    8%
xc: progress: Frames: 4096/24576   16%
"""


@pytest.mark.parametrize(
    ("log", "kind", "message", "hint"),
    [
        (NAME_TAKEN, DomainExists, 'Domain with name "web" already exists.', "xlpy list"),
        (NO_KERNEL, EngineError, "failed to open file '/nothing/here': No such file or directory", "path"),
        (NO_DISK, EngineError, "failed to stat: /srv/x.img", "path"),
    ],
)
def test_the_telling_line_is_the_message(log: str, kind: type[XlError], message: str, hint: str) -> None:
    error = failure("domain 'web' cannot be created", -3, log)
    assert type(error) is kind
    assert error.message.startswith("domain 'web' cannot be created: ")
    assert message in error.message
    assert "panic" not in error.message
    assert hint in (error.hint or "")
    assert len((error.detail or "").splitlines()) == sum(": error: " in line for line in log.splitlines())


def test_numbers_of_libxl_have_words() -> None:
    assert isinstance(failure("x", -21, ""), DomainNotFound)
    assert isinstance(failure("x", -5, ""), NotEnoughMemory)
    assert failure("x", -9, "").message == "x: it took too long"
    assert "-77" in failure("x", -77, "").message


def test_a_vague_line_is_better_than_none() -> None:
    log = "libxl: error: libxl_create.c:1641:domcreate_rebuild_done: Domain 42:cannot (re-)build domain: -3\n"
    assert failure("x", -3, log).message == "x: cannot (re-)build domain: -3"


def test_warnings_are_no_reason() -> None:
    log = "libxl: warning: libxl_domain.c:2603:retrieve: Domain 5:Device present in JSON but not in xenstore, ignored\n"
    assert failure("x", -9, log).message == "x: it took too long"


def test_progress_is_the_last_one() -> None:
    assert progress_of(SAVING) == (4096, 24576)
    assert progress_of("xc: info: Saving domain 7, type x86 PV\n") is None
