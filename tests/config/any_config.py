"""Hypothesis strategies for config texts: any mixture of settings, with values that fit and some that don't."""

from __future__ import annotations

from hypothesis import strategies as st

from xlpy.config.keys import KEYS
from xlpy.config.literal import literal

NUMBERS = (
    "0",
    "1",
    "2",
    "7",
    "64",
    "0x10",
    "010",
    '"-1"',
    '"4294967295"',
    "99999999999999999999",
    '"1 "',
    '"x"',
)
TEXTS = ('"a"', '"b c"', "'/x'", '""', '"x:1"', '"a\\"b\\\\"', '"é"')
LISTS = ("[]", '["a"]', '["a", ["b"], "c"]', "[1]", '[["a"]]')
WORDS: dict[str, tuple[str, ...]] = {
    "type": ("pv", "pvh", "hvm", "h"),
    "builder": ("hvm", "generic"),
    "uuid": ("01234567-89ab-cdef-0123-456789abcdef", "x"),
    "tsc_mode": ("default", "Native", "native_paravirt", "zz"),
    "timer_mode": ("one_missed_tick_pending", "unknown", "delay_for_missed_ticks"),
    "passthrough": ("default", "enabled", "SYNC_PT"),
    "firmware": ("uefi", "bios", "", "/p", "pvgrub32"),
    "bios": ("seabios", "OVMF", "unknown"),
    "vga": ("stdvga", "cirrus", "none", "qxl"),
    "hdtype": ("ide", "ahci"),
    "vendor_device": ("none", "xenserver"),
    "altp2m": ("disabled", "mixed", "External"),
    "gfx_passthru": ("default", "igd"),
    "ms_vm_genid": ("none", "generate"),
    "gic_version": ("v2", "default"),
    "tee": ("none", "optee"),
    "sve": ("hw", "128", "disabled"),
    "arm_sci": ("type=none", "type=scmi_smc"),
    "vuart": ("sbsa_uart", "unknown"),
    "device_model_version": ("qemu-xen", "qemu-xen-traditional"),
    "cpus": ("0", "0-1", "all", "0-3,^1", "node:0", "3", "1-0"),
    "cpus_soft": ("0", "all,^0"),
    "cmdline": ("a", "", "x y"),
    "kernel": ("/k", "hvmloader"),
    "bootloader_args": ("a b", "-x\\t-y"),
    "vnclisten": ("0.0.0.0", "127.0.0.1:5"),
    "rdm": ("strategy=host", "strategy=host,policy=strict"),
    "cpuid": (
        "host,tm=0",
        "host,family=20,model=200,stepping=3",
        "host,maxleaf=0xd,procpkg=s,nc=3",
        "host,rdcl-no=1,ssbd=0,avx2=k",
    ),
    **{
        f"on_{end}": ("destroy", "rename-restart", "preserve", "coredump-restart", "soft-reset")
        for end in ("poweroff", "reboot", "crash", "watchdog", "soft_reset")
    },
}
SPECS: dict[str, tuple[str, ...]] = {
    "disk": (
        "/dev/vg/x,raw,xvda,rw",
        "/a b,qcow2,hda,ro",
        ",,hdc:cdrom",
        "file:/f,xvdb,w",
        "a:b:c,empty,hdd:cdrom",
        "vdev=xvdc, access=rw, discard, untrusted, target=/x,y=z,",
        "vdev=sda,backendtype=qdisk,script=s,direct-io-safe,colo,colo-host=h,colo-port=5,target=t",
        "format=vhd",
    ),
    "vif": (
        "",
        "bridge=b,mac=00:16:3E:aa:bb:cc",
        "rate=10Mb/s@20ms,devid=4,mtu=1500",
        "rate=4294967295KB/s@4294967295us",
        "rate=5b/s,untrusted",
        "model=e1000,type=ioemu,ip=1.2.3.4,vifname=v,colo_sock_mirror_id=a",
        "mac=00:16:zz,bogus=1",
        "mtu=x",
    ),
    "vfb": ("vnc=1,vnclisten=1.2.3.4,vncpasswd=,vncdisplay=5", "sdl=1,opengl=0,display=:0,keymap=de"),
    "vkb": ("backend-type=linux,unique-id=u", "backend-type=qemu,multi-touch-width=5,width=0x10", "x"),
    "vtpm": ("backend=d", "backend=d,uuid=01234567-89ab-cdef-0123-456789abcdef"),
    "p9": (
        "tag=t,path=/p,security_model=none",
        "type=xen_9pfsd,max-files=-3,auto-delete=1",
        " tag = x ,path= ",
    ),
    "pvcalls": ("backend=d", ""),
    "channel": ("connection=pty,name=n", "connection=socket,path=/p,backend=d"),
    "vdispl": ("connectors=id0:800x600;b:3x4,be-alloc=1", "backend=d,connectors=a:b;c:1x1"),
    "usbctrl": ("type=auto", "type=qusb,version=2,ports=8"),
    "usbdev": ("type=hostdev,hostbus=1,hostaddr=0x2,controller=0,port=3",),
    "virtio": ("type=virtio,device22,transport=mmio,grant_usage=1", "backend=d"),
    "pci": (
        "01:00.0",
        "0000:01:00.*@5,permissive=1,rdm_policy=strict",
        "01:00.0,rdm_policy=invalid",
        "name=nic",
    ),
    "ioports": ("2f8-2ff", "3f8", "2ff-2f8"),
    "irqs": ("5", "4294967294"),
    "iomem": ("a0000,20", "a0000,20@100"),
    "mca_caps": ("lmce",),
    "viridian": ("all", "defaults", "base", "!base", "stimer"),
    "cpus": ("0", "1", "all"),
    "cpuid": ("1:eax=" + "x" * 32, "7,0:ebx=" + "01" * 16 + ",ecx=" + "k" * 32),
    "smbios": ("bios_vendor=a=b", "oem=x"),
    "xenstore_quota": ("nodes=5", "x=0x10"),
    "llc_colors": ("1-3", "7"),
    "bootloader_args": ("-a", ""),
    "device_model_args": ("-a",),
    "serial": ("pty", ""),
    "dtdev": ("/d",),
}
NESTED: dict[str, tuple[str, ...]] = {
    "vnuma": (
        '[["pnode=0", "size=64", "vcpus=0-1", "vdistances=10"]]',
        '[["size=32", "vcpus=0"], ["size=32", "size=64", "vcpus=1", "vdistances=20,10"]]',
        '[["vcpus=0", "vcpus=0"]]',
    ),
    "vsnd": (
        '[["CARD, backend=d, short-name=s", "PCM, name=p", "STREAM, unique-id=u, type=p, channels-max=2"]]',
        '[["STREAM, sample-rates=8000;44100", "PCM, sample-formats=s16_le;u8"]]',
    ),
}
NAMES = [row[0] for row in KEYS if row[0] and row[1] != "again" and row[0] != "name"]


@st.composite
def values(draw: st.DrawFn, name: str) -> str:
    """A value for a setting, mostly one of the right kind."""
    if name in NESTED and draw(st.integers(0, 9)):
        return draw(st.sampled_from(NESTED[name]))
    if name in SPECS and draw(st.integers(0, 3)):
        return literal(tuple(draw(st.lists(st.sampled_from(SPECS[name]), max_size=3))))
    if name in WORDS and draw(st.integers(0, 9)):
        return literal(draw(st.sampled_from(WORDS[name])))
    return draw(st.sampled_from((*NUMBERS, *TEXTS, *LISTS)))


@st.composite
def config_texts(draw: st.DrawFn) -> str:
    """A config of a few lines; most are accepted."""
    lines = ['name="n"', 'kernel="/k"', f'type="{draw(st.sampled_from(("pv", "pvh", "hvm", "hvm")))}"']
    lines += draw(st.sampled_from(([], ["memory=64"], ["memory=64", "maxmem=128"], ["memory=64", "vcpus=2"])))
    for name in draw(st.lists(st.sampled_from((*NAMES, *SPECS, *NESTED)), max_size=6)):
        lines.append(f"{name}={draw(values(name))}")
    return "\n".join(lines) + "\n"
