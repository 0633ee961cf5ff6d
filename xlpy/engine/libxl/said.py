"""What libxl and libxc logged during a call, and what of it tells why the call failed."""

from __future__ import annotations

import os
import re

from xlpy.errors import (
    Aborted,
    DeviceNotFound,
    DomainExists,
    DomainNotFound,
    EngineError,
    InvalidState,
    NotEnoughMemory,
    NotSupported,
    XlError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_GRAVE = ("error", "critical")
# "libxl: error: libxl_create.c:709:libxl__domain_make: Domain 3:domain creation fail: File exists"
_LINE = re.compile(
    r"(?P<program>[\w-]+): (?P<level>\w+): (?:\w+\.c:\d+:\w+: )?(?:Domain (?P<domid>\d+):)?(?P<text>.*)"
)
_PROGRESS = re.compile(r".*: progress: (?P<what>.*): (?P<done>\d+)/(?P<total>\d+) +\d+%")
# Lines that only say that something before them went wrong.
_VAGUE = re.compile(
    r"cannot \(re-\)build domain|failed to (create|build|destroy|suspend|resume) |unable to (add|remove) .* devices?"
    r"|domain (creation|suspend|resume) .*fail|Non-existant domain|destruction of domain|xc_dom_\w+ failed"
    r"|Save failed|Restore failed|failed: "
)
# libxc's own decoration of what it says
_DECORATION = re.compile(r"^panic: \w+\.c:\d+: |: Internal error$")

_NO_DEVICE_MODEL = re.compile(r"QMP|[Dd]evice [Mm]odel")
_LONGEST_REASON = 400
_CLOCK_STEP_S = 0.1  # of files' times, which may be that far behind

# libxl_error: the errors that mean something of their own.
_KINDS: dict[int, type[XlError]] = {
    -4: NotSupported,
    -5: NotEnoughMemory,
    -17: InvalidState,
    -21: DomainNotFound,
    -22: Aborted,
    -23: DeviceNotFound,
    -24: DomainNotFound,
    -25: NotSupported,
}
_WORDS = {
    -4: "this libxl does not implement it",
    -5: "out of memory",
    -6: "libxl takes that for invalid",
    -8: "the guest did not answer in time",
    -9: "it took too long",
    -10: "the guest has no paravirtual drivers, which this needs",
    -11: "it is not ready",
    -15: "somebody else holds the lock",
    -16: "libxl has no configuration of it",
    -17: "there is such a device already",
    -20: "the virtual NUMA layout is invalid",
    -21: "there is no such domain",
    -22: "it was aborted",
    -23: "there is no such thing",
    -24: "the domain ceased to exist",
    -25: "that was removed from Xen",
}
# What a telling line means beyond its words: the kind of error, and what to try.
_MEANINGS: tuple[tuple[re.Pattern[str], type[XlError], str | None], ...] = (
    (
        re.compile(r'Domain with name "[^"]*" already exists'),
        DomainExists,
        "see it: xlpy list; or choose another name",
    ),
    (
        re.compile(r"Cannot allocate memory|[Oo]ut of memory|failed to free memory"),
        NotEnoughMemory,
        "free some: xlpy mem-set 0 SIZE, or see: xlpy info",
    ),
    (
        re.compile(r"because of timeout"),
        EngineError,
        "the hotplug script hung; its log is in /var/log/xen",
    ),
    (
        re.compile(r"unable to (add|remove) device with path"),
        EngineError,
        "no driver did its part: does the backend have one? see /var/log/xen, and the device's state in its list",
    ),
    (
        re.compile(r"logdirty: (95|22|-1)|not have shadow|shadow"),
        EngineError,
        "this Xen has no shadow paging: only HVM and PVH domains can move live",
    ),
    (
        re.compile(
            r"guest didn't acknowledge suspend|guest did not suspend|Bad mfn 0 for p2m|p2m_size < nr_pages"
        ),
        EngineError,
        "a guest has to help, with Xen's drivers: is it still booting? see: xlpy console",
    ),
    (
        re.compile(r"not supported in this system|unsupported operation"),
        NotSupported,
        "the host's processors, or its hypervisor's command line, don't have this feature",
    ),
    (
        re.compile(r"No such file or directory"),
        EngineError,
        "check the path that it names",
    ),
)


def progress_of(log: str) -> tuple[int, int] | None:
    """How far the last line of progress says it is: (done, all)."""
    for line in reversed(log.splitlines()):
        found = _PROGRESS.match(line)
        if found:
            return int(found["done"]), int(found["total"])
    return None


def device_model_failure(
    error: XlError, name: str, began_s: float, directory: str = "/var/log/xen"
) -> XlError:
    """The error of a creation, or if the device model ended meanwhile, why it did: its log's last line says that."""
    if not _NO_DEVICE_MODEL.search(f"{error.message} {error.detail}"):
        return error
    path = f"{directory}/qemu-dm-{name}.log"
    try:
        if os.stat(path).st_mtime < began_s - _CLOCK_STEP_S:
            return error  # it is another one's
        with open(path, encoding="utf-8", errors="replace") as log:
            *_, last = log.read().splitlines() or [""]
    except OSError:
        return error
    what = error.message.partition(": ")[0]
    told = f"{what}: its device model has ended: {last[-_LONGEST_REASON:]}"
    return EngineError(told, f"its log: {path}", detail=error.detail)


def failure(what: str, status: int, log: str) -> XlError:
    """The error for a call that gave this status: ``what`` could not be done, because of what the log says."""
    lines = _complaints(log)
    telling = next((line for line in lines if not _VAGUE.search(line)), lines[0] if lines else None)
    kind, hint = _KINDS.get(status, EngineError), None
    for pattern, meant, advice in _MEANINGS:
        if any(pattern.search(line) for line in lines):
            hint = advice
            if kind is EngineError:
                kind = meant
            break
    why = telling or _WORDS.get(status) or f"libxl says only {status}"
    return kind(f"{what}: {why}", hint, detail="\n".join(lines[:12]) or None)


def _complaints(log: str) -> list[str]:
    return list(dict.fromkeys(_texts(log.splitlines(), _GRAVE)))


def _texts(lines: Iterable[str], levels: tuple[str, ...]) -> Iterable[str]:
    for line in lines:
        found = _LINE.match(line)
        if found and found["level"] in levels:
            yield _DECORATION.sub("", found["text"].strip())
