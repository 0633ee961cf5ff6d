"""Devices of libvirt's domain XML as settings."""

from __future__ import annotations

from xlpy.config.cnumber import strtoul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.literal import Value
    from xlpy.config.xml_tree import Element

    Found = dict[str, Value]
    Lost = list[tuple[int, str]]

_VNC_BASE_PORT = 5900
_BACKENDS = {"qemu": "qdisk", "tap": "tap", "tap2": "tap", "phy": "phy", "file": "qdisk"}
_FORMATS = {
    "raw": "raw",
    "aio": "raw",
    "qcow": "qcow",
    "qcow2": "qcow2",
    "qed": "qed",
    "vpc": "vhd",
    "vhd": "vhd",
}
_BUSES = {"hd": "ide", "xvd": "xen", "sd": "scsi"}
_CARDS = {"cirrus": "cirrus", "vga": "stdvga", "qxl": "qxl", "none": "none", "xen": None}
_IMPLIED_CONTROLLERS = ("ide", "pci", "scsi", "virtio-serial")
_SERIAL_PATHS = {"dev": "", "file": "file:", "pipe": "pipe:"}
_CONTROLLERS = {"qusb1": ("qusb", 1), "qusb2": ("qusb", 2)}


def device_settings(devices: Element, domain_type: str, lost: Lost) -> Found:
    """The settings of all devices; what can't be said is added to ``lost``."""
    reader = _Devices(devices, domain_type, lost)
    return {name: value for name, value in reader.settings().items() if value not in ((), None)}


class _Devices:
    def __init__(self, devices: Element, domain_type: str, lost: Lost) -> None:
        self._devices = devices
        self._is_hvm = domain_type == "hvm"
        self._is_pv = domain_type == "pv"
        self._lost = lost
        self.found: Found = {}

    def settings(self) -> Found:
        devices = self._devices
        self._emulator()
        self.found["disk"] = tuple([self._disk(disk) for disk in devices.children("disk")])
        self.found["vif"] = tuple([self._nic(nic) for nic in devices.children("interface")])
        self._screens()
        self._serial()
        self._inputs()
        self._video()
        self._controllers()
        self._host_devices()
        self._channels()
        for console in devices.children("console"):  # every domain has one
            console.ignore("target", "source", "alias", "address")
            if console.attribute("type") != "pty":
                self._lose(console, "console/@type")
            console.attribute("tty")
        for balloon in devices.children("memballoon"):
            if balloon.attribute("model") not in ("xen", "none", "virtio"):
                self._lose(balloon, "memballoon/@model")
            balloon.ignore("address", "alias")
        for sound in devices.children("sound"):
            model = sound.attribute("model") or "hda"
            self.found["soundhw"] = "hda" if model in ("ich6", "ich9") else model
            sound.ignore("address", "alias")
        return self.found

    def _lose(self, element: Element, what: str) -> None:
        self._lost.append((element.line, f"/domain/devices/{what}"))

    def _emulator(self) -> None:
        emulator = self._devices.child("emulator")
        if emulator is None:
            return
        path = emulator.text()
        if path.endswith("qemu-dm"):  # of the years before Xen 4.3
            self._lose(emulator, f"emulator: {path}")
        elif path:
            self.found["device_model_version"] = "qemu-xen"
            self.found["device_model_override"] = path

    def _disk(self, disk: Element) -> str:
        kind, device = disk.attribute("type"), disk.attribute("device") or "disk"
        source, driver, target = disk.child("source"), disk.child("driver"), disk.child("target")
        vdev, bus = (
            (target.attribute("dev") or "", target.attribute("bus")) if target is not None else ("", None)
        )
        prefix = vdev.rstrip("0123456789")[:-1]
        if bus not in (None, _BUSES.get(prefix)):
            self._lose(disk, f"disk/target/@dev={vdev} @bus={bus}")
            if prefix == "vd":
                vdev = f"xvd{vdev[2:]}"
        parts = [f"vdev={vdev}"]
        if device == "cdrom":
            parts.append("devtype=cdrom")
        elif device != "disk":
            self._lose(disk, f"disk/@device={device}")
        read_only = disk.child("readonly") is not None or device == "cdrom"
        path = None
        if source is not None:
            path = source.attribute("file") or source.attribute("dev")
        if kind not in ("file", "block") or (path is None and device != "cdrom"):
            self._lose(disk, f"disk/@type={kind}")
        if driver is not None:
            self._driver(disk, driver, parts, path)
        parts.append("access=ro" if read_only else "access=rw")
        script, backend = (
            disk.child_attribute("script", "path"),
            disk.child_attribute("backenddomain", "name"),
        )
        parts += [f"{key}={value}" for key, value in (("script", script), ("backend", backend)) if value]
        for address in disk.children("address"):
            if address.attribute("type") == "drive":  # follows from the name of the device
                address.ignore()
        disk.ignore("alias")
        if path is not None:
            parts.append(f"target={path}")
        return ", ".join(parts)

    def _driver(self, disk: Element, driver: Element, parts: list[str], path: str | None) -> None:
        name, form, discard = [driver.attribute(word) for word in ("name", "type", "discard")]
        if name is not None:
            if name in _BACKENDS:
                parts.append(f"backendtype={_BACKENDS[name]}")
            else:
                self._lose(disk, f"disk/driver/@name={name}")
        if form in _FORMATS and path is not None:
            parts.append(f"format={_FORMATS[form]}")
        elif form is not None and form not in _FORMATS:
            self._lose(disk, f"disk/driver/@type={form}")
        if discard in ("unmap", "ignore"):
            parts.append("discard" if discard == "unmap" else "no-discard")

    def _nic(self, nic: Element) -> str:
        kind = nic.attribute("type")
        bridge = nic.child_attribute("source", "bridge")
        if kind not in ("bridge", "ethernet"):
            self._lose(nic, f"interface/@type={kind}")
        tags = [tag.attribute("id") or "" for vlan in nic.children("vlan") for tag in vlan.children("tag")]
        for vlan in nic.children("vlan"):
            vlan.attribute("trunk")
        if tags and bridge is not None:  # as vif-openvswitch wants it
            bridge += f".{tags[0]}" if len(tags) == 1 else ":" + ":".join(tags)
        port = nic.child_attribute("virtualport", "type")
        script = nic.child_attribute("script", "path")
        if port == "openvswitch":
            script = script or "vif-openvswitch"
        elif port is not None:
            self._lose(nic, f"interface/virtualport/@type={port}")
        model = nic.child_attribute("model", "type")
        pairs = [
            ("mac", nic.child_attribute("mac", "address")),
            ("bridge", bridge),
            ("type", "vif" if self._is_hvm and model == "netfront" else None),
            ("model", None if model in ("netfront", "virtio") else model),
            ("ip", " ".join([ip.attribute("address") or "" for ip in nic.children("ip")]) or None),
            ("vifname", nic.child_attribute("target", "dev")),
            ("script", script),
            ("backend", nic.child_attribute("backenddomain", "name")),
            ("mtu", nic.child_attribute("mtu", "size")),
            ("rate", self._rate(nic)),
        ]
        if model == "virtio":
            self._lose(nic, "interface/model/@type=virtio")
        for ip in nic.children("ip"):
            ip.attribute("family")
        nic.ignore("alias")
        return ",".join([f"{key}={value}" for key, value in pairs if value])

    def _rate(self, nic: Element) -> str | None:
        bandwidth = nic.child("bandwidth")
        average = bandwidth.child_attribute("outbound", "average") if bandwidth is not None else None
        return f"{average}KB/s" if average else None

    def _screens(self) -> None:
        """Screens of HVM guests are settings of their own; others have a framebuffer."""
        graphics: Found = {}
        for element in self._devices.children("graphics"):
            kind = element.attribute("type")
            if kind == "vnc":
                graphics.update(self._vnc(element))
            elif kind == "sdl":
                graphics["sdl"] = 1
                graphics.update(
                    _given(display=element.attribute("display"), xauthority=element.attribute("xauth"))
                )
            elif kind == "spice" and self._is_hvm:
                self.found.update(self._spice(element))
            else:
                self._lose(element, f"graphics/@type={kind}")
        if self._is_hvm:
            self.found["vnc"] = int("vnc" in graphics)
            self.found.update(graphics)
        elif graphics:
            self.found["vfb"] = (",".join([f"{key}={value}" for key, value in graphics.items()]),)

    def _listen(self, element: Element) -> str | None:
        address = element.attribute("listen")
        for listen in element.children("listen"):
            if listen.attribute("type") == "address":
                address = listen.attribute("address") or address
        return address

    def _vnc(self, element: Element) -> Found:
        port, automatic = element.attribute("port"), element.attribute("autoport")
        found: Found = {
            "vnc": 1,
            **_given(vnclisten=self._listen(element), vncpasswd=element.attribute("passwd")),
        }
        if port is None or port == "-1" or automatic == "yes" or not port.isdigit():
            found["vncunused"] = 1
        else:
            found["vncunused"] = 0
            found["vncdisplay"] = int(port) - _VNC_BASE_PORT
        return {**found, **_given(keymap=element.attribute("keymap"))}

    def _spice(self, element: Element) -> Found:
        element.attribute("autoport")
        found: Found = {"spice": 1, **_given(spicehost=self._listen(element))}
        for name, key in (("port", "spiceport"), ("tlsPort", "spicetls_port")):
            number = element.attribute(name)
            if number is not None and number.isdigit():
                found[key] = int(number)
        password = element.attribute("passwd")
        found.update(_given(spicepasswd=password))
        found["spicedisable_ticketing"] = int(password is None)
        mouse = element.child_attribute("mouse", "mode")
        if mouse is not None:
            found["spiceagent_mouse"] = int(mouse == "client")
        clipboard = element.child_attribute("clipboard", "copypaste")
        if clipboard is not None:
            found["spicevdagent"] = found["spice_clipboard_sharing"] = int(clipboard == "yes")
        return found

    def _serial(self) -> None:
        ports = [self._serial_port(port) for port in self._devices.children("serial")]
        if ports:
            self.found["serial"] = ports[0] if len(ports) == 1 else tuple(ports)

    def _serial_port(self, port: Element) -> str:
        kind = port.attribute("type") or "pty"
        port.ignore("target", "alias", "address")
        if kind == "pty":
            port.ignore("source")
            return "pty"
        if kind in ("null", "stdio"):
            return kind
        path = port.child_attribute("source", "path")
        if kind in _SERIAL_PATHS and path:
            return f"{_SERIAL_PATHS[kind]}{path}"
        self._lose(port, f"serial/@type={kind}")
        return "none"

    def _inputs(self) -> None:
        usb = []
        for element in self._devices.children("input"):
            kind, bus = element.attribute("type") or "", element.attribute("bus")
            if bus == "usb" and kind in ("tablet", "mouse", "keyboard"):
                usb.append(kind)
            elif bus not in ("ps2", "xen", None):  # which are there anyway
                self._lose(element, f"input/@type={kind} @bus={bus}")
            element.ignore("alias", "address")
        if usb:
            self.found["usbdevice"] = usb[0] if len(usb) == 1 else tuple(usb)

    def _video(self) -> None:
        for video in self._devices.children("video"):
            video.ignore("alias", "address")
            model = video.child("model")
            if model is None:
                continue
            for name in ("heads", "primary"):
                if model.attribute(name) not in (None, "1", "yes"):
                    self._lose(video, f"video/model/@{name}")
            kind, memory_kib = model.attribute("type") or "", model.attribute("vram")
            if kind not in _CARDS or not (self._is_hvm or kind in ("xen", "none")):
                self._lose(video, f"video/model/@type={kind}")
            elif self._is_hvm and _CARDS[kind] is not None:
                self.found["vga"] = _CARDS[kind] or ""
                if memory_kib is not None and memory_kib.isdigit() and kind != "none":
                    self.found["videoram"] = int(memory_kib) // 1024

    def _controllers(self) -> None:
        usb = []
        for controller in self._devices.children("controller"):
            kind, model = controller.attribute("type"), controller.attribute("model")
            controller.attribute("index")
            controller.ignore("alias", "address")
            if kind == "xenbus":
                for name, key in (
                    ("maxGrantFrames", "max_grant_frames"),
                    ("maxEventChannels", "max_event_channels"),
                ):
                    number = controller.attribute(name)
                    if number is not None and number.isdigit():
                        self.found[key] = int(number)
            elif kind == "usb" and model in _CONTROLLERS:
                name, version = _CONTROLLERS[model]
                ports = controller.attribute("ports")
                usb.append(f"type={name},version={version}" + (f",ports={ports}" if ports else ""))
            elif kind not in _IMPLIED_CONTROLLERS:
                self._lose(controller, f"controller/@type={kind} @model={model}")
        self.found["usbctrl"] = tuple(usb)

    def _host_devices(self) -> None:
        pci, usb = [], []
        for device in self._devices.children("hostdev"):
            mode, kind, managed = [device.attribute(name) for name in ("mode", "type", "managed")]
            source = device.child("source")
            address = source.child("address") if source is not None else None
            device.child_attribute("driver", "name")
            device.ignore("alias")
            if mode != "subsystem" or address is None or kind not in ("pci", "usb"):
                self._lose(device, f"hostdev/@type={kind}")
            elif kind == "pci":
                if source is not None and source.attribute("writeFiltering") == "no":
                    options = ",permissive=1"
                else:
                    options = ""
                domain, bus, slot, function = self._numbers(address, ("domain", "bus", "slot", "function"))
                seize = ",seize=1" if managed == "yes" else ""
                pci.append(f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}{options}{seize}")
            else:
                bus, number = self._numbers(address, ("bus", "device"))
                usb.append(f"type=hostdev,hostbus={bus},hostaddr={number}")
        self.found["pci"], self.found["usbdev"] = tuple(pci), tuple(usb)

    def _numbers(self, address: Element, names: tuple[str, ...]) -> list[int]:
        """Numbers as C writes them; 0 for what is missing."""
        numbers = []
        for name in names:
            text = address.attribute(name) or "0"
            value, end = strtoul(text)
            if end != len(text):
                self._lose(address, f"hostdev/source/address/@{name}={text}")
            numbers.append(value)
        return numbers

    def _channels(self) -> None:
        channels = []
        for channel in self._devices.children("channel"):
            kind, target, source = channel.attribute("type"), channel.child("target"), channel.child("source")
            channel.ignore("alias", "address")
            name = (
                target.attribute("name") if target is not None and target.attribute("type") == "xen" else None
            )
            path = source.attribute("path") if source is not None else None
            if name is None or kind not in ("pty", "unix") or (kind == "unix" and path is None):
                self._lose(channel, f"channel/@type={kind}")
            elif kind == "pty":
                channels.append(f"name={name},connection=pty")
            else:
                if source is not None and source.attribute("mode") == "connect":
                    self._lose(channel, "channel/source/@mode=connect")
                channels.append(f"name={name},connection=socket,path={path}")
        self.found["channel"] = tuple(channels)


def _given(**values: str | None) -> Found:
    return {name: value for name, value in values.items() if value is not None}
