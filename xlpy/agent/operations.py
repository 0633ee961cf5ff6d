"""What kind of thing each operation of Engine is, for those who treat them alike."""

from __future__ import annotations

from xlpy.engine.base import OPERATIONS

# These only look; everything else is written into the record of events.
LOOKING = frozenset(
    {
        "host_info",
        "cpu_topology",
        "numa_info",
        "console_ring",
        "list_cpupools",
        "list_domains",
        "domain_info",
        "find_domain",
        "domain_config",
        "domain_notes",
        "domain_stats",
        "list_events",
        "wait_domain_end",
        "check_outgoing",
        "check_incoming",
        "list_transfers",
        "describe_domain",
        "restored_outcome",
        "list_vcpus",
        "sched_params",
        "list_disks",
        "list_nics",
        "list_pci",
        "list_assignable_pci",
        "list_usb",
        "list_vtpms",
        "list_vkbs",
        "list_vdispls",
        "list_vsnds",
        "list_channels",
        "pool_sched_params",
        "rtds_params",
        "flask_enforcing",
        "xenstore_quotas",
        "psr_hardware",
        "psr_monitoring",
        "psr_sample",
        "psr_values",
        "open_console",
        "open_vnc",
        "vnc_address",
    }
)
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
