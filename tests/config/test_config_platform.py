"""Settings of the machine that are more than a value: modes, groups, tables, firmware, cpuid, vnuma."""

from __future__ import annotations

import pytest
from parsing import HVM, PV, config, diagnostics, error

from xlpy.model.domain_config import ArmSci, CpuidLeaf, CpuidMsr, CpuidPolicy, HvmInfo, Smbios, VnodeInfo

ANY = "x" * 32


def hvm(text: str) -> HvmInfo:
    found = config(HVM + text + "\n").b_info.hvm
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("tsc_mode='Native'", "tsc_mode", "native"),
        ("tsc_mode='default'", "tsc_mode", None),
        ("tsc_mode=3", "tsc_mode", "native_paravirt"),
        ("timer_mode='one_missed_tick_pending'", "timer_mode", "one_missed_tick_pending"),
        ("timer_mode=0", "timer_mode", "delay_for_missed_ticks"),
        ("altp2m='External'", "altp2m", "external"),
        ("altp2m=1", "altp2m", "mixed"),
        ("altp2m=0", "altp2m", None),
        ("altp2m_count=20", "altp2m_count", 20),
        ("vmtrace_buf_kb=64", "vmtrace_buf_kb", 64),
        ("tee='optee'", "tee", "optee"),
        ("device_model_version='qemu-xen'", "device_model_version", "qemu_xen"),
        ("device_model_version='qemu-xen-traditional'", "device_model_version", "qemu_xen_traditional"),
        ("bootloader_args=['-a','b c']", "bootloader_args", ("-a", "b c")),
        ("bootloader_args='-a \tb'", "bootloader_args", ("-a", "b")),
        ("bootloader_restrict=1", "bootloader_restrict", True),
        ("max_grant_frames=1\nmax_maptrack_frames=2\nmax_grant_version=0", "max_grant_version", 0),
    ],
)
def test_build_settings(text: str, field: str, value: object) -> None:
    assert getattr(config(HVM + text + "\n").b_info, field) == value


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("hdtype='AHCI'", "hdtype", "ahci"),
        ("hdtype='ide'", "hdtype", None),
        ("vendor_device='xenserver'", "vendor_device", "xenserver"),
        ("mmio_hole=256", "mmio_hole_memkb", 262144),
        ("altp2mhvm=1", "altp2m", True),
        ("mca_caps=['lmce']", "mca_caps", 1),
        ("ms_vm_genid='none'", "ms_vm_genid", ()),
        ("viridian=1", "viridian", True),
        ("viridian=['defaults']", "viridian", True),
        ("viridian=['base','!FREQ']", "viridian_disable", (1,)),
        ("viridian=['!base','base']", "viridian_enable", (0,)),
        ("viridian=['all']", "viridian_enable", tuple(range(64))),
        ("smbios=['oem=a','Bios_Vendor=b=c']", "smbios", (Smbios(key="oem", value="a"), Smbios(key="bios_vendor", value="b=c"))),
        ("gfx_passthru=1", "gfx_passthru_kind", None),
        ("gfx_passthru='igd'", "gfx_passthru_kind", "igd"),
        ("gfx_passthru='default'", "gfx_passthru", True),
        ("serial='pty'", "serial", "pty"),
        ("serial=['pty','tcp::1']", "serial_list", ("pty", "tcp::1")),
        ("usbdevice='tablet'", "usbdevice", "tablet"),
        ("usbdevice=['tablet']", "usbdevice_list", ("tablet",)),
        ("bios='ovmf'", "bios", "ovmf"),
        ("firmware='uefi'", "bios", "ovmf"),
        ("firmware='u'", "bios", "ovmf"),
        ("firmware='seabios'", "bios", "seabios"),
        ("firmware='bios'", "bios", None),
        ("firmware='/fw'", "firmware", "/fw"),
        ("bios='ovmf'\nbios_path_override='/b'", "system_firmware", "/b"),
    ],
)  # fmt: skip
def test_hvm_settings(text: str, field: str, value: object) -> None:
    assert getattr(hvm(text), field) == value


def test_graphics_cards() -> None:
    assert hvm("vga='stdvga'").vga.kind == "std"
    assert hvm("stdvga=0").vga.kind == "cirrus"
    assert hvm("vga='qxl'\nstdvga=1").vga.kind == "qxl"


def test_a_generated_id_has_sixteen_bytes() -> None:
    first, second = hvm("ms_vm_genid='generate'").ms_vm_genid, hvm("ms_vm_genid='generate'").ms_vm_genid
    assert len(first) == 16
    assert first != second


def test_arm() -> None:
    arm = config(
        PV + "gic_version='V3'\nvuart='sbsa_uart'\nsve='256'\nnr_spis=9\narm_sci='type=scmi_smc,x'\n"
    ).b_info.arch_arm
    assert (arm.gic_version, arm.vuart, arm.sve_vl, arm.nr_spis) == ("v3", "sbsa_uart", "256", 9)
    assert arm.arm_sci == ArmSci(type="scmi_smc")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("tsc_mode='x'", 1),
        ("tsc_mode=4", 1),
        ("timer_mode='x'", 1),
        ("altp2m=4", 1),
        ("altp2m='x'", 1),
        ("altp2m_count=65536", 1),
        ("passthrough='x'", 1),
        ("hdtype='x'", 1),
        ("vendor_device='x'", 3),
        ("mmio_hole=255", 1),
        ("mmio_hole=3841", 1),
        ("mca_caps='lmce'", 3),
        ("mca_caps=['x']", 3),
        ("ms_vm_genid='x'", 1),
        ("viridian=['x']", 3),
        ("smbios='oem=x'", 1),
        ("smbios=['oem']", 1),
        ("smbios=['oem=']", 1),
        ("smbios=['x=y']", 1),
        ("smbios=[" + "'oem=x'," * 100 + "]", 1),
        ("gfx_passthru='x'", 1),
        ("vga='STDVGA'", 1),
        ("bios='x'", 1),
        ("device_model_version='x'", 1),
        ("device_model_args='-x'", 3),
        ("bootloader_args=''", 1),
        ("max_grant_frames='x'", 1),
        ("max_grant_frames='-1'", 1),
        ("gic_version='x'", 3),
        ("tee='x'", 3),
        ("sve='100'", 1),
        ("vuart='x'", 1),
        ("arm_sci='type=x'", 1),
        ("vnclisten=':1'\nvncdisplay=1", 1),
        ("on_crash='explode'", 1),
        ("xenstore_quota=['x']", 1),
        ("xenstore_quota=['x=4294967296']", 1),
        ("xenstore_quota=[['x']]", 1),
    ],
)
def test_values_that_xl_refuses_with_its_exit_status(text: str, status: int) -> None:
    refused = error(HVM + text + "\n")
    assert refused.exit_status == status
    assert text.split("=")[0] in refused.message or "display" in refused.message


@pytest.mark.parametrize("value", ["0", "'unknown'", "'x'"])
def test_timer_mode_is_not_for_pv(value: str) -> None:
    assert error(PV + f"timer_mode={value}\n").exit_status == 3


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("tsc_mode=1", "deprecated", "tsc_mode"),
        ("altp2mhvm=1", "deprecated", "altp2mhvm"),
        ("builder='hvm'", "deprecated", "builder"),
        ("bootloader_args='x'", "deprecated", "bootloader_args"),
        ("device_model_version='qemu-xen-traditional'", "deprecated", "qemu-xen-traditional"),
        ("msr_relaxed=1", "deprecated", "msr_relaxed"),
        ("bios_path_override='/b'", "incomplete", "bios_path_override"),
        ("device_model_override='/q'", "incomplete", "device_model_override"),
        ("vncviewer=1", "ignored-key", "vncviewer"),
        ("device_model='/q'", "ignored-key", "device_model"),
        ("kernel='/usr/lib/xen/boot/hvmloader'", "ignored-key", "kernel"),
        ("cmdline='a'\nextra='b'", "overridden", "extra"),
    ],
)
def test_warnings(text: str, code: str, key: str) -> None:
    (found,) = diagnostics(HVM + text + "\n")
    assert found.code == code
    assert key in found.message
    assert found.hint


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("cmdline='a b'", "a b"),
        ("root='/r'", "root=/r"),
        ("extra='x'", "x"),
        ("root='/r'\nextra='x'", "root=/r x"),
    ],
)
def test_command_lines(text: str, line: str) -> None:
    assert config(PV + text + "\n").b_info.cmdline == line


def test_firmware_of_guests_without_any() -> None:
    assert (config("name='n'\nfirmware='pvgrub64'\n").b_info.kernel or "").endswith("/pvgrub64.bin")
    assert error("name='n'\nfirmware='ovmf'\n").hint == "one of pvgrub32 pvgrub64"
    assert "both kernel and firmware" in error(PV + "firmware='pvgrub64'\n").message


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("'host,tm=0'", CpuidPolicy(cpuid=(CpuidLeaf(leaf=1, edx="xx0" + ANY[3:]),))),
        ("'host,family=20'", CpuidPolicy(cpuid=(CpuidLeaf(leaf=1, eax="xxxx00000101xxxxxxxx1111xxxxxxxx"),))),
        ("'host,model=0x2a'", CpuidPolicy(cpuid=(CpuidLeaf(leaf=1, eax="x" * 12 + "0010" + "x" * 8 + "1010xxxx"),))),
        ("'host,avx2=k,invtsc=s'", CpuidPolicy(cpuid=(
            CpuidLeaf(leaf=7, subleaf=0, ebx="x" * 26 + "kxxxxx"), CpuidLeaf(leaf=0x80000007, edx="x" * 23 + "s" + "x" * 8)))),
        ("'host,rdcl-no=s'", CpuidPolicy(msr=(CpuidMsr(index=0x10A, policy="x" * 63 + "k"),))),
        (f"['1:eax={ANY}, edx={'0' * 32}','7,0:ebx={'k' * 32}']", CpuidPolicy(cpuid=(
            CpuidLeaf(leaf=1, eax=ANY, edx="0" * 32), CpuidLeaf(leaf=7, subleaf=0, ebx="k" * 32)))),
        ("''", None),
    ],
)  # fmt: skip
def test_cpuid(text: str, policy: CpuidPolicy | None) -> None:
    assert config(PV + f"cpuid={text}\n").b_info.cpuid == policy


@pytest.mark.parametrize(
    "text",
    [
        *("'tm=0'", "'host,tm'", "'host,bogus=1'", "'host,tm=q'", "'host,rdcl-no=2'"),
        *("['x']", "['1']", "['1,x:eax=1']", "['1:fax=1']", "['1:eax=1']"),
    ],
)
def test_what_is_wrong_with_cpuid_never_stops_a_guest(text: str) -> None:
    (found,) = diagnostics(PV + f"cpuid={text}\n")
    assert found.code == "cpuid"


def test_vnuma() -> None:
    nodes = "vnuma=[['pnode=0','size=32','vcpus=0','vdistances=10,20'],[' size = 16 ','vcpus=1-2']]\n"
    build = config(PV + "maxvcpus=3\n" + nodes).b_info
    assert build.vnuma_nodes == (
        VnodeInfo(memkb=32768, distances=(10, 20), vcpus=(0,)),
        VnodeInfo(memkb=16384, distances=(0, 0), vcpus=(1, 2)),
    )
    assert (build.max_vcpus, build.max_memkb, build.numa_placement) == (3, 49152, False)


def test_distances_given_twice_take_the_place_of_the_first_ones() -> None:
    build = config(PV + "vnuma=[['vdistances=10,20','size=32','vcpus=0','vdistances=11'],[]]\n").b_info
    assert [node.distances for node in build.vnuma_nodes] == [(11, 20), (0, 0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vnuma=['x']", "a node must be a list"),
        ("vnuma=[" + "[]," * 2000 + "]", "more than 1024 nodes"),
        ("vnuma=[['vcpus=0-99999']]", "more than 32768 vcpus"),
        ("vnuma=[['pnode=1']]", "no NUMA node 1"),
        ("vnuma=[['pnode=x']]", "no number"),
        ("vnuma=[['size=']]", "no value"),
        ("vnuma=[['vcpus=x']]", "invalid vcpu range"),
        ("vnuma=[['vcpus= ']]", "vcpus is empty"),
        ("vnuma=[['vdistances= ']]", "vdistances is empty"),
        ("vnuma=[['vcpus=0-2']]", "more than the host has pcpus"),
        ("maxvcpus=2\nvnuma=[['vcpus=0']]", "but maxvcpus is 2"),
        ("maxmem=64\nvnuma=[['size=32']]", "but maxmem is 64"),
    ],
)
def test_what_is_no_vnuma(text: str, words: str) -> None:
    assert words in error(PV + text + "\n").message


def test_what_vnuma_passes_over() -> None:
    found = diagnostics(PV + "vnuma=[['sise=1','vdistances=1,2']]\n")
    assert [diagnostic.code for diagnostic in found] == ["vnuma-piece", "vnuma-piece"]
    assert found[0].hint == "did you mean 'size'?"
