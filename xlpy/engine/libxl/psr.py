"""Platform shared resources: what sockets monitor and allocate (Intel RDT), which libxl has on x86 alone."""

from __future__ import annotations

import ctypes
import time

from xlpy.engine.libxl.bitmaps import to_bitmap
from xlpy.engine.libxl.hypervisor import LibxlHypervisor
from xlpy.errors import EngineError, NotSupported, UsageError
from xlpy.model.hypervisor import PsrHardware, PsrMonitoring, PsrValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.engine.libxl.context import Context

# libxl_psr_feat_type and the level of the cache, by feature
_FEATURES = {"l3": (1, 3), "l2": (1, 2), "mba": (2, 0)}
# libxl_psr_cmt_type
_COUNTS = {"cache-occupancy": 1, "total-mem-bandwidth": 2, "local-mem-bandwidth": 3}
# libxl_psr_cbm_type, and of which feature each is
_SHARES = {
    "l3_cbm": (1, "l3"),
    "l3_cbm_code": (2, "l3"),
    "l3_cbm_data": (3, "l3"),
    "l2_cbm": (4, "l2"),
    "mba_thrtl": (5, "mba"),
}
_BETWEEN_SAMPLES_S = 0.01
_LONGEST_SPAN_NS = 10**9  # a counter overflows once at most in that time
_SAMPLINGS = 5


class LibxlPsr(LibxlHypervisor):
    """A processor without a feature has no row for it; to ask for more of it raises NotSupported."""

    def psr_hardware(self) -> tuple[PsrHardware, ...]:
        """libxl_psr_get_hw_info for each feature, and libxl_psr_cmt_get_l3_cache_size."""
        with self.contexts.borrow() as context:
            return tuple(
                _row(context, name, facts) for name in _FEATURES for facts in _hardware(context, name)
            )

    def psr_monitoring(self) -> PsrMonitoring:
        """libxl_psr_cmt_enabled and its like."""
        with self.contexts.borrow() as context:
            if not context.call("psr_cmt_enabled"):
                return PsrMonitoring(enabled=False)
            total = ctypes.c_uint32()
            context.do("cache monitoring", "psr_cmt_get_total_rmid", ctypes.byref(total))
            sockets = self._sockets()
            return PsrMonitoring(
                enabled=True,
                total_rmid=total.value,
                kinds=tuple(
                    kind for kind, number in _COUNTS.items() if context.call("psr_cmt_type_supported", number)
                ),
                domids=tuple(
                    info.domid
                    for info in self.list_domains()
                    if context.call("psr_cmt_domain_attached", info.domid)
                ),
                cache_kib=tuple(_cache_kib(context, socket) or 0 for socket in sockets),
                sockets=sockets,
            )

    def attach_psr_monitoring(self, domid: int) -> None:
        """libxl_psr_cmt_attach."""
        self._monitor("psr_cmt_attach", domid, "cannot be monitored")

    def detach_psr_monitoring(self, domid: int) -> None:
        """libxl_psr_cmt_detach."""
        self._monitor("psr_cmt_detach", domid, "cannot be left unmonitored")

    def psr_sample(self, domid: int, kind: str, socket: int) -> int:
        """libxl_psr_cmt_get_sample: once for an occupancy, for a bandwidth what comes between two."""
        number = _known(_COUNTS, kind)
        with self.contexts.borrow() as context:
            self.require(context, domid)
            if kind == "cache-occupancy":
                return _sample(context, domid, number, socket)[0] // 1024
            for _ in range(_SAMPLINGS):
                before, began_ns = _sample(context, domid, number, socket)
                time.sleep(_BETWEEN_SAMPLES_S)
                after, ended_ns = _sample(context, domid, number, socket)
                if 0 < ended_ns - began_ns < _LONGEST_SPAN_NS and after >= before:
                    return (after - before) * 10**9 // (ended_ns - began_ns) // 1024
        raise EngineError(f"the {kind} of domain {domid} cannot be told: its counter overflowed")

    def psr_values(self, domid: int, kind: str) -> tuple[PsrValue, ...]:
        """libxl_psr_get_val on every socket that has the feature."""
        number, feature = _known(_SHARES, kind)
        value = ctypes.c_uint64()
        found = []
        with self.contexts.borrow() as context:
            self.require(context, domid)
            for facts in _hardware(context, feature):
                socket = facts.get("id", 0)
                status = context.call("psr_get_val", domid, number, socket, ctypes.byref(value))
                found.append(PsrValue(socket=socket, value=None if status < 0 else value.value))
        return tuple(found)

    def set_psr_value(
        self, domid: int, kind: str, value: int, sockets: tuple[int, ...] | None = None
    ) -> None:
        """libxl_psr_set_val."""
        number, _ = _known(_SHARES, kind)
        there = self._sockets()
        wanted = to_bitmap(there if sockets is None else sockets, max(there, default=0))
        with self.contexts.borrow() as context:
            self.require(context, domid)
            what = f"the {kind} of domain {domid} cannot be set"
            context.do(what, "psr_set_val", domid, number, ctypes.byref(wanted), value)

    # -- inside

    def _monitor(self, function: str, domid: int, cannot: str) -> None:
        with self.contexts.borrow() as context:
            self.require(context, domid)
            context.do(f"domain {domid} {cannot}", function, domid)

    def _sockets(self) -> tuple[int, ...]:
        return tuple(sorted({place.socket for place in self.cpu_topology()}))


def _known(kinds: dict[str, Any], kind: str) -> Any:
    if kind not in kinds:
        raise UsageError(f"{kind!r} is no platform shared resource", f"one of: {', '.join(kinds)}")
    return kinds[kind]


def _hardware(context: Context, feature: str) -> list[dict[str, Any]]:
    """What each socket has of a feature; nothing where the processor lacks it."""
    number, level = _FEATURES[feature]
    count, pointer = ctypes.c_uint(), ctypes.c_void_p()
    status = context.call("psr_get_hw_info", number, level, ctypes.byref(count), ctypes.byref(pointer))
    if status == 0:
        with context.array("psr_hw_info", pointer.value, count.value) as array:
            return [_facts(context, number, address) for address in array.addresses]
    error = context.failure(f"the sockets' {feature}", status)
    if error.detail is None or isinstance(
        error, NotSupported
    ):  # libxl tells reasons other than that it isn't there
        return []
    raise error


def _facts(context: Context, number: int, address: int) -> dict[str, Any]:
    """One socket's. libxl forgets to say which member of its union it has filled, behind the number of the socket."""
    ctypes.c_int.from_address(address + ctypes.sizeof(ctypes.c_uint32)).value = number
    return context.json_at("psr_hw_info", address)


def _row(context: Context, feature: str, facts: dict[str, Any]) -> PsrHardware:
    socket = facts.get("id", 0)
    details = facts.get("type.mba" if feature == "mba" else "type.cat", {})
    return PsrHardware(
        feature=feature,
        socket=socket,
        cos_max=details.get("cos_max", 0),
        cbm_length=details.get("cbm_len", 0),
        cdp_enabled=details.get("cdp_enabled", False),
        cache_kib=_cache_kib(context, socket) if feature == "l3" else None,
        thrtl_max=details.get("thrtl_max", 0),
        linear=details.get("linear", False),
    )


def _cache_kib(context: Context, socket: int) -> int | None:
    size = ctypes.c_uint32()
    status = context.call("psr_cmt_get_l3_cache_size", socket, ctypes.byref(size))
    return None if status < 0 else size.value


def _sample(context: Context, domid: int, number: int, socket: int) -> tuple[int, int]:
    """A count, and when it was taken in nanoseconds."""
    count, taken_ns = ctypes.c_uint64(), ctypes.c_uint64()
    arguments = (domid, number, socket, ctypes.byref(count), ctypes.byref(taken_ns))
    context.do(f"what domain {domid} uses", "psr_cmt_get_sample", *arguments)
    return count.value, taken_ns.value
