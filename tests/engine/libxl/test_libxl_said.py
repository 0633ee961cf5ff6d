"""Logs of real libxls, and the errors that they become."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from xlpy.engine.libxl.said import device_model_failure, failure, progress_of
from xlpy.errors import (
    DomainExists,
    DomainNotFound,
    EngineError,
    NotEnoughMemory,
    NotSupported,
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
NO_DEVICE_MODEL = """\
libxl: error: libxl_qmp.c:1399:qmp_ev_fd_callback: Domain 4:error on QMP socket: Connection reset by peer
libxl: error: libxl_dm.c:3378:device_model_postconfig_done: Domain 4:Post DM startup configs failed, rc=-26
libxl: error: libxl_create.c:1896:domcreate_devmodel_started: Domain 4:device model did not start: -26
libxl: error: libxl_aoutils.c:646:libxl__kill_xs_path: Device Model already exited
"""
DEVICE_MODEL_LOG = """\
char device redirected to /dev/pts/2 (label serial0)
xen-qemu-system-i386: -vnc 127.0.0.1:0,password=on,to=99: Cipher backend does not support DES algorithm
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


def test_a_device_model_says_itself_why_it_ended(tmp_path: Path) -> None:
    error = failure("domain 'web' cannot be created", -3, NO_DEVICE_MODEL)
    assert device_model_failure(error, "web", 0.0, str(tmp_path)) is error, "there is no log"
    (tmp_path / "qemu-dm-web.log").write_text(DEVICE_MODEL_LOG)
    told = device_model_failure(error, "web", time.time(), str(tmp_path))
    assert told.message.startswith("domain 'web' cannot be created: its device model has ended: ")
    assert told.message.endswith("Cipher backend does not support DES algorithm")
    assert told.hint == f"its log: {tmp_path}/qemu-dm-web.log"
    assert told.detail == error.detail
    other = failure("domain 'web' cannot be created", -3, NO_KERNEL)
    assert device_model_failure(other, "web", 0.0, str(tmp_path)) is other
    later_s = time.time() + 60
    assert device_model_failure(error, "web", later_s, str(tmp_path)) is error, "the log is of an older one"


def test_what_the_processor_lacks_is_not_supported() -> None:
    log = "libxl: error: libxl_psr.c:71:libxl__psr_cmt_log_err_msg: CMT is not supported in this system: No such device\n"
    assert isinstance(failure("x", -3, log), NotSupported)
