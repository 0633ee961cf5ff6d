"""Whether this machine has the memory for one more host."""

from __future__ import annotations

from xlpy.errors import NotEnoughMemory

_MEMINFO = "/proc/meminfo"
_QEMU_MIB = 700  # what QEMU needs for itself: most of it is translated code


def require_memory(host_mib: int) -> None:
    """Raises NotEnoughMemory when a host of this size doesn't fit into what is available."""
    available_mib = _available_mib()
    if available_mib is not None and available_mib < host_mib + _QEMU_MIB:
        raise NotEnoughMemory(
            f"a host of {host_mib} MiB does not fit: it takes {host_mib + _QEMU_MIB} MiB, {available_mib} MiB are available",
            "end another one: xlpy lab down NAME; or make a smaller one: --memory",
        )


def _available_mib() -> int | None:
    """What the kernel thinks could be had without swapping; None where it doesn't say."""
    try:
        with open(_MEMINFO, encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) // 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
