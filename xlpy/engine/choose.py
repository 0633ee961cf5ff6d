"""Which engine makes domains run on this host."""

from __future__ import annotations

from xlpy.errors import NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.base import Engine

ENGINES = ("auto", "qemu")
_XEN_CAPABILITIES = "/proc/xen/capabilities"


def choose_engine(wanted: str, run_dir: str, state_dir: str) -> Engine:
    """The engine of this name, or with ``auto`` the one that fits the host.

    Raises NotSupported in a Xen dom0, whose domains need an engine that this release lacks.
    """
    if wanted == "auto" and _is_xen_dom0():
        raise NotSupported(
            "this is Xen's dom0, and this release has no engine for Xen yet",
            "'xlpyd --engine qemu' runs domains as QEMU processes beside Xen's own",
        )
    from xlpy.engine.qemu.engine import QemuEngine

    return QemuEngine(run_dir, state_dir)


def _is_xen_dom0() -> bool:
    try:
        with open(_XEN_CAPABILITIES, encoding="ascii") as capabilities:
            return "control_d" in capabilities.read()
    except OSError:
        return False
