"""Every setting that xl reads from a domain's config, in the order in which xl reads them (xl_parse.c).

The order matters: of several fatal errors a user sees the first by this order, not by that of the file.

A row is (name, how, target, types, guests, since, help):

how      string int uint32 bool mib strings: a value that goes as it is to the field ``target`` (section.field);
         param, mask: the same for numbers, signed or not, where -1 means unset;
         call: ``target`` (module:function) reads it, if it is given;
         step: ``target`` is called in any case, to do what depends on several settings or on none;
         again: a second look at a setting whose row is elsewhere;
         part: it is read by the step or call of the setting in ``target``;
         ignored: xl reads it to say that it has no effect.
types    the domain types for which xl reads it at all (``hvm``, ``pv``, ``pvh``); empty for all.
guests   for whom it means something: the manual's statement, for people.
since    the first Xen release that reads it; 4.2 also stands for older ones.
"""

from __future__ import annotations

Row = tuple[str, str, str, str, str, str, str]

# fmt: off
KEYS: tuple[Row, ...] = (
    ("", "step", "limits:from_xl_conf", "", "", "", ""),
    # identity
    ("init_seclabel", "call", "identity:security_labels", "", "all, XSM", "4.3", "XSM label during construction"),
    ("seclabel", "part", "init_seclabel", "", "all, XSM", "4.2", "XSM label while running"),
    ("type", "step", "identity:domain_type", "", "all", "4.2", 'kind of guest: "pv", "pvh" or "hvm"'),
    ("builder", "part", "type", "", "x86", "4.2", 'old form of type: "hvm" or "generic"'),
    ("hap", "bool", "c.hap", "", "HVM, PVH", "4.2", "use hardware assisted paging"),
    ("name", "step", "identity:name", "", "all", "4.2", "the domain's name; must be given"),
    ("uuid", "step", "identity:uuid", "", "all", "4.2", "the domain's UUID; by default a random one"),
    ("oos", "bool", "c.oos", "", "HVM, PVH", "4.2", "shadow paging: let page tables get out of sync"),
    ("pool", "string", "c.pool_name", "", "all", "4.2", "cpupool to put the domain in"),
    ("xenstore_feature_mask", "mask", "b.xenstore_feature_mask", "", "all", "4.21", "xenstore features the guest sees"),
    ("xenstore_quota", "call", "identity:xenstore_quota", "", "all", "4.22", "xenstore quotas: list of NAME=N"),
    ("pvshim", "bool", "pvh.pvshim", "pvh", "PVH", "4.11", "run a PV kernel inside a PVH shim"),
    ("pvshim_path", "string", "pvh.pvshim_path", "pvh", "PVH", "4.11", "the shim's binary"),
    ("pvshim_cmdline", "string", "pvh.pvshim_cmdline", "pvh", "PVH", "4.11", "the shim's command line"),
    ("pvshim_extra", "string", "pvh.pvshim_extra", "pvh", "PVH", "4.11", "what to add to the shim's command line"),
    # scheduling, memory, vcpus
    ("cpu_weight", "param", "sched.weight", "", "all", "4.2", "scheduler weight"),
    ("cap", "param", "sched.cap", "", "all", "4.2", "percent of a pcpu the domain may use; 0 is no limit"),
    ("period", "param", "sched.period", "", "all, rtds", "4.2", "scheduling period in microseconds"),
    ("slice", "param", "sched.slice", "", "none", "4.2", "no effect since the sedf scheduler is gone"),
    ("latency", "param", "sched.latency", "", "none", "4.2", "no effect since the sedf scheduler is gone"),
    ("extratime", "param", "sched.extratime", "", "all, rtds", "4.2", "use idle time beyond the budget"),
    ("memory", "mib", "b.target_memkb", "", "all", "4.2", "memory at start in MiB"),
    ("maxmem", "mib", "b.max_memkb", "", "all", "4.2", "most memory the domain may have, in MiB"),
    ("llc_colors", "call", "cpus:llc_colors", "", "Arm", "4.20", "last level cache colours: list of N or N-M"),
    ("vcpus", "step", "cpus:vcpus", "", "all", "4.2", "vcpus online at start"),
    ("maxvcpus", "part", "vcpus", "", "all", "4.2", "most vcpus the domain may have"),
    ("vuart", "call", "platform:vuart", "", "Arm", "4.10", 'virtual UART: "sbsa_uart"'),
    ("vnuma", "call", "vnuma:vnuma", "", "all", "4.6", "virtual NUMA nodes: list of lists of key=value"),
    ("", "step", "cpus:fill_in", "", "", "", ""),
    ("cpus", "call", "cpus:hard_affinity", "", "all", "4.2", "pcpus the vcpus may run on: a CPU list or a list of them"),
    ("cpus_soft", "call", "cpus:soft_affinity", "", "all", "4.5", "pcpus the vcpus prefer to run on"),
    ("max_grant_frames", "step", "limits:grants", "", "all", "4.10", "most grant frames"),
    ("max_maptrack_frames", "part", "max_grant_frames", "", "all", "4.10", "most maptrack frames"),
    ("max_grant_version", "part", "max_grant_frames", "", "all", "4.16", "highest grant table version"),
    # lifetime
    ("on_poweroff", "step", "identity:actions", "", "all", "4.2", "what to do when the domain shuts down"),
    ("on_reboot", "part", "on_poweroff", "", "all", "4.2", "what to do when the domain reboots"),
    ("on_watchdog", "part", "on_poweroff", "", "all", "4.2", "what to do when the domain's watchdog fires"),
    ("on_crash", "part", "on_poweroff", "", "all", "4.2", "what to do when the domain crashes"),
    ("on_soft_reset", "part", "on_poweroff", "", "all", "4.7", "what to do when the domain asks for a soft reset"),
    # passthrough
    ("e820_host", "bool", "pv.e820_host", "pv", "PV", "4.2", "give the guest the host's memory map"),
    ("pci_msitranslate", "part", "pci", "", "x86", "4.2", "default of msitranslate= for every pci entry"),
    ("pci_power_mgmt", "part", "pci", "", "x86", "4.2", "default of power_mgmt= for every pci entry"),
    ("pci_permissive", "part", "pci", "", "x86", "4.2", "default of permissive= for every pci entry"),
    ("pci_seize", "part", "pci", "", "x86", "4.5", "default of seize= for every pci entry"),
    ("rdm", "call", "pci:reserved_memory", "", "HVM", "4.6", "reserved device memory: strategy=host[,policy=...]"),
    ("pci", "call", "pci:devices", "", "x86 PV, HVM", "4.2", "PCI functions of the host to pass through"),
    ("dtdev", "call", "pci:device_tree_nodes", "", "Arm", "4.6", "device tree nodes of the host to pass through"),
    ("passthrough", "call", "platform:passthrough", "", "all", "4.13", "whether and how devices can be passed through"),
    # platform of all guests
    ("shadow_memory", "mib", "b.shadow_memkb", "", "HVM, PVH", "4.2", "memory for shadow page tables in MiB"),
    ("nomigrate", "bool", "b.disable_migrate", "", "all", "4.2", "forbid migration"),
    ("tsc_mode", "call", "platform:tsc_mode", "", "x86", "4.2", "how the guest sees the time stamp counter"),
    ("rtc_timeoffset", "uint32", "b.rtc_timeoffset", "", "all", "4.2", "seconds between the guest's clock and UTC"),
    ("vncviewer", "ignored", 'use "xl create -V"', "", "none", "4.2", "no effect"),
    ("localtime", "bool", "b.localtime", "", "all", "4.2", "the guest's clock shows local time"),
    ("videoram", "mib", "b.video_memkb", "", "HVM", "4.2", "memory of the graphics card in MiB"),
    ("max_event_channels", "uint32", "b.event_channels", "", "all", "4.4", "most event channels"),
    # boot
    ("kernel", "string", "b.kernel", "", "all", "4.2", "kernel image to start"),
    ("ramdisk", "string", "b.ramdisk", "", "all", "4.2", "initial ramdisk"),
    ("device_tree", "string", "b.device_tree", "", "Arm", "4.6", "partial device tree"),
    ("cmdline", "call", "boot:command_line", "", "all", "4.5", "kernel command line"),
    ("root", "part", "cmdline", "", "all", "4.2", "root= of the kernel command line"),
    ("extra", "part", "cmdline", "", "all", "4.2", "what to add to the kernel command line"),
    ("driver_domain", "bool", "c.driver_domain", "", "all", "4.4", "the domain serves devices to others"),
    ("acpi", "bool", "b.acpi", "", "all", "4.2", "give the guest ACPI tables"),
    ("bootloader", "string", "b.bootloader", "", "PV, PVH", "4.2", "program that finds the kernel in the guest's disk"),
    ("bootloader_restrict", "step", "boot:bootloader_restrict", "", "PV, PVH", "4.18", "confine the bootloader"),
    ("bootloader_user", "string", "b.bootloader_user", "", "PV, PVH", "4.18", "user to run a confined bootloader as"),
    ("bootloader_args", "call", "boot:bootloader_args", "", "PV, PVH", "4.2", "arguments of the bootloader"),
    ("timer_mode", "call", "platform:timer_mode", "", "HVM, PVH", "4.2", "what becomes of missed timer ticks"),
    ("nestedhvm", "bool", "b.nested_hvm", "", "HVM, PVH", "4.2", "let the guest run guests"),
    # HVM platform
    ("firmware_override", "string", "hvm.firmware", "hvm", "HVM", "4.2", "replacement for hvmloader"),
    ("bios_path_override", "part", "bios", "hvm", "HVM", "4.8", "file to use as the bios"),
    ("bios", "call", "boot:bios", "hvm", "HVM", "4.2", '"seabios", "ovmf" or "rombios"'),
    ("pae", "bool", "hvm.pae", "hvm", "HVM", "4.2", "the guest's CPU has PAE"),
    ("acpi_s3", "bool", "hvm.acpi_s3", "hvm", "HVM", "4.2", "offer suspend to RAM"),
    ("acpi_s4", "bool", "hvm.acpi_s4", "hvm", "HVM", "4.2", "offer suspend to disk"),
    ("acpi_laptop_slate", "bool", "hvm.acpi_laptop_slate", "hvm", "HVM", "4.9", "offer a laptop/tablet switch"),
    ("nx", "bool", "hvm.nx", "hvm", "HVM", "4.2", "the guest's CPU has no-execute pages"),
    ("hpet", "bool", "hvm.hpet", "hvm", "HVM", "4.2", "give the guest an HPET"),
    ("vpt_align", "bool", "hvm.vpt_align", "hvm", "HVM", "4.2", "align periodic virtual timers"),
    ("apic", "bool", "b.apic", "hvm", "HVM", "4.2", "give the guest an APIC"),
    ("hvm_pirq", "bool", "hvm.pirq", "hvm", "HVM", "4.19", "route interrupts over event channels"),
    ("viridian", "call", "platform:viridian", "hvm", "HVM", "4.2", "Hyper-V enlightenments: list of groups, or 0/1"),
    ("mmio_hole", "call", "platform:mmio_hole", "hvm", "HVM", "4.5", "size of the hole below 4 GiB in MiB"),
    ("altp2mhvm", "call", "platform:old_altp2m", "hvm", "HVM", "4.6", "old form of altp2m"),
    ("smbios_firmware", "string", "hvm.smbios_firmware", "hvm", "HVM", "4.3", "file with SMBIOS structures"),
    ("acpi_firmware", "string", "hvm.acpi_firmware", "hvm", "HVM", "4.3", "file with ACPI tables"),
    ("smbios", "call", "platform:smbios", "hvm", "HVM", "4.18", "SMBIOS strings: list of TYPE=VALUE"),
    ("ms_vm_genid", "call", "platform:vm_generation_id", "hvm", "HVM", "4.5", '"generate" or "none"'),
    ("rdm_mem_boundary", "mib", "hvm.rdm_mem_boundary_memkb", "hvm", "HVM", "4.6", "limit for reserved memory in MiB"),
    ("mca_caps", "call", "platform:mca_capabilities", "hvm", "HVM", "4.10", 'machine check capabilities: list of "lmce"'),
    ("firmware", "step", "boot:firmware", "", "all", "4.10", "what the guest boots with, or a path"),
    ("altp2m", "call", "platform:altp2m", "", "x86 HVM", "4.9", "alternate p2m: disabled mixed external limited"),
    ("altp2m_count", "call", "platform:altp2m_count", "", "x86 HVM", "4.21", "number of alternate p2m views"),
    ("vmtrace_buf_kb", "call", "platform:vmtrace_buffer", "", "all", "4.15", "trace buffer per vcpu in KiB"),
    # resources of the host
    ("ioports", "call", "ranges:ioports", "", "x86", "4.2", "I/O ports the guest may use: hexadecimal N or N-M"),
    ("irqs", "call", "ranges:irqs", "", "all", "4.2", "interrupts the guest may use"),
    ("iomem", "call", "ranges:iomem", "", "all", "4.3", "I/O memory the guest may use: START,COUNT[@GFN]"),
    # devices
    ("disk", "call", "disk:disks", "", "all", "4.2", "disks: list of specs"),
    ("p9", "call", "shares:p9", "", "all", "4.9", "9pfs shares: list of specs"),
    ("vtpm", "call", "shares:vtpm", "", "all", "4.3", "virtual TPMs: list of specs"),
    ("vdispl", "call", "display:vdispl", "", "all", "4.10", "virtual displays: list of specs"),
    ("pvcalls", "call", "shares:pvcalls", "", "all", "4.11", "pvcalls interfaces: list of specs"),
    ("vsnd", "call", "vsnd:vsnd", "", "all", "4.12", "sound cards: list of lists"),
    ("channel", "call", "shares:channels", "", "all", "4.5", "channels to the host: list of specs"),
    ("vif", "call", "vif:vifs", "", "all", "4.2", "network cards: list of specs"),
    ("vif2", "ignored", "netchannel2 is gone; use vif", "", "none", "4.2", "no effect"),
    ("vfb", "call", "display:vfb", "", "PV", "4.2", "framebuffers: list of specs"),
    ("usbctrl", "call", "usb:controllers", "", "all", "4.7", "USB controllers: list of specs"),
    ("usbdev", "call", "usb:devices", "", "all", "4.7", "USB devices of the host: list of specs"),
    ("cpuid", "call", "cpuid:cpuid", "", "x86", "4.2", 'CPU features: "host,flag=value..." or a list'),
    # device model
    ("device_model", "ignored", "use device_model_override", "", "none", "4.2", "no effect"),
    ("device_model_override", "part", "device_model_version", "", "all", "4.2", "program to use as device model"),
    ("device_model_version", "call", "platform:device_model_version", "", "HVM", "4.2", '"qemu-xen"'),
    ("device_model_stubdomain_override", "bool", "b.device_model_stubdomain", "", "HVM", "4.2", "device model in a stub domain"),
    ("device_model_stubdomain_seclabel", "string", "b.device_model_ssid_label", "", "HVM", "4.2", "XSM label of the stub domain"),
    ("device_model_user", "string", "b.device_model_user", "", "all", "4.7", "user to run the device model as"),
    ("stubdomain_kernel", "string", "b.stubdomain_kernel", "", "HVM", "4.14", "kernel of the stub domain"),
    ("stubdomain_cmdline", "string", "b.stubdomain_cmdline", "", "HVM", "4.16", "kernel command line of the stub domain"),
    ("stubdomain_ramdisk", "string", "b.stubdomain_ramdisk", "", "HVM", "4.14", "ramdisk of the stub domain"),
    ("stubdomain_memory", "mib", "b.stubdomain_memkb", "", "HVM", "4.14", "memory of the stub domain in MiB"),
    ("device_model_args", "strings", "b.extra", "", "all", "4.2", "further arguments of the device model"),
    ("device_model_args_pv", "strings", "b.extra_pv", "", "PV", "4.2", "the same for PV guests only"),
    ("device_model_args_hvm", "strings", "b.extra_hvm", "", "HVM", "4.2", "the same for HVM guests only"),
    # graphics and input
    ("vnc", "call", "display:screens", "", "all", "4.2", "show the screen by VNC"),
    ("vnclisten", "part", "vnc", "", "all", "4.2", "address to listen on"),
    ("vncpasswd", "part", "vnc", "", "all", "4.2", "VNC password; empty for none"),
    ("vncdisplay", "part", "vnc", "", "all", "4.2", "VNC display number"),
    ("vncunused", "part", "vnc", "", "all", "4.2", "take the next free display number"),
    ("sdl", "part", "vnc", "", "all", "4.2", "show the screen in an SDL window"),
    ("opengl", "part", "vnc", "", "all", "4.2", "use OpenGL with SDL"),
    ("display", "part", "vnc", "", "all", "4.2", "X display of the SDL window"),
    ("xauthority", "part", "vnc", "", "all", "4.2", "X authority file of the SDL window"),
    ("dm_restrict", "bool", "b.dm_restrict", "", "HVM", "4.10", "confine the device model"),
    ("vga", "call", "display:graphics_card", "hvm", "HVM", "4.3", '"stdvga", "cirrus", "qxl" or "none"'),
    ("stdvga", "part", "vga", "hvm", "HVM", "4.2", "old form of vga"),
    ("hdtype", "call", "platform:hdtype", "hvm", "HVM", "4.6", '"ide" or "ahci"'),
    ("keymap", "string", "hvm.keymap", "hvm", "HVM, PV with vnc", "4.2", "keyboard layout, such as de"),
    ("spice", "bool", "spice.enable", "hvm", "HVM", "4.2", "show the screen by SPICE"),
    ("spiceport", "int", "spice.port", "hvm", "HVM", "4.2", "TCP port of SPICE"),
    ("spicetls_port", "int", "spice.tls_port", "hvm", "HVM", "4.2", "TCP port of SPICE with TLS"),
    ("spicehost", "string", "spice.host", "hvm", "HVM", "4.2", "address to listen on"),
    ("spicedisable_ticketing", "bool", "spice.disable_ticketing", "hvm", "HVM", "4.2", "no password for SPICE"),
    ("spicepasswd", "string", "spice.passwd", "hvm", "HVM", "4.2", "SPICE password"),
    ("spiceagent_mouse", "bool", "spice.agent_mouse", "hvm", "HVM", "4.2", "mouse through the SPICE agent"),
    ("spicevdagent", "bool", "spice.vdagent", "hvm", "HVM", "4.4", "offer the SPICE agent"),
    ("spice_clipboard_sharing", "bool", "spice.clipboard_sharing", "hvm", "HVM", "4.4", "share the clipboard"),
    ("spiceusbredirection", "int", "spice.usbredirection", "hvm", "HVM", "4.4", "number of USB redirection channels"),
    ("spice_image_compression", "string", "spice.image_compression", "hvm", "HVM", "4.6", "how to compress images"),
    ("spice_streaming_video", "string", "spice.streaming_video", "hvm", "HVM", "4.6", "how to detect video"),
    ("nographic", "bool", "hvm.nographic", "hvm", "HVM", "4.2", "no graphics card"),
    ("gfx_passthru", "call", "display:gfx_passthru", "hvm", "HVM", "4.2", 'pass the host\'s graphics card through: 0/1, "igd"'),
    ("serial", "call", "display:serial", "hvm", "HVM", "4.2", "serial ports: a QEMU character device or a list"),
    ("boot", "string", "hvm.boot", "hvm", "HVM", "4.2", "boot order: c disk, d CD, n network"),
    ("usb", "bool", "hvm.usb", "hvm", "HVM", "4.2", "give the guest an emulated USB bus"),
    ("usbversion", "int", "hvm.usbversion", "hvm", "HVM", "4.4", "USB version of the emulated controller: 1 to 3"),
    ("usbdevice", "call", "display:usbdevice", "hvm", "HVM", "4.2", 'emulated USB devices, such as "tablet"'),
    ("vkb_device", "bool", "hvm.vkb_device", "hvm", "HVM", "4.13", "give the guest a virtual keyboard"),
    ("soundhw", "string", "hvm.soundhw", "hvm", "HVM", "4.2", "emulated sound card"),
    ("xen_platform_pci", "bool", "hvm.xen_platform_pci", "hvm", "HVM", "4.2", "give the guest the Xen platform device"),
    ("xen_platform_pci_bar_uc", "bool", "hvm.xen_platform_pci_bar_uc", "hvm", "HVM", "4.21", "that device's memory is uncached"),
    ("vnclisten", "again", "display:one_display_number", "hvm", "", "", ""),
    ("vendor_device", "call", "platform:vendor_device", "hvm", "HVM", "4.4", '"none" or "xenserver"'),
    # Arm
    ("gic_version", "call", "platform:gic_version", "", "Arm", "4.6", '"default", "v2" or "v3"'),
    ("tee", "call", "platform:tee", "", "Arm", "4.13", 'trusted execution: "none", "optee" or "ffa"'),
    ("sve", "call", "platform:sve", "", "Arm", "4.18", 'vector length: "disabled", "hw" or 128 to 2048'),
    ("nr_spis", "uint32", "arm.nr_spis", "", "Arm", "4.19", "number of shared interrupts"),
    ("trap_unmapped_accesses", "bool", "b.trap_unmapped_accesses", "", "Arm", "4.21", "fault on accesses outside of memory"),
    ("arm_sci", "call", "platform:arm_sci", "", "Arm", "4.21", "firmware interface: type=none or type=scmi_smc"),
    # the rest
    ("vkb", "call", "display:vkb", "", "all", "4.12", "keyboards: list of specs"),
    ("virtio", "call", "shares:virtio", "", "Arm", "4.18", "virtio devices: list of specs"),
    ("xend_suspend_evtchn_compat", "bool", "c.xend_suspend_evtchn_compat", "", "all", "4.14", "xend's way to suspend"),
    ("msr_relaxed", "call", "platform:msr_relaxed", "", "x86", "4.15", "unknown MSRs read as 0"),
    ("vpmu", "bool", "b.vpmu", "", "all", "4.16", "give the guest performance counters"),
)
# fmt: on


def known_names() -> tuple[str, ...]:
    """The names of all settings, in order."""
    return tuple([row[0] for row in KEYS if row[0] and row[1] != "again"])


def find_key(name: str) -> Row | None:
    """The row of a setting, or None if xl does not know it."""
    for row in KEYS:
        if row[0] == name and row[1] != "again":
            return row
    return None
