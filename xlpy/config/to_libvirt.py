"""A DomainConfig as libvirt's domain XML, as far as both can say the same: the way back from ``from_libvirt``."""

from __future__ import annotations

from xlpy.config.compare import compare
from xlpy.config.domain import parse_domain_config
from xlpy.config.from_libvirt import from_libvirt
from xlpy.config.to_libvirt_devices import device_nodes, has_bus
from xlpy.config.write_build import cpu_list
from xlpy.config.writer import roomy_host, settings_of, settings_text
from xlpy.config.xml_tree import Node
from xlpy.errors import ConfigError
from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.literal import Value
    from xlpy.model.domain_config import DomainBuildInfo, DomainConfig, VnodeInfo

_OS = {
    DomainType.HVM: ("hvm", "xenfv"),
    DomainType.PV: ("linux", "xenpv"),
    DomainType.PVH: ("xenpvh", "xenpvh"),
}
_BOOT = {"c": "hd", "d": "cdrom", "n": "network", "a": "fd"}
_TSC_MODES = {"native": "native", "always_emulate": "emulate", "native_paravirt": "paravirt"}
_XEN_NAMESPACE = "http://libvirt.org/schemas/domain/xen/1.0"


def to_libvirt(config: DomainConfig) -> tuple[str, tuple[str, ...]]:
    """The XML, and the settings that it can't say, as lines of a config file.

    What is lost is found out by converting the XML back.
    """
    text = _domain(config).text()
    converted = from_libvirt(text.encode(), "the written XML")
    try:
        host = roomy_host(config)
        back = parse_domain_config(settings_text(converted.settings), "the written XML", host=host).config
    except ConfigError as error:
        return text, (str(error),)
    lost = [
        f"vdev={disk.vdev}: libvirt has hd, sd and xvd only"
        for disk in config.disks
        if not has_bus(disk.vdev)
    ]
    for difference in compare(config, back):
        shown = (
            f"{difference.setting} = {difference.wanted}" if difference.wanted else f"no {difference.setting}"
        )
        lost.append(shown)
    return text, tuple(lost)


def _domain(config: DomainConfig) -> Node:
    settings, build = settings_of(config), config.b_info
    domain = Node("domain", type="xen")
    extra = settings.get("device_model_args")
    if extra:
        domain.attributes["xmlns:xen"] = _XEN_NAMESPACE
    domain.add("name", config.c_info.name)
    domain.add("uuid", config.c_info.uuid)
    most_kib = build.max_memkb or build.target_memkb
    if most_kib is not None:
        domain.add("memory", str(most_kib), unit="KiB")
        domain.add("currentMemory", str(build.target_memkb or most_kib), unit="KiB")
    _vcpus(domain, config)
    if "bootloader" in settings:
        domain.add("bootloader", str(settings["bootloader"]))
        domain.add("bootloader_args", " ".join(build.bootloader_args) or None)
    domain.children.append(_os(config))
    _features(domain, config, settings)
    _cpu(domain, build)
    _clock(domain, config)
    for event in ("poweroff", "reboot", "crash"):
        domain.add(
            f"on_{event}", str(settings.get(f"on_{event}", "restart" if event == "reboot" else "destroy"))
        )
    domain.children.append(device_nodes(config))
    if config.c_info.ssid_label is not None and build.exec_ssid_label is None:
        label = domain.add("seclabel", type="static", model="flask")
        label.add("label", config.c_info.ssid_label)
    if extra:
        line = domain.add("xen:commandline")
        for argument in build.extra:
            line.add("xen:arg", value=argument)
    return domain


def _vcpus(domain: Node, config: DomainConfig) -> None:
    build = config.b_info
    online = len(build.avail_vcpus) or 1
    vcpu = domain.add("vcpu", str(build.max_vcpus), placement="static")
    if online != build.max_vcpus:
        vcpu.attributes["current"] = str(online)
    hard = build.vcpu_hard_affinity
    uniform = len(set(hard)) == 1 and len(hard) == build.max_vcpus and build.numa_placement is not False
    if uniform:
        vcpu.attributes["cpuset"] = cpu_list(hard[0])
    pinned = hard if not uniform else ()
    weight = build.sched_params.weight
    if pinned or weight is not None:
        tune = domain.add("cputune")
        tune.add("shares", None if weight is None else str(weight))
        for number, mask in enumerate(pinned):
            tune.add("vcpupin", vcpu=str(number), cpuset=cpu_list(mask))


def _os(config: DomainConfig) -> Node:
    build, hvm = config.b_info, config.b_info.hvm
    os = Node("os")
    if hvm is not None and hvm.bios == "ovmf":
        os.attributes["firmware"] = "efi"
    word, machine = _OS[config.c_info.type]
    os.add("type", word, arch="x86_64", machine=machine)
    if hvm is not None and hvm.firmware is not None:
        os.add("loader", hvm.firmware, type="rom")
    os.add("kernel", build.kernel)
    os.add("initrd", build.ramdisk)
    os.add("cmdline", build.cmdline or None)
    for letter in (hvm.boot or "") if hvm is not None else "":
        if letter in _BOOT:
            os.add("boot", dev=_BOOT[letter])
    return os


def _features(domain: Node, config: DomainConfig, settings: dict[str, Value]) -> None:
    """libvirt turns off what isn't listed; libxl turns on what isn't turned off."""
    features = Node("features")
    if config.b_info.hvm is not None:
        for name in ("acpi", "apic", "pae"):
            if settings.get(name) != 0:
                features.add(name)
    hap = config.c_info.hap
    if hap is not None:
        features.add("hap", state="on" if hap else "off")
    if settings.get("viridian") == 1:
        features.add("viridian")
    xen = Node("xen")
    if settings.get("e820_host"):
        xen.add("e820_host", state="on")
    passthrough = config.c_info.passthrough
    if passthrough is not None:
        xen.add("passthrough", state="on", mode=passthrough if passthrough.endswith("_pt") else None)
    if xen.children:
        features.children.append(xen)
    if features.children:
        domain.children.append(features)


def _cpu(domain: Node, build: DomainBuildInfo) -> None:
    if build.nested_hvm is None and not build.vnuma_nodes:
        return
    cpu = domain.add("cpu")
    if build.nested_hvm is not None:
        cpu.attributes["mode"] = "host-passthrough"
        if not build.nested_hvm:
            for name in ("vmx", "svm"):
                cpu.add("feature", policy="disable", name=name)
    if build.vnuma_nodes:
        numa = cpu.add("numa")
        for number, node in enumerate(build.vnuma_nodes):
            numa.children.append(_cell(node, number))


def _cell(node: VnodeInfo, number: int) -> Node:
    cell = Node("cell", id=str(number), cpus=cpu_list(node.vcpus), memory=str(node.memkb or 0), unit="KiB")
    if any(node.distances):
        distances = cell.add("distances")
        for other, distance in enumerate(node.distances):
            distances.add("sibling", id=str(other), value=str(distance))
    return cell


def _clock(domain: Node, config: DomainConfig) -> None:
    build, hvm = config.b_info, config.b_info.hvm
    basis = "localtime" if build.localtime else "utc"
    if build.rtc_timeoffset:
        seconds = build.rtc_timeoffset - (1 << 32 if build.rtc_timeoffset >> 31 else 0)
        clock = domain.add("clock", offset="variable", adjustment=str(seconds), basis=basis)
    else:
        clock = domain.add("clock", offset=basis)
    if build.tsc_mode in _TSC_MODES:
        clock.add("timer", name="tsc", present="yes", mode=_TSC_MODES[build.tsc_mode])
    if hvm is not None and hvm.hpet is not None:
        clock.add("timer", name="hpet", present="yes" if hvm.hpet else "no")
