"""The devices of a domain as its config asks for them: libxl_device_*, with libxl's own field names and order.

The conventions are those of ``xlpy.model.domain_config``, which also exports these names.
"""

from __future__ import annotations

from xlpy.model.record import Record


class VncInfo(Record):
    """libxl_vnc_info."""

    enable: bool | None = None
    listen: str | None = None
    passwd: str | None = None
    display: int = 0
    findunused: bool | None = None


class SdlInfo(Record):
    """libxl_sdl_info."""

    enable: bool | None = None
    opengl: bool | None = None
    display: str | None = None
    xauthority: str | None = None


class DiskConfig(Record):
    """libxl_device_disk. An empty CD drive has ``is_cdrom`` and no ``pdev_path``."""

    backend_domname: str | None = None
    pdev_path: str | None = None
    vdev: str = ""
    backend: str | None = None  # phy tap qdisk standalone
    format: str | None = None  # raw qcow qcow2 vhd qed empty
    script: str | None = None
    removable: int = 0
    readwrite: int = 0
    is_cdrom: int = 0
    direct_io_safe: bool = False
    discard_enable: bool | None = None
    specification: str | None = None  # xen virtio
    transport: str | None = None  # mmio
    colo_enable: bool | None = None
    colo_restore_enable: bool | None = None
    colo_host: str | None = None
    colo_port: int = 0
    colo_export: str | None = None
    active_disk: str | None = None
    hidden_disk: str | None = None
    trusted: bool | None = None
    grant_usage: bool | None = None


class NicConfig(Record):
    """libxl_device_nic. ``mac`` is lower-case with colons; None asks for a made-up one."""

    backend_domname: str | None = None
    devid: int | None = None
    mtu: int = 0
    vlan: str | None = None
    model: str | None = None
    mac: str | None = None
    ip: str | None = None
    bridge: str | None = None
    ifname: str | None = None
    script: str | None = None
    nictype: str | None = None  # vif_ioemu vif
    rate_bytes_per_interval: int = 0
    rate_interval_usecs: int = 0
    gatewaydev: str | None = None
    coloft_forwarddev: str | None = None
    colo_sock_mirror_id: str | None = None
    colo_sock_mirror_ip: str | None = None
    colo_sock_mirror_port: str | None = None
    colo_sock_compare_pri_in_id: str | None = None
    colo_sock_compare_pri_in_ip: str | None = None
    colo_sock_compare_pri_in_port: str | None = None
    colo_sock_compare_sec_in_id: str | None = None
    colo_sock_compare_sec_in_ip: str | None = None
    colo_sock_compare_sec_in_port: str | None = None
    colo_sock_compare_notify_id: str | None = None
    colo_sock_compare_notify_ip: str | None = None
    colo_sock_compare_notify_port: str | None = None
    colo_sock_redirector0_id: str | None = None
    colo_sock_redirector0_ip: str | None = None
    colo_sock_redirector0_port: str | None = None
    colo_sock_redirector1_id: str | None = None
    colo_sock_redirector1_ip: str | None = None
    colo_sock_redirector1_port: str | None = None
    colo_sock_redirector2_id: str | None = None
    colo_sock_redirector2_ip: str | None = None
    colo_sock_redirector2_port: str | None = None
    colo_filter_mirror_queue: str | None = None
    colo_filter_mirror_outdev: str | None = None
    colo_filter_redirector0_queue: str | None = None
    colo_filter_redirector0_indev: str | None = None
    colo_filter_redirector0_outdev: str | None = None
    colo_filter_redirector1_queue: str | None = None
    colo_filter_redirector1_indev: str | None = None
    colo_filter_redirector1_outdev: str | None = None
    colo_compare_pri_in: str | None = None
    colo_compare_sec_in: str | None = None
    colo_compare_out: str | None = None
    colo_compare_notify_dev: str | None = None
    colo_sock_sec_redirector0_id: str | None = None
    colo_sock_sec_redirector0_ip: str | None = None
    colo_sock_sec_redirector0_port: str | None = None
    colo_sock_sec_redirector1_id: str | None = None
    colo_sock_sec_redirector1_ip: str | None = None
    colo_sock_sec_redirector1_port: str | None = None
    colo_filter_sec_redirector0_queue: str | None = None
    colo_filter_sec_redirector0_indev: str | None = None
    colo_filter_sec_redirector0_outdev: str | None = None
    colo_filter_sec_redirector1_queue: str | None = None
    colo_filter_sec_redirector1_indev: str | None = None
    colo_filter_sec_redirector1_outdev: str | None = None
    colo_filter_sec_rewriter0_queue: str | None = None
    colo_checkpoint_host: str | None = None
    colo_checkpoint_port: str | None = None
    trusted: bool | None = None


class VfbConfig(Record):
    """libxl_device_vfb."""

    backend_domname: str | None = None
    devid: int | None = None
    vnc: VncInfo = VncInfo()
    sdl: SdlInfo = SdlInfo()
    keymap: str | None = None


class VkbConfig(Record):
    """libxl_device_vkb."""

    backend_domname: str | None = None
    devid: int | None = None
    backend_type: str | None = None  # qemu linux
    unique_id: str | None = None
    feature_disable_keyboard: bool = False
    feature_disable_pointer: bool = False
    feature_abs_pointer: bool = False
    feature_raw_pointer: bool = False
    feature_multi_touch: bool = False
    width: int = 0
    height: int = 0
    multi_touch_width: int = 0
    multi_touch_height: int = 0
    multi_touch_num_contacts: int = 0


class PciConfig(Record):
    """libxl_device_pci: a host's PCI function, by address or by ``name``."""

    func: int = 0
    dev: int = 0
    bus: int = 0
    domain: int = 0
    vdevfn: int = 0
    vfunc_mask: int = 0
    msitranslate: bool = False
    power_mgmt: bool = False
    permissive: bool = False
    seize: bool = False
    rdm_policy: str | None = None  # strict relaxed
    name: str | None = None


class DtdevConfig(Record):
    """libxl_device_dtdev."""

    path: str


class VirtioConfig(Record):
    """libxl_device_virtio."""

    backend_domname: str | None = None
    type: str | None = None
    transport: str | None = None  # mmio
    grant_usage: bool | None = None
    devid: int | None = None


class VtpmConfig(Record):
    """libxl_device_vtpm."""

    backend_domname: str | None = None
    devid: int | None = None
    uuid: str | None = None


class P9Config(Record):
    """libxl_device_p9: a 9pfs share."""

    backend_domname: str | None = None
    tag: str | None = None
    path: str | None = None
    security_model: str | None = None
    devid: int | None = None
    type: str | None = None  # qemu xen_9pfsd
    max_space: int = 0
    max_files: int = 0
    max_open_files: int = 0
    auto_delete: bool = False


class PvcallsConfig(Record):
    """libxl_device_pvcallsif."""

    backend_domname: str | None = None
    devid: int | None = None


class ConnectorParam(Record):
    """libxl_connector_param."""

    unique_id: str | None = None
    width: int = 0
    height: int = 0


class VdisplConfig(Record):
    """libxl_device_vdispl."""

    backend_domname: str | None = None
    devid: int | None = None
    be_alloc: bool = False
    connectors: tuple[ConnectorParam, ...] = ()


class VsndParams(Record):
    """libxl_vsnd_params."""

    sample_rates: tuple[int, ...] = ()
    sample_formats: tuple[str, ...] = ()
    channels_min: int = 0
    channels_max: int = 0
    buffer_size: int = 0


class VsndStream(Record):
    """libxl_vsnd_stream. ``type`` is p (playback) or c (capture)."""

    unique_id: str | None = None
    type: str | None = None
    params: VsndParams = VsndParams()


class VsndPcm(Record):
    """libxl_vsnd_pcm."""

    name: str | None = None
    params: VsndParams = VsndParams()
    streams: tuple[VsndStream, ...] = ()


class VsndConfig(Record):
    """libxl_device_vsnd: a sound card."""

    backend_domname: str | None = None
    devid: int | None = None
    short_name: str | None = None
    long_name: str | None = None
    params: VsndParams = VsndParams()
    pcms: tuple[VsndPcm, ...] = ()


class ChannelConfig(Record):
    """libxl_device_channel. ``path`` is the socket's; only ``connection="socket"`` has one."""

    backend_domname: str | None = None
    devid: int | None = None
    name: str | None = None
    connection: str = "pty"  # pty socket
    path: str | None = None


class UsbctrlConfig(Record):
    """libxl_device_usbctrl."""

    type: str | None = None  # pv devicemodel qusb; None is auto
    devid: int | None = None
    version: int = 0
    ports: int = 0
    backend_domname: str | None = None


class UsbdevConfig(Record):
    """libxl_device_usbdev: a device of the host, by bus and address."""

    ctrl: int | None = None
    port: int = 0
    type: str | None = None  # hostdev
    hostbus: int = 0
    hostaddr: int = 0
