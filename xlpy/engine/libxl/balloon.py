"""Room for a new domain: dom0 gives memory back when it may, as xl does (``autoballoon`` in xl.conf(5))."""

from __future__ import annotations

import ctypes
import fcntl
import os
import threading
import time

from xlpy.engine.libxl import wire
from xlpy.errors import NotEnoughMemory, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.engine.libxl.context import Context
    from xlpy.model.domain_config import DomainConfig

_PATIENCE_S = 30
_WAIT_S = 10
_NOBODY = 0xFFFFFFFF
XL_LOCK = "/var/lock/xl"
_SETTINGS = "/etc/xen/xl.conf"


class XlLock:
    """The lock that xl holds while it makes room for a domain and builds it (``with``): ``lockfile`` in xl.conf(5).

    It belongs to processes, so threads of ours take turns first.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path or _setting("lockfile") or XL_LOCK
        self._turn = threading.Lock()
        self._file = -1

    def __enter__(self) -> XlLock:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def take(self) -> None:
        """Wait for it. Raises XlError when it can't be had."""
        self._turn.acquire()
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.lockf(self._file, fcntl.LOCK_EX)
        except OSError as error:
            self.leave()
            raise XlError(f"cannot take xl's lock {self._path}: {error.strerror}") from error

    def leave(self) -> None:
        """Let others have it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._turn.release()


class Room:
    """Room for a domain that comes from a stream (``with``), which may take long.

    As with xl, nobody else makes domains meanwhile where dom0 gives the memory; one that was given a size lets them.
    Unless it ``stays``, the room is only made: Remus' stream comes for days.
    """

    def __init__(self, context: Context, lock: XlLock, config: DomainConfig, stays: bool) -> None:
        self._context = context
        self._lock = lock
        self._config = config
        self._stays = stays
        self._held = False

    def __enter__(self) -> None:
        if not _may_balloon(self._context):
            return
        self._lock.take()
        try:
            make_room(self._context, self._config)
            self._held = self._stays
        finally:
            if not self._held:
                self._lock.leave()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held:
            self._lock.leave()


def needed_of_free_kib(context: Context, config: DomainConfig) -> int:
    """What has to be free for this domain already, since dom0 does not make room for it: none, where it does.

    Raises NotSupported for a configuration that this libxl knows nothing of.
    """
    needed_kib, _ = _needed_and_free(context, config)
    return 0 if _may_balloon(context) else needed_kib


def make_room(context: Context, config: DomainConfig) -> None:
    """Let dom0 shrink until there is enough for this domain; with a dom0 of a fixed size nothing happens.

    Raises NotEnoughMemory when dom0 doesn't get that small.
    """
    if not _may_balloon(context):
        return
    needed_kib, free_kib = _needed_and_free(context, config)
    patience_s: float = _PATIENCE_S
    while free_kib < needed_kib:
        if patience_s <= 0:
            raise _not_enough(needed_kib, free_kib)
        what = "dom0 cannot give memory back"
        context.do(what, "set_memory_target", 0, free_kib - needed_kib, 1, 0)
        begun = time.monotonic()
        context.do(what, "wait_for_memory_target", 0, _WAIT_S)
        patience_s -= max(time.monotonic() - begun, 0.1)
        needed_kib, free_kib = _needed_and_free(context, config)


def shortage(context: Context, config: DomainConfig, error: XlError) -> XlError:
    """The error of a failed creation, or in its place the one that says how much memory is missing."""
    needed_kib, free_kib = _needed_and_free(context, config)
    return _not_enough(needed_kib, free_kib) if needed_kib > free_kib else error


def _needed_and_free(context: Context, config: DomainConfig) -> tuple[int, int]:
    """What the domain takes and what there is (libxl_domain_need_memory, libxl_get_free_memory), in KiB.

    libxl fills its defaults into the configuration that it is asked about, so that is one of its own.
    """
    needed, free = ctypes.c_uint64(), ctypes.c_uint64()
    what = "the memory that the domain needs"
    with wire.domain_config(context, config) as asked:
        context.do(what, "domain_need_memory", asked.memory, _NOBODY, ctypes.byref(needed))
    context.do("the host's free memory", "get_free_memory", ctypes.byref(free))
    return needed.value, free.value


def _not_enough(needed_kib: int, free_kib: int) -> NotEnoughMemory:
    return NotEnoughMemory(
        f"the domain needs {needed_kib // 1024} MiB, and {free_kib // 1024} MiB of the host are free",
        "give it less memory, or take some from others: xlpy mem-set DOMAIN SIZE",
    )


def _may_balloon(context: Context) -> bool:
    """What xl.conf says; ``auto``, the default, is yes unless dom0 was given a size at boot."""
    said = _setting("autoballoon")
    if said in ("on", "1"):
        return True
    if said in ("off", "0"):
        return False
    command_line = context.json_at("version_info", context.call("get_version_info")).get("commandline", "")
    return not any(word.startswith("dom0_mem=") for word in command_line.split())


def _setting(name: str) -> str | None:
    try:
        with open(_SETTINGS, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in lines:
        key, equals, value = line.partition("#")[0].partition("=")
        if equals and key.strip() == name:
            return value.strip().strip("\"'")
    return None
