"""Devices as elements of libvirt's domain XML."""

from __future__ import annotations

from xlpy.config.xml_tree import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.device_config import (
        ChannelConfig,
        DiskConfig,
        NicConfig,
        PciConfig,
        SdlInfo,
        UsbctrlConfig,
        UsbdevConfig,
        VncInfo,
    )
    from xlpy.model.domain_config import DomainConfig, HvmInfo, SpiceInfo

_VNC_BASE_PORT = 5900
_DRIVERS = {"qdisk": "qemu", "tap": "tap", "phy": "phy"}
_BUSES = {"hd": "ide", "xvd": "xen", "sd": "scsi"}
_CARDS = {"cirrus": "cirrus", "std": "vga", "qxl": "qxl", "none": "none"}
_SERIAL = {"file:": "file", "pipe:": "pipe"}


def device_nodes(config: DomainConfig) -> Node:
    """The ``devices`` element."""
    build, hvm = config.b_info, config.b_info.hvm
    devices = Node("devices")
    devices.add("emulator", build.device_model)
    devices.children += [_disk(disk) for disk in config.disks]
    _controllers(devices, config)
    devices.children += [_nic(nic) for nic in config.nics]
    if hvm is not None:
        _serial(devices, hvm)
    else:
        devices.add("console", type="pty").add("target", type="xen", port="0")
    devices.children += [_channel(channel) for channel in config.channels]
    if hvm is not None:
        _hvm(devices, hvm, build.video_memkb)
    for vfb in config.vfbs[:1]:
        if vfb.vnc.enable is not False:
            devices.children.append(_vnc(vfb.vnc, vfb.keymap))
        if vfb.sdl.enable:
            devices.children.append(_sdl(vfb.sdl))
    devices.children += [_pci(pci) for pci in config.pcidevs]
    devices.children += [_usb(device) for device in config.usbdevs]
    devices.add("memballoon", model="xen")
    return devices


def has_bus(vdev: str) -> bool:
    """Whether libvirt knows this kind of name for a disk in the guest."""
    return _prefix(vdev) in _BUSES


def _prefix(vdev: str) -> str:
    return vdev.rstrip("0123456789")[:-1]


def _disk(disk: DiskConfig) -> Node:
    path = disk.pdev_path
    block = disk.backend == "phy" or (path or "").startswith("/dev/")
    node = Node("disk", type="block" if block else "file", device="cdrom" if disk.is_cdrom else "disk")
    form = {"vhd": "vpc", "empty": None}.get(disk.format or "", disk.format)
    driver = _DRIVERS.get(disk.backend or "")
    discard = {True: "unmap", False: "ignore", None: None}[disk.discard_enable]
    if driver or form or discard:
        node.add("driver", name=driver, type=form, discard=discard)
    if path:
        node.add("source", **{"dev" if block else "file": path})
    node.add("target", dev=disk.vdev, bus=_BUSES.get(_prefix(disk.vdev)))
    if disk.is_cdrom or not disk.readwrite:
        node.add("readonly")
    if disk.script is not None:
        node.add("script", path=disk.script)
    if disk.backend_domname is not None:
        node.add("backenddomain", name=disk.backend_domname)
    return node


def _nic(nic: NicConfig) -> Node:
    node = Node("interface", type="bridge" if nic.bridge is not None else "ethernet")
    if nic.mac is not None:
        node.add("mac", address=nic.mac)
    if nic.bridge is not None:
        node.add("source", bridge=nic.bridge)
    for address in (nic.ip or "").split():
        node.add("ip", address=address)
    if nic.ifname is not None:
        node.add("target", dev=nic.ifname)
    kb_per_s = nic.rate_bytes_per_interval * 1000 // (nic.rate_interval_usecs or 1)
    if kb_per_s:
        node.add("bandwidth").add("outbound", average=str(kb_per_s))
    if nic.script is not None:
        node.add("script", path=nic.script)
    if nic.backend_domname is not None:
        node.add("backenddomain", name=nic.backend_domname)
    if nic.model is not None:
        node.add("model", type=nic.model)
    elif nic.nictype == "vif":
        node.add("model", type="netfront")
    if nic.mtu:
        node.add("mtu", size=str(nic.mtu))
    return node


def _controllers(devices: Node, config: DomainConfig) -> None:
    build = config.b_info
    frames, channels = build.max_grant_frames, build.event_channels
    if frames is not None or channels:
        devices.add(
            "controller",
            type="xenbus",
            index="0",
            maxGrantFrames=None if frames is None else str(frames),
            maxEventChannels=str(channels) if channels else None,
        )
    for number, controller in enumerate(config.usbctrls):
        devices.children.append(_usb_controller(controller, number))


def _usb_controller(controller: UsbctrlConfig, number: int) -> Node:
    ports = str(controller.ports) if controller.ports else None
    return Node(
        "controller", type="usb", index=str(number), model=f"qusb{controller.version or 2}", ports=ports
    )


def _serial(devices: Node, hvm: HvmInfo) -> None:
    ports = hvm.serial_list or ((hvm.serial,) if hvm.serial is not None else ())
    for number, text in enumerate(ports):
        kind, path = next(
            ((kind, text[len(prefix) :]) for prefix, kind in _SERIAL.items() if text.startswith(prefix)),
            ("dev", text) if text.startswith("/dev/") else (text, None),
        )
        port = devices.add("serial", type=kind)
        if path is not None:
            port.add("source", path=path)
        port.add("target", port=str(number))
    if ports:
        devices.add("console", type="pty").add("target", type="serial", port="0")


def _hvm(devices: Node, hvm: HvmInfo, video_kib: int | None) -> None:
    for device in hvm.usbdevice_list or ((hvm.usbdevice,) if hvm.usbdevice else ()):
        devices.add("input", type=device, bus="usb")
    if hvm.vnc.enable is not False:
        devices.children.append(_vnc(hvm.vnc, hvm.keymap))
    if hvm.sdl.enable:
        devices.children.append(_sdl(hvm.sdl))
    if hvm.spice.enable:
        devices.children.append(_spice(hvm.spice))
    if hvm.soundhw is not None:
        devices.add("sound", model="ich6" if hvm.soundhw == "hda" else hvm.soundhw)
    if hvm.vga.kind is not None:
        memory = None if video_kib is None else str(video_kib)
        devices.add("video").add("model", type=_CARDS[hvm.vga.kind], vram=memory, heads="1", primary="yes")


def _vnc(vnc: VncInfo, keymap: str | None) -> Node:
    fixed = vnc.findunused is False
    port = str(_VNC_BASE_PORT + vnc.display) if fixed else "-1"
    automatic = "no" if fixed else "yes"
    return _listening(
        Node("graphics", type="vnc", port=port, autoport=automatic, passwd=vnc.passwd, keymap=keymap),
        vnc.listen,
    )


def _listening(node: Node, address: str | None) -> Node:
    if address is not None:
        node.attributes["listen"] = address
        node.add("listen", type="address", address=address)
    return node


def _sdl(sdl: SdlInfo) -> Node:
    return Node("graphics", type="sdl", display=sdl.display, xauth=sdl.xauthority)


def _spice(spice: SpiceInfo) -> Node:
    node = Node(
        "graphics",
        type="spice",
        port=str(spice.port) if spice.port else None,
        tlsPort=str(spice.tls_port) if spice.tls_port else None,
        autoport="no",
        passwd=spice.passwd,
    )
    _listening(node, spice.host)
    if spice.agent_mouse is not None:
        node.add("mouse", mode="client" if spice.agent_mouse else "server")
    if spice.clipboard_sharing is not None:
        node.add("clipboard", copypaste="yes" if spice.clipboard_sharing else "no")
    return node


def _channel(channel: ChannelConfig) -> Node:
    if channel.connection == "pty":
        node = Node("channel", type="pty")
    else:
        node = Node("channel", type="unix")
        node.add("source", mode="bind", path=channel.path)
    node.add("target", type="xen", name=channel.name)
    return node


def _pci(pci: PciConfig) -> Node:
    node = Node("hostdev", mode="subsystem", type="pci", managed="yes" if pci.seize else "no")
    node.add("driver", name="xen")
    source = node.add("source")
    if pci.permissive:
        source.attributes["writeFiltering"] = "no"
    source.add(
        "address",
        domain=f"0x{pci.domain:04x}",
        bus=f"0x{pci.bus:02x}",
        slot=f"0x{pci.dev:02x}",
        function=f"0x{pci.func:x}",
    )
    return node


def _usb(device: UsbdevConfig) -> Node:
    node = Node("hostdev", mode="subsystem", type="usb", managed="no")
    node.add("source").add("address", bus=str(device.hostbus), device=str(device.hostaddr))
    return node
