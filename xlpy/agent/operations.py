"""What kind of thing each operation of Engine is, for those who treat them alike."""

from __future__ import annotations

from xlpy.engine.base import OPERATIONS
from xlpy.engine.operation import LOOKING

# These are written into the record of events.
CHANGING = frozenset(OPERATIONS) - LOOKING

# These would let a domain run, or make it another one, while its state is on its way somewhere else.
NEED_A_SETTLED_DOMAIN = frozenset(
    {
        "shutdown_domain",
        "reboot_domain",
        "pause_domain",
        "unpause_domain",
        "send_trigger",
        "send_sysrq",
        "set_memory_target",
        "set_max_memory",
        "set_vcpus_online",
        "attach_disk",
        "detach_disk",
        "insert_cdrom",
        "attach_nic",
        "detach_nic",
        *(
            f"{change}_{device}"
            for change in ("attach", "detach")
            for device in ("pci", "usb_controller", "usb_device", "vtpm", "vkb", "vdispl", "vsnd")
        ),
        "suspend_to_ram",
        "resume_from_ram",
        "qemu_monitor_command",
    }
)
