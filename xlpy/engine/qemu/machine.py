"""DomainConfig to the machine that QEMU makes.

Planning settles what the guest sees: which devices in which places. The plan goes into the domain's record and ahead of
its state when it moves, and QEMU's arguments follow from it alone.
"""

from __future__ import annotations

import json
import time

from xlpy.engine.qemu.block import disk_arguments, plan_controllers, plan_disks
from xlpy.engine.qemu.boot import boot_arguments, boot_notes, can_boot_quickly
from xlpy.engine.qemu.cpus import cpu_arguments, online_at_start
from xlpy.engine.qemu.display import display_arguments
from xlpy.engine.qemu.memory import BALLOON, ram_kib
from xlpy.engine.qemu.nics import nic_arguments, plan_nics
from xlpy.engine.qemu.pci_slots import (
    BALLOON_SLOT,
    CONSOLE_SLOT,
    WATCHDOG_SLOT,
    bridge_devices,
    bridge_slots,
    slot_properties,
)
from xlpy.engine.qemu.runtime_record import MachineRecord
from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.files import DomainFiles
    from xlpy.model.domain_config import DomainConfig

NEWEST_MACHINE = "pc"
# Raise it with every change of the devices below that isn't in the plan: a state fits into its own layout only.
LAYOUT = 1
OWN_SERIAL = "pty"  # xl.cfg's word for a serial line that `xl console` shows
# For the translator what distributions ask for (x86-64-v2), in a model that is the same in every QEMU, so that a guest
# can move to another version; "max" also takes a tenth longer to boot. rdrand is there to fill the entropy pool.
_CPU_MODELS = {"kvm": "host", "tcg": "qemu64,ssse3=on,sse4.1=on,sse4.2=on,popcnt=on,rdrand=on"}


def plan_machine(config: DomainConfig, domid: int, accelerator: str) -> tuple[MachineRecord, tuple[str, ...]]:
    """The machine for a completed configuration, and notes about what is done in another way than asked.

    Its type is QEMU's newest; which version that is, QEMU tells when it runs. Raises ConfigError or NotSupported.
    """
    disks = plan_disks(config)
    nics, nic_notes = plan_nics(config, domid)
    slots = plan_controllers(disks)
    places = [disk.slot for disk in disks] + [nic.slot for nic in nics]
    slots.update(bridge_slots(slot for slot in places if slot is not None))
    machine = MachineRecord(
        machine_type=NEWEST_MACHINE,
        cpu_model=_cpu_model(config, accelerator),
        memory_kib=ram_kib(config),
        max_vcpus=config.b_info.max_vcpus,
        online_vcpus=online_at_start(config),
        disks=disks,
        nics=nics,
        slots=slots,
        quick_boot=can_boot_quickly(config),
        layout=LAYOUT,
    )
    return machine, (*boot_notes(config, disks), *nic_notes)


def _cpu_model(config: DomainConfig, accelerator: str) -> str:
    """What the host has, or a translated model; nested virtualization of the host's only on request, as under xl."""
    model = _CPU_MODELS[accelerator]
    if accelerator == "kvm" and not config.b_info.nested_hvm:
        model += ",vmx=off,svm=off"
    if config.b_info.hvm is not None and config.b_info.hvm.nx is False:
        model += ",nx=off"
    return model


def console_kinds(config: DomainConfig) -> tuple[tuple[str, int], ...]:
    """The consoles that xlpyd shows, the primary one first: hvc0 of a pv or pvh guest, an hvm guest's serial lines."""
    if config.c_info.type is not DomainType.HVM:
        return (("pv", 0),)
    return tuple(
        ("serial", number) for number, line in enumerate(_serial_lines(config)) if line == OWN_SERIAL
    )


def _serial_lines(config: DomainConfig) -> tuple[str, ...]:
    hvm = config.b_info.hvm
    if hvm is None:
        return ()
    return hvm.serial_list or ((hvm.serial or OWN_SERIAL),)


def machine_arguments(
    config: DomainConfig,
    machine: MachineRecord,
    files: DomainFiles,
    accelerator: str,
    descriptors: dict[str, str],
) -> list[str]:
    """QEMU's arguments, without the program's name.

    ``descriptors`` has the number, as QEMU will know it, of each descriptor handed to it: ``qmp``, the consoles'
    (``pv0``, ``serial0`` …) and the taps' by their netdev_id.
    """
    name = (config.c_info.name or "").replace(",", ",,")
    return [
        *("-name", f"guest={name},process=xlpy-domain,debug-threads=on"),
        *("-uuid", config.c_info.uuid or ""),
        *("-nodefaults", "-no-user-config", "-S"),
        *("-machine", _machine(config, machine)),
        *("-accel", "tcg,thread=multi" if accelerator == "tcg" else accelerator),
        *("-cpu", machine.cpu_model, *cpu_arguments(machine)),
        *("-m", f"size={machine.memory_kib}k"),
        *("-action", "shutdown=pause,reboot=shutdown,panic=pause,watchdog=pause"),
        *("-sandbox", _sandbox(config)),
        *_monitor_arguments(files, descriptors["qmp"]),
        *("-rtc", _clock(config)),
        *_fixed_devices(machine),
        *_console_arguments(config, files, descriptors),
        *disk_arguments(config, machine.disks, machine.slots),
        *nic_arguments(config, machine.nics, descriptors),
        *display_arguments(config, files),
        *boot_arguments(config, machine.disks, machine.quick_boot),
        *_user_arguments(config),
        *_extra_arguments(config),
    ]


def _machine(config: DomainConfig, machine: MachineRecord) -> str:
    options = [machine.machine_type, "usb=off", "vmport=off", "smbus=off"]
    hvm = config.b_info.hvm
    if hvm is None:
        options.append("hpet=off")
    else:
        options += [f"hpet={'off' if hvm.hpet is False else 'on'}"]
        if hvm.acpi is False or config.b_info.acpi is False:
            options.append("acpi=off")
    return ",".join(options)


def _sandbox(config: DomainConfig) -> str:
    # to become the device model's user comes after the sandbox; there is no way back from there anyhow
    privileges = "allow" if config.b_info.device_model_user else "deny"
    return f"on,obsolete=deny,elevateprivileges={privileges},spawn=deny,resourcecontrol=deny"


def _monitor_arguments(files: DomainFiles, qmp: str) -> list[str]:
    """A monitor for us, and one that writes all events into a file whether we are there or not.

    The latter's "pipe" is a pair of plain files: what it reads is the one command that starts it.
    """
    return [
        *("-chardev", f"socket,id=qmp,fd={qmp},server=on,wait=off", "-mon", "chardev=qmp,mode=control"),
        *("-chardev", f"pipe,id=events,path={_escaped(files.events)}", "-mon", "chardev=events,mode=control"),
    ]


def _clock(config: DomainConfig) -> str:
    """``localtime=`` and ``rtc_timeoffset=``, the guest's clock beside UTC in seconds."""
    offset_s = config.b_info.rtc_timeoffset
    if not offset_s:
        return "base=localtime" if config.b_info.localtime else "base=utc"
    now_s = time.time() + offset_s
    broken_down = time.localtime(now_s) if config.b_info.localtime else time.gmtime(now_s)
    return "base=" + time.strftime("%Y-%m-%dT%H:%M:%S", broken_down)


def _fixed_devices(machine: MachineRecord) -> list[str]:
    """Balloon, watchdog, the guest's way to say that it has crashed, and the bridges."""
    devices: list[dict[str, object]] = [
        *bridge_devices(machine.slots),
        {"driver": "virtio-balloon-pci", "id": BALLOON, **slot_properties(BALLOON_SLOT)},
        {"driver": "i6300esb", "id": "watchdog0", **slot_properties(WATCHDOG_SLOT)},
        {"driver": "pvpanic", "id": "panic0"},
    ]
    arguments = []
    for device in devices:
        arguments += ["-device", json.dumps(device)]
    return arguments


def _console_arguments(config: DomainConfig, files: DomainFiles, descriptors: dict[str, str]) -> list[str]:
    arguments: list[str] = []
    for kind, number in console_kinds(config):
        name = f"{kind}{number}"
        log = _escaped(files.console_log(kind, number))
        backend = f"socket,id={name},fd={descriptors[name]},server=on,wait=off,logfile={log},logappend=on"
        arguments += ["-chardev", backend]
    if config.c_info.type is not DomainType.HVM:
        controller = {"driver": "virtio-serial-pci", "id": "consoles", **slot_properties(CONSOLE_SLOT)}
        device = {"driver": "virtconsole", "chardev": "pv0", "bus": "consoles.0"}
        # all devices in JSON: QEMU makes those that are not before those that are
        arguments += ["-device", json.dumps(controller), "-device", json.dumps(device)]
    for number, line in enumerate(_serial_lines(config)):
        arguments += ["-serial", f"chardev:serial{number}" if line == OWN_SERIAL else line]
    return arguments


def _user_arguments(config: DomainConfig) -> list[str]:
    return ["-runas", config.b_info.device_model_user] if config.b_info.device_model_user else []


def _extra_arguments(config: DomainConfig) -> list[str]:
    """``device_model_args=`` and its forms for one type of guest."""
    extra = config.b_info.extra
    extra += config.b_info.extra_hvm if config.c_info.type is DomainType.HVM else config.b_info.extra_pv
    return list(extra)


def _escaped(path: str) -> str:
    return path.replace(",", ",,")
