"""Which engine makes domains run on this host."""

from __future__ import annotations

import os

from xlpy.errors import NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.base import Engine
    from xlpy.engine.libxl.device_events import DeviceEvents

ENGINES = ("auto", "libxl", "qemu")
_XEN_CAPABILITIES = "/proc/xen/capabilities"
_XEN_VERSION = "/sys/hypervisor/version"


def choose_engine(wanted: str, run_dir: str, state_dir: str) -> Engine:
    """The engine of this name, or with ``auto`` the one that fits the host: libxl's in a Xen dom0, QEMU's elsewhere.

    Raises NotSupported, MissingProgram or ConnectError where libxl cannot be used.
    """
    if wanted == "libxl" or (wanted == "auto" and _is_xen_dom0()):
        from xlpy.engine.libxl.engine import LibxlEngine

        return LibxlEngine(run_dir)
    from xlpy.engine.qemu.engine import QemuEngine

    return QemuEngine(run_dir, state_dir)


def choose_device_events() -> type[DeviceEvents]:
    """What sees to the devices that this domain serves to others, be it dom0 or a driver domain. Raises NotSupported."""
    if not os.path.isdir(_XEN_VERSION):
        raise NotSupported(
            "the qemu engine cannot handle device events (devd)",
            "a driver domain is a domain of Xen; QEMU itself serves the devices of its guests",
        )
    from xlpy.engine.libxl.device_events import DeviceEvents

    return DeviceEvents


def _is_xen_dom0() -> bool:
    try:
        with open(_XEN_CAPABILITIES, encoding="ascii") as capabilities:
            return "control_d" in capabilities.read()
    except OSError:
        return False
