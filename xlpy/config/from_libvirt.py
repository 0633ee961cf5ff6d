"""libvirt's domain XML to the settings of a config file, as far as both can say the same.

The meaning of elements follows https://libvirt.org/formatdomain.html for domains of type xen.
"""

from __future__ import annotations

from xlpy.config.diagnostic import SettingError
from xlpy.config.from_libvirt_devices import device_settings
from xlpy.config.writer import ordered
from xlpy.config.xml_tree import Element, read_xml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.literal import Value

    Found = dict[str, Value]

_KIB = {
    "b": 1 / 1024,
    "bytes": 1 / 1024,
    "KB": 1000 / 1024,
    "k": 1,
    "KiB": 1,
    "MB": 10**6 / 1024,
    "M": 1 << 10,
}
_KIB.update({"MiB": 1 << 10, "GB": 10**9 / 1024, "G": 1 << 20, "GiB": 1 << 20, "T": 1 << 30, "TiB": 1 << 30})
_TYPES = {"hvm": "hvm", "linux": "pv", "xen": "pv", "xenpvh": "pvh"}
_BOOT = {"hd": "c", "cdrom": "d", "network": "n", "fd": "a"}
_ACTIONS = ("destroy", "restart", "preserve", "rename-restart", "coredump-destroy", "coredump-restart")
_TSC_MODES = {
    "native": "native",
    "emulate": "always_emulate",
    "paravirt": "native_paravirt",
    "auto": "default",
}


class Converted:
    """Settings of a config file, and (line, what) of everything that they can't say."""

    def __init__(self, settings: Found, lost: list[tuple[int, str]]) -> None:
        self.settings = settings
        self.lost = lost


def from_libvirt(data: bytes, name: str) -> Converted:
    """The settings that domain XML comes to. Raises ConfigError for what is no domain."""
    root = read_xml(data, name)
    if root.tag != "domain":
        raise SettingError("xml", f"<{root.tag:.40}> is no <domain>", where=f"{name}:{root.line}:1")
    reader = _Reader(root, name)
    return Converted(ordered(reader.settings()), sorted([*reader.lost, *root.untaken()]))


class _Reader:
    """Takes from the tree what settings can say."""

    def __init__(self, root: Element, name: str) -> None:
        self._root = root
        self._name = name
        self.lost: list[tuple[int, str]] = []
        self.found: Found = {}

    def settings(self) -> Found:
        root, found = self._root, self.found
        if root.attribute("type") not in ("xen", "kvm", "qemu"):
            raise SettingError("xml", "only domains of type xen, kvm and qemu are known", where=self._name)
        root.attribute("id")  # of the running domain
        self._put("name", root.child_text("name"))
        self._put("type", self._os())
        self._put("uuid", root.child_text("uuid"))
        self._memory("memory", "maxmem")
        self._memory("currentMemory", "memory")
        found.setdefault("memory", found.get("maxmem", 0))
        if found["memory"] == found.get("maxmem", 0):
            found.pop("maxmem" if found["memory"] else "memory")
        self._vcpus()
        self._cpu()
        self._features()
        self._clock()
        for event in ("poweroff", "reboot", "crash"):
            self._action(f"on_{event}")
        self._put("bootloader", root.child_text("bootloader"))
        arguments = root.child_text("bootloader_args")
        if arguments:
            found["bootloader_args"] = tuple(arguments.split())
        label = root.child("seclabel")
        if label is not None and label.attribute("model") == "flask":
            label.attribute("type")
            self._put("seclabel", label.child_text("label"))
        devices = root.child("devices")
        if devices is not None:
            found.update(device_settings(devices, str(found.get("type")), self.lost))
        self._arguments()
        return found

    def _put(self, name: str, value: Value | None) -> None:
        if value is not None and value != "":
            self.found[name] = value

    def _lose(self, element: Element, what: str) -> None:
        self.lost.append((element.line, what))

    def _os(self) -> str:
        os = self._root.child("os")
        kind = os.child("type") if os is not None else None
        if os is None or kind is None:
            raise SettingError("xml", "the domain has no <os> with a <type>", where=self._name)
        machine, word = kind.attribute("machine"), kind.text()
        kind.attribute("arch")
        domain_type = "pvh" if machine == "xenpvh" else _TYPES.get(word)
        if domain_type is None:
            raise SettingError("xml", f"unknown type of os '{word:.40}'", where=f"{self._name}:{kind.line}:1")
        for tag, key in (("kernel", "kernel"), ("initrd", "ramdisk"), ("cmdline", "cmdline")):
            self._put(key, os.child_text(tag))
        order = ""
        for boot in os.children("boot"):
            device = boot.attribute("dev") or ""
            order += _BOOT.get(device, "")
            if device not in _BOOT:
                self._lose(boot, f"/domain/os/boot/@dev={device}")
        self._put("boot", order)
        if os.attribute("firmware") == "efi":
            self.found["bios"] = "ovmf"
        loader = os.child("loader")
        if loader is not None:
            self._loader(loader)
        return domain_type

    def _loader(self, loader: Element) -> None:
        """hvmloader is what Xen uses anyway; of UEFI only that it is wanted can be said."""
        for name in ("type", "readonly", "format", "secure"):
            value = loader.attribute(name)
            if name == "secure" and value == "yes":
                self._lose(loader, "/domain/os/loader/@secure=yes")
        path = loader.text()
        if "ovmf" in path.lower():
            self.found["bios"] = "ovmf"
        elif path and path.rpartition("/")[2] != "hvmloader":
            self.found["firmware_override"] = path

    def _memory(self, tag: str, key: str) -> None:
        element = self._root.child(tag)
        if element is None:
            return
        unit = element.attribute("unit") or "KiB"
        text = element.text()
        if unit not in _KIB or not text.isdigit():
            self._lose(element, f"/domain/{tag}: {text} {unit}")
            return
        mib = int(text) * _KIB[unit] / 1024
        if mib != int(mib):
            self._lose(element, f"/domain/{tag}: {text} {unit} is no whole number of MiB")
        self.found[key] = int(mib)

    def _vcpus(self) -> None:
        vcpu = self._root.child("vcpu")
        if vcpu is not None:
            if vcpu.attribute("placement") == "auto":
                self._lose(vcpu, "/domain/vcpu/@placement=auto")
            count, current = vcpu.text(), vcpu.attribute("current")
            if not (count.isdigit() and (current or count).isdigit()):
                self._lose(vcpu, f"/domain/vcpu: {count}")
                return
            self.found["vcpus"] = int(current or count)
            if current:
                self.found["maxvcpus"] = int(count)
            self._put("cpus", vcpu.attribute("cpuset"))
        tune = self._root.child("cputune")
        if tune is None:
            return
        shares = tune.child_text("shares")
        if shares and shares.isdigit():
            self.found["cpu_weight"] = int(shares)
        pins = {pin.attribute("vcpu"): pin.attribute("cpuset") or "" for pin in tune.children("vcpupin")}
        if pins:
            most = int(str(self.found.get("maxvcpus", self.found.get("vcpus", 1))))
            whole = str(self.found.get("cpus", "all"))
            self.found["cpus"] = tuple([pins.get(str(vcpu), whole) for vcpu in range(most)])

    def _cpu(self) -> None:
        cpu = self._root.child("cpu")
        if cpu is None:
            return
        mode = cpu.attribute("mode")
        if mode == "host-passthrough":
            self.found["nestedhvm"] = 1
            for feature in cpu.children("feature"):
                name, policy = feature.attribute("name"), feature.attribute("policy")
                if name in ("vmx", "svm") and policy in ("disable", "forbid"):
                    self.found["nestedhvm"] = 0
                else:
                    self._lose(feature, f"/domain/cpu/feature/@name={name}")
        elif mode is not None:
            self._lose(cpu, f"/domain/cpu/@mode={mode}")
        numa = cpu.child("numa")
        if numa is not None:
            cells = list(numa.children("cell"))
            self.found["vnuma"] = tuple([self._cell(cell, len(cells)) for cell in cells])

    def _cell(self, cell: Element, count: int) -> Value:
        number = cell.attribute("id") or "0"
        unit, memory = cell.attribute("unit") or "KiB", cell.attribute("memory") or "0"
        size_mib = int(int(memory) * _KIB.get(unit, 0) / 1024) if memory.isdigit() else 0
        parts = [f"pnode={number}", f"size={size_mib}", f"vcpus={cell.attribute('cpus')}"]
        distances = cell.child("distances")
        if distances is not None:
            values = {
                sibling.attribute("id"): sibling.attribute("value")
                for sibling in distances.children("sibling")
            }
            listed = [
                values.get(str(other)) or ("10" if str(other) == number else "20") for other in range(count)
            ]
            parts.append(f"vdistances={','.join(listed)}")
        return tuple(parts)

    def _features(self) -> None:
        """What libvirt doesn't list it turns off, for HVM guests."""
        features = self._root.child("features")
        for tag in ("acpi", "apic", "pae"):
            given = features is not None and features.child(tag) is not None
            if self.found["type"] == "hvm":
                self.found[tag] = int(given)
        if features is None:
            return
        for tag in ("viridian", "hap"):
            element = features.child(tag)
            if element is not None:
                self.found[tag] = int(element.attribute("state") != "off")
        xen = features.child("xen")
        if xen is not None:
            if xen.child_attribute("e820_host", "state") == "on":
                self.found["e820_host"] = 1
            passthrough = xen.child("passthrough")
            if passthrough is not None and passthrough.attribute("state") == "on":
                self.found["passthrough"] = passthrough.attribute("mode") or "enabled"

    def _clock(self) -> None:
        clock = self._root.child("clock")
        if clock is None:
            return
        offset, adjustment, basis = [clock.attribute(name) for name in ("offset", "adjustment", "basis")]
        if offset in ("utc", "localtime"):
            self.found["localtime"] = int(offset == "localtime")
        elif offset == "variable":
            self.found["localtime"] = int(basis == "localtime")
        else:
            self._lose(clock, f"/domain/clock/@offset={offset}")
        if offset == "variable" and adjustment and adjustment.lstrip("-").isdigit():
            self.found["rtc_timeoffset"] = int(adjustment)
        for timer in clock.children("timer"):
            name, present, mode = [timer.attribute(word) for word in ("name", "present", "mode")]
            if name == "tsc" and (mode or "auto") in _TSC_MODES:
                self.found["tsc_mode"] = _TSC_MODES[mode or "auto"]
            elif name == "hpet":
                self.found["hpet"] = int(present != "no")
            else:
                self._lose(timer, f"/domain/clock/timer/@name={name}")

    def _action(self, tag: str) -> None:
        action = self._root.child(tag)
        if action is None:
            return
        word = action.text()
        if word in _ACTIONS:
            self.found[tag] = word
        else:
            self._lose(action, f"/domain/{tag}: {word}")

    def _arguments(self) -> None:
        """Arguments for QEMU that libvirt passes on."""
        line = self._root.child("xen:commandline")
        if line is not None:
            arguments = [argument.attribute("value") or "" for argument in line.children("xen:arg")]
            self.found["device_model_args"] = tuple(arguments)
