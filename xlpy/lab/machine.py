"""QEMU's command line for a host.

Xen is booted by QEMU's multiboot loader, with dom0's kernel and initrd as its modules.
"""

from __future__ import annotations

from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.lab.image import Image

DISK = "disk.qcow2"
DISK_NODE = "disk"
MONITOR = "qmp.sock"
SERIAL = "serial.sock"
SERIAL_LOG = "serial.log"
PID_FILE = "qemu.pid"
READY = "ready"

# What QEMU's translator does for hardware virtualization is enough for PVH and HVM guests with this processor only:
# on others dom0 crashes at its first steps.
_CPU = {"tcg": "qemu64,+svm,+npt", "kvm": "host"}
_TRANSLATOR = "tcg,thread=multi,tb-size=512"
_XEN_OPTIONS = (
    *("console=com1", "com1=115200,8n1", "loglvl=info", "guest_loglvl=info"),
    *("spec-ctrl=no", "xpti=no", "smt=on", "sched=credit2", "noreboot"),
)
_KERNEL_OPTIONS = ("console=hvc0", "mitigations=off", "quiet", "panic=1", "net.ifnames=0")


class Machine(Record):
    """What a host is made of. ``accelerator`` is kvm or tcg."""

    memory_mib: int
    dom0_mib: int
    cpus: int
    accelerator: str


class Wiring(Record):
    """What tells one host from another: where its SSH is, and the ends of its link, from its own directory.

    The ends are names of unix datagram sockets; a host whose other end isn't there loses what it sends.
    """

    ssh_port: int
    link_own: str
    link_other: str


def qemu_argv(qemu: str, machine: Machine, image: Image, wiring: Wiring, snapshot: str | None) -> list[str]:
    """The command, to be run in the host's directory; ``snapshot`` is where to start from, None to boot."""
    xen = (
        f"dom0_mem={machine.dom0_mib}M,max:{machine.dom0_mib}M",
        f"dom0_max_vcpus={machine.cpus}",
        *_XEN_OPTIONS,
    )
    kernel = " ".join((image.kernel, *_KERNEL_OPTIONS))
    accelerator = _TRANSLATOR if machine.accelerator == "tcg" else machine.accelerator
    return [
        *(qemu, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-no-reboot"),
        *("-machine", "q35", "-accel", accelerator, "-cpu", _CPU[machine.accelerator]),
        *("-m", str(machine.memory_mib), "-smp", str(machine.cpus)),
        *("-kernel", image.xen, "-append", " ".join(xen)),
        *("-initrd", ",".join(_comma_doubled(module) for module in (kernel, image.initrd))),
        *("-blockdev", f"file,node-name=file,filename={DISK},cache.no-flush=on,discard=unmap"),
        *("-blockdev", f"qcow2,node-name={DISK_NODE},file=file,cache.no-flush=on,discard=unmap"),
        *("-device", f"virtio-blk-pci,drive={DISK_NODE}"),
        # dom0 has its address from /etc/lab/rc; its guests are given others, or they would take that one
        *(
            "-netdev",
            f"user,id=user,dhcpstart=10.0.2.100,hostfwd=tcp:127.0.0.1:{wiring.ssh_port}-10.0.2.15:22",
        ),
        *("-device", "virtio-net-pci,netdev=user,romfile=,mac=52:54:00:01:00:01"),
        *("-netdev", _link(wiring)),
        *("-device", "virtio-net-pci,netdev=link,romfile=,mac=52:54:00:09:00:00"),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"socket,id=serial,path={SERIAL},server=on,wait=off,logfile={SERIAL_LOG}"),
        *("-serial", "chardev:serial"),
        *("-qmp", f"unix:{MONITOR},server=on,wait=off", "-pidfile", PID_FILE),
        *(("-loadvm", snapshot) if snapshot else ()),
    ]


def _link(wiring: Wiring) -> str:
    ends = (("local", wiring.link_own), ("remote", wiring.link_other))
    return "dgram,id=link," + ",".join(f"{end}.type=unix,{end}.path={path}" for end, path in ends)


def _comma_doubled(text: str) -> str:
    return text.replace(",", ",,")
