"""Device settings from a DomainConfig: each device as the spec that is read to it again."""

from __future__ import annotations

from xlpy.config.rate import rate_text
from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlpy.config.literal import Value
    from xlpy.model.device_config import (
        ChannelConfig,
        DiskConfig,
        NicConfig,
        P9Config,
        PciConfig,
        SdlInfo,
        UsbctrlConfig,
        UsbdevConfig,
        VdisplConfig,
        VfbConfig,
        VirtioConfig,
        VkbConfig,
        VncInfo,
        VsndConfig,
        VsndParams,
        VtpmConfig,
    )
    from xlpy.model.domain_config import DomainConfig

    Pairs = Iterable[tuple[str, object]]

_ALL_FUNCTIONS = (1 << 32) - 1
_UINT32 = 0xFFFFFFFF
_NIC_TYPES = {"vif": "vif", "vif_ioemu": "ioemu"}


def device_settings(config: DomainConfig) -> dict[str, Value]:
    """The settings of all kinds of devices that the config has, by name."""
    is_hvm = config.c_info.type == DomainType.HVM
    found: dict[str, Value] = {
        "disk": tuple([disk_spec(disk) for disk in config.disks]),
        "vif": tuple([nic_spec(nic, number) for number, nic in enumerate(config.nics)]),
        "pci": tuple([pci_spec(pci, is_hvm) for pci in config.pcidevs]),
        "dtdev": tuple([device.path for device in config.dtdevs]),
        "vfb": tuple([vfb_spec(vfb) for vfb in config.vfbs]),
        "vkb": tuple([vkb_spec(vkb) for vkb in config.vkbs[len(config.vfbs) :]]),  # a vfb brings its own
        "virtio": tuple([virtio_spec(device) for device in config.virtios]),
        "vtpm": tuple([vtpm_spec(vtpm) for vtpm in config.vtpms]),
        "p9": tuple([p9_spec(share) for share in config.p9s]),
        "pvcalls": tuple([_joined([("backend", device.backend_domname)]) for device in config.pvcallsifs]),
        "vdispl": tuple([vdispl_spec(display) for display in config.vdispls]),
        "vsnd": tuple([vsnd_items(card) for card in config.vsnds]),
        "channel": tuple([channel_spec(channel) for channel in config.channels]),
        "usbctrl": tuple([usbctrl_spec(controller) for controller in config.usbctrls]),
        "usbdev": tuple([usbdev_spec(device) for device in config.usbdevs]),
    }
    return {name: specs for name, specs in found.items() if specs}


def _joined(pairs: Pairs) -> str:
    """``key=value`` for what has a value; flags are numbers."""
    return ",".join([f"{key}={_text(value)}" for key, value in pairs if value is not None])


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _nonzero(value: int) -> int | None:
    return value or None


def _blank_at_least(value: str | None) -> str | None:
    """Some specs must not have an empty value, but drop the blanks of one that has nothing else."""
    return " " if value == "" else value


def disk_spec(disk: DiskConfig) -> str:
    """A disk with its target last, where it may hold commas and blanks."""
    cdrom = bool(disk.is_cdrom)
    parts = [f"vdev={disk.vdev}"]
    if cdrom:
        parts.append("devtype=cdrom")
    if disk.format is not None and not (cdrom and not disk.pdev_path):  # a drive without a medium is empty
        parts.append(f"format={disk.format}")
    parts.append("access=rw" if disk.readwrite and not cdrom else "access=ro")
    named = (
        ("backendtype", disk.backend),
        ("backend", disk.backend_domname),
        ("script", disk.script),
        ("specification", disk.specification),
        ("colo-host", disk.colo_host),
        ("colo-port", _nonzero(disk.colo_port)),
        ("colo-export", disk.colo_export),
        ("active-disk", disk.active_disk),
        ("hidden-disk", disk.hidden_disk),
        ("grant_usage", disk.grant_usage),
    )
    parts += [f"{key}={_text(value)}" for key, value in named if value is not None]
    switches = (
        (disk.discard_enable, "discard", "no-discard"),
        (disk.colo_enable, "colo", "no-colo"),
        (disk.trusted, "trusted", "untrusted"),
    )
    parts += [on if value else off for value, on, off in switches if value is not None]
    if disk.direct_io_safe:
        parts.append("direct-io-safe")
    if disk.pdev_path is not None:
        comma = "," if disk.pdev_path.endswith(",") else ""  # the last one is taken off
        parts.append(f"target={disk.pdev_path}{comma}")
    return ", ".join(parts)


def nic_spec(nic: NicConfig, number: int) -> str:
    """A network card; ``number`` is its place in the list, which is its devid unless the spec gives one."""
    pairs: list[tuple[str, object]] = [
        ("mac", nic.mac),
        ("bridge", nic.bridge),
        ("type", _NIC_TYPES.get(nic.nictype or "")),
        ("model", nic.model),
        ("ip", nic.ip),
        ("vifname", nic.ifname),
        ("script", nic.script),
        ("backend", nic.backend_domname),
        ("gatewaydev", nic.gatewaydev),
        ("vlan", nic.vlan),
        ("mtu", nic.mtu & _UINT32 if nic.mtu else None),
        ("devid", nic.devid & _UINT32 if nic.devid not in (None, number) else None),
        ("forwarddev", nic.coloft_forwarddev),
    ]
    if nic.rate_interval_usecs:
        pairs.append(("rate", rate_text(nic.rate_bytes_per_interval, nic.rate_interval_usecs)))
    pairs += [(name, getattr(nic, name)) for name in nic.fields_ if name.startswith("colo_")]
    spec = _joined(pairs)
    if nic.trusted is not None:
        word = "trusted" if nic.trusted else "untrusted"
        spec = f"{spec},{word}" if spec else word
    return spec


def pci_spec(pci: PciConfig, is_hvm: bool) -> str:
    """A PCI function by name or address. Only of an HVM guest's an unset policy can stay unsaid."""
    pairs: list[tuple[str, object]] = [
        (flag, getattr(pci, flag) or None) for flag in ("permissive", "msitranslate", "seize", "power_mgmt")
    ]
    policy = pci.rdm_policy or (None if is_hvm else "invalid")
    options = _joined([*pairs, ("rdm_policy", policy)])
    if pci.name is not None:
        spec = f"name={pci.name}"
        if pci.vdevfn:
            spec += f",vslot={pci.vdevfn >> 3:x}"
    else:
        function = "*" if pci.vfunc_mask == _ALL_FUNCTIONS else f"{pci.func:x}"
        spec = f"{pci.domain:04x}:{pci.bus:02x}:{pci.dev:02x}.{function}"
        if pci.vdevfn:
            spec += f"@{pci.vdevfn >> 3:x}"
    return f"{spec},{options}" if options else spec


def vfb_spec(vfb: VfbConfig) -> str:
    """A framebuffer."""
    return _joined([*_vnc(vfb.vnc), *_sdl(vfb.sdl), ("keymap", vfb.keymap)])


def _vnc(vnc: VncInfo) -> Pairs:
    return (
        ("vnc", vnc.enable),
        ("vnclisten", vnc.listen),
        ("vncpasswd", vnc.passwd),
        ("vncdisplay", _nonzero(vnc.display)),
        ("vncunused", vnc.findunused),
    )


def _sdl(sdl: SdlInfo) -> Pairs:
    return (
        ("sdl", sdl.enable),
        ("opengl", sdl.opengl),
        ("display", sdl.display),
        ("xauthority", sdl.xauthority),
    )


def vkb_spec(vkb: VkbConfig) -> str:
    """A keyboard."""
    pairs: list[tuple[str, object]] = [
        ("backend-type", vkb.backend_type),
        ("backend", vkb.backend_domname),
        ("unique-id", vkb.unique_id),
    ]
    for name in vkb.fields_:
        if name.startswith(("feature_", "width", "height", "multi_touch_")):
            pairs.append((name.replace("_", "-"), getattr(vkb, name) or None))
    return _joined(pairs)


def virtio_spec(device: VirtioConfig) -> str:
    """A virtio device."""
    return _joined(
        (
            ("backend", device.backend_domname),
            ("type", device.type),
            ("transport", device.transport),
            ("grant_usage", device.grant_usage),
        )
    )


def vtpm_spec(vtpm: VtpmConfig) -> str:
    """A virtual TPM."""
    return _joined((("backend", vtpm.backend_domname), ("uuid", vtpm.uuid)))


def p9_spec(share: P9Config) -> str:
    """A 9pfs share."""
    return _joined(
        (
            ("tag", _blank_at_least(share.tag)),
            ("path", _blank_at_least(share.path)),
            ("security_model", _blank_at_least(share.security_model)),
            ("backend", _blank_at_least(share.backend_domname)),
            ("type", share.type),
            ("max-space", share.max_space & _UINT32 or None),
            ("max-files", share.max_files & _UINT32 or None),
            ("max-open-files", share.max_open_files & _UINT32 or None),
            ("auto-delete", share.auto_delete or None),
        )
    )


def vdispl_spec(display: VdisplConfig) -> str:
    """A virtual display. What xl leaves unread behind a connector without a resolution comes back as dashes."""
    parts: list[str] = []
    for connector in display.connectors:
        if connector.unique_id is None:
            parts.append("-")
        else:
            parts.append(f"{connector.unique_id}:{connector.width}x{connector.height}")
    if "-" in parts:
        first = parts.index("-")
        parts[first - 1] = f"{display.connectors[first - 1].unique_id}:-"
    return _joined(
        (
            ("backend", display.backend_domname),
            ("be-alloc", display.be_alloc or None),
            ("connectors", ";".join(parts) or None),
        )
    )


def vsnd_items(card: VsndConfig) -> tuple[str, ...]:
    """A sound card as the list of its items."""
    own = (
        ("backend", card.backend_domname),
        ("short-name", card.short_name),
        ("long-name", card.long_name),
    )
    items = [_item("CARD", own, card.params)]
    for pcm in card.pcms:
        items.append(_item("PCM", (("name", pcm.name),), pcm.params))
        for stream in pcm.streams:
            named = (("unique-id", stream.unique_id), ("type", stream.type))
            items.append(_item("STREAM", named, stream.params))
    return tuple(items)


def _item(kind: str, own: Pairs, params: VsndParams) -> str:
    rest = _joined(
        (
            *own,
            ("sample-rates", ";".join([str(rate) for rate in params.sample_rates]) or None),
            ("sample-formats", ";".join(params.sample_formats) or None),
            ("channels-min", _nonzero(params.channels_min)),
            ("channels-max", _nonzero(params.channels_max)),
            ("buffer-size", _nonzero(params.buffer_size)),
        )
    )
    return f"{kind},{rest}" if rest else kind


def channel_spec(channel: ChannelConfig) -> str:
    """A channel to the host."""
    return _joined(
        (
            ("name", _blank_at_least(channel.name)),
            ("connection", channel.connection),
            ("path", _blank_at_least(channel.path)),
            ("backend", _blank_at_least(channel.backend_domname)),
        )
    )


def usbctrl_spec(controller: UsbctrlConfig) -> str:
    """A USB controller."""
    return _joined(
        (
            ("type", controller.type or "auto"),
            ("version", _nonzero(controller.version)),
            ("ports", _nonzero(controller.ports)),
        )
    )


def usbdev_spec(device: UsbdevConfig) -> str:
    """A USB device of the host."""
    return _joined(
        (
            ("type", device.type),
            ("hostbus", _nonzero(device.hostbus)),
            ("hostaddr", _nonzero(device.hostaddr)),
            ("controller", device.ctrl),
            ("port", _nonzero(device.port)),
        )
    )
