"""What the kernel says about processes, threads and the host in /proc and /sys. All functions only read."""

from __future__ import annotations

import os

from xlpy.model.record import Record

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGESIZE") // 1024
# fields of /proc/PID/stat, counted from the state, the first after the name
_STATE, _UTIME, _STIME, _PROCESSOR = 0, 11, 12, 36
# columns of a cpu's line in /proc/stat that are work of the host itself: guest time is in user already
_BUSY_COLUMNS = (0, 1, 2, 5, 6)


class ThreadState(Record):
    """One thread: whether it is running or about to, its pcpu, and the time it has had."""

    running: bool
    cpu: int
    time_ns: int


def thread_state(pid: int, tid: int) -> ThreadState | None:
    """The thread now, or None if it has ended."""
    try:
        fields = _read(f"/proc/{pid}/task/{tid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    ticks = int(fields[_UTIME]) + int(fields[_STIME])
    return ThreadState(
        running=fields[_STATE] == b"R",
        cpu=int(fields[_PROCESSOR]),
        time_ns=_precise_time_ns(pid, tid) or ticks * 1_000_000_000 // _TICKS_PER_S,
    )


def _precise_time_ns(pid: int, tid: int) -> int | None:
    """Time to the nanosecond; None on kernels without CONFIG_SCHED_INFO."""
    try:
        return int(_read(f"/proc/{pid}/task/{tid}/schedstat").split()[0])
    except (OSError, IndexError, ValueError):
        return None


def process_time_ns(pid: int) -> int:
    """CPU time that a process and its threads have had; 0 if it has ended."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return 0
    return (int(fields[_UTIME]) + int(fields[_STIME])) * 1_000_000_000 // _TICKS_PER_S


def resident_kib(pid: int) -> int:
    """Memory that a process really holds; 0 if it has ended."""
    try:
        return int(_read(f"/proc/{pid}/statm").split()[1]) * _PAGE_KIB
    except (OSError, IndexError):
        return 0


def host_memory_kib() -> tuple[int, int]:
    """The host's memory and how much of it a new program could have (MemTotal, MemAvailable)."""
    sizes = meminfo_kib("/proc/meminfo")
    return sizes["MemTotal"], sizes.get("MemAvailable", sizes["MemFree"])


def meminfo_kib(path: str) -> dict[str, int]:
    """A file in the form of /proc/meminfo, a NUMA node's too; sizes in KiB by name."""
    sizes = {}
    for line in _read(path).decode().splitlines():
        words = line.split(":", 1)
        name = words[0].split()[-1]
        sizes[name] = int(words[1].split()[0])
    return sizes


def host_cpu_times_ns() -> dict[int, int]:
    """Time that each online pcpu has been busy since the host's boot."""
    times = {}
    for line in _read("/proc/stat").splitlines():
        if line.startswith(b"cpu") and line[3:4].isdigit():
            name, *columns = line.split()
            busy = sum(int(columns[column]) for column in _BUSY_COLUMNS)
            times[int(name[3:])] = busy * 1_000_000_000 // _TICKS_PER_S
    return times


def host_cpus() -> tuple[int, ...]:
    """Numbers of the pcpus that are online."""
    return parse_cpu_list(_read("/sys/devices/system/cpu/online").decode())


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """The kernel's form of a list of numbers: ``0-3,8``."""
    numbers: list[int] = []
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            numbers += range(int(first), int(last or first) + 1)
    return tuple(numbers)


def interface_bytes() -> dict[str, tuple[int, int]]:
    """Bytes received and sent by each network interface of the host."""
    counters = {}
    # the calling thread's network namespace, which is where its taps are
    for line in _read("/proc/thread-self/net/dev").decode().splitlines()[2:]:
        name, _, numbers = line.rpartition(":")
        columns = numbers.split()
        counters[name.strip()] = (int(columns[0]), int(columns[8]))
    return counters


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = b""
        while part := os.read(fd, 65536):
            data += part
        return data
    finally:
        os.close(fd)
