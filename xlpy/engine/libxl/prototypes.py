"""What of libxenlight is called, and how: one line a function.

The first letter is what comes back, the others are the arguments behind the context:

    i int    u uint32_t    q uint64_t    b char    y uint8_t    s a string    p any other pointer
    o ``const libxl_asyncop_how *``, always NULL: the call returns when the operation is over    v nothing

A function is declared as the newest libxl in ``TESTED`` has it. Where older ones differ:

- 4.12 and older have no ``o`` in eight functions (pause, unpause, shutdown, reboot, retrieve_domain_configuration,
  send_trigger, set_vcpuonline, qemu_monitor_command), and another domain_need_memory: they are refused.
- 4.14 has no device_disk_safe_remove (``SINCE``).
- 4.18 gave console_exec an argument more: consoles are opened by their tty instead.
"""

from __future__ import annotations

OLDEST, NEWEST = 14, 23  # minor versions of Xen 4
TESTED = (14, 17, 20)

FUNCTIONS = {
    "ao_abort": "io",
    # the host
    "get_physinfo": "ip",
    "get_version_info": "p",
    "get_cpu_topology": "pp",
    "get_numainfo": "pp",
    "get_scheduler": "i",
    "get_max_cpus": "i",
    "get_freecpus": "ip",
    "get_free_memory": "ip",
    "xen_console_read_start": "pi",
    "xen_console_read_line": "ipp",
    "xen_console_read_finish": "vp",
    "send_debug_keys": "is",
    "set_parameters": "is",
    "list_cpupool": "pp",
    "cpupool_create": "isiBpp",
    "cpupool_destroy": "iu",
    "cpupool_rename": "isu",
    "cpupool_cpuadd": "iui",
    "cpupool_cpuremove": "iui",
    "cpupool_movedomain": "iuu",
    "cpupoolid_to_name": "pu",
    "flask_getenforce": "i",
    "flask_setenforce": "ii",
    "flask_loadpolicy": "ipu",
    "sched_credit_params_get": "iup",
    "sched_credit_params_set": "iup",
    "sched_credit2_params_get": "iup",
    "sched_credit2_params_set": "iup",
    "xs_quota_global_get": "ip",
    "xs_quota_global_set": "ip",
    "xs_quota_domain_get": "iup",
    "xs_quota_domain_set": "iup",
    "dt_overlay": "ipuy",
    "dt_overlay_domain": "iupuy",
    # platform shared resources
    "psr_cmt_attach": "iu",
    "psr_cmt_detach": "iu",
    "psr_cmt_domain_attached": "iu",
    "psr_cmt_enabled": "i",
    "psr_cmt_get_total_rmid": "ip",
    "psr_cmt_get_l3_cache_size": "iup",
    "psr_cmt_type_supported": "ii",
    "psr_cmt_get_sample": "iuiqpp",
    "psr_get_hw_info": "iiupp",
    "psr_get_val": "iuiup",
    "psr_set_val": "iuipq",
    # which domains there are
    "list_domain": "pp",
    "domain_info": "ipu",
    "domid_to_name": "pu",
    "vm_get_start_time": "uu",
    "retrieve_domain_configuration": "iupo",
    "userdata_store": "iuspi",
    "userdata_retrieve": "iuspp",
    "userdata_unlink": "ius",
    # life
    "domain_need_memory": "ipup",
    "domain_create_new": "ippoo",
    "domain_soft_reset": "ipuoo",
    "domain_create_restore": "ippiipoo",
    "domain_suspend": "iuiio",
    "domain_suspend_only": "iuo",
    "domain_remus_start": "ipuiio",
    "domain_resume": "iuio",
    "domain_destroy": "iuo",
    "domain_shutdown": "iuo",
    "domain_reboot": "iuo",
    "domain_pause": "iuo",
    "domain_unpause": "iuo",
    "domain_rename": "iuss",
    "domain_preserve": "iupsU",
    "domain_core_dump": "iuso",
    "send_trigger": "iuiuo",
    "send_sysrq": "iub",
    "qemu_monitor_command": "iuspo",
    # memory and cpus
    "set_memory_target": "iuqii",
    "get_memory_target": "iup",
    "wait_for_memory_target": "iui",
    "domain_setmaxmem": "iuq",
    "list_vcpu": "pupp",
    "set_vcpuaffinity": "iuupp",
    "set_vcpuaffinity_force": "iuupp",
    "set_vcpuonline": "iupo",
    "domain_get_nodeaffinity": "iup",
    "domain_sched_params_get": "iup",
    "domain_sched_params_set": "iup",
    "vcpu_sched_params_get_all": "iup",
    "vcpu_sched_params_set": "iup",
    # devices: those that all kinds have are added below
    "vdev_to_device_disk": "iusp",
    "device_disk_safe_remove": "iupo",
    "cdrom_insert": "iupo",
    "device_pci_assignable_list": "pp",
    "device_pci_assignable_add": "ipi",
    "device_pci_assignable_remove": "ipi",
    "device_events_handler": "io",
    "console_get_tty": "iuiip",
    "primary_console_get_tty": "iup",
}
# Kinds of devices, and their functions: l list, g getinfo, a add, r remove, d destroy.
_DEVICES = {
    "disk": "lgard",
    "nic": "lgard",
    "vtpm": "lgard",
    "vkb": "lgard",
    "vdispl": "lgard",
    "vsnd": "lgard",
    "usbctrl": "lgard",
    "usbdev": "lar",
    "pci": "lard",
    "channel": "lg",
}
_ALIKE = {
    "l": ("list", "pup"),
    "g": ("getinfo", "iupp"),
    "a": ("add", "iupo"),
    "r": ("remove", "iupo"),
    "d": ("destroy", "iupo"),
}
FUNCTIONS.update(
    {
        f"device_{kind}_{_ALIKE[letter][0]}": _ALIKE[letter][1]
        for kind, letters in _DEVICES.items()
        for letter in letters
    }
)
SINCE = {
    "device_disk_safe_remove": 15,
    "dt_overlay": 18,
    "dt_overlay_domain": 20,
    **{f"xs_quota_{whose}_{verb}": 22 for whose in ("global", "domain") for verb in ("get", "set")},
    "xs_quota_list": 22,
}
# What libxl is built with for certain machines alone: how the function begins, and how the machine's name does.
MACHINES = {"psr_": ("x86_64", "i"), "dt_overlay": ("aarch64", "arm")}

# Structures, and what libxl generates for each beside ``init``: d dispose, t to_json, f from_json.
STRUCTURES = {
    "physinfo": "dt",
    "version_info": "t",
    "cputopology": "dt",
    "numainfo": "dt",
    "cpupoolinfo": "dt",
    "dominfo": "dt",
    "vcpuinfo": "dt",
    "domain_config": "dtf",
    "domain_create_info": "dtf",
    "domain_restore_params": "df",
    "domain_remus_info": "df",
    "domain_sched_params": "dtf",
    "vcpu_sched_params": "dtf",
    "sched_credit_params": "tf",
    "sched_credit2_params": "tf",
    "psr_hw_info": "dt",
    "xs_quota_list": "dtf",
    **{f"device_{kind}": "dtf" for kind in _DEVICES},
    **{f"{kind}info": "dt" for kind, letters in _DEVICES.items() if "g" in letters},
}


def wrong_machine(function: str, machine: str) -> bool:
    """Whether libxl has this function on other machines than this one (``os.uname().machine``)."""
    wanted = next((names for prefix, names in MACHINES.items() if function.startswith(prefix)), None)
    return wanted is not None and not machine.startswith(wanted)
