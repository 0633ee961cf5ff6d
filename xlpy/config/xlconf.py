"""What xl's own configuration says; ``xlpy.config.xlconf_file`` reads it."""

from __future__ import annotations

from xlpy.model.record import Record


class XlConf(Record):
    """The settings of xl.conf, with xl's defaults. A CPU mask is a CPU list as text; None is all pcpus."""

    autoballoon: str = "auto"  # on off auto
    run_hotplug_scripts: bool = True
    lockfile: str = "/var/lock/xl"
    vif_script: str | None = None
    vif_bridge: str | None = None
    vif_gatewaydev: str | None = None
    vif_backend: str | None = None
    output_format: str = "json"  # json sxp
    blkdev_start: str | None = None
    claim_mode: bool = True
    remus_netbufscript: str | None = None
    colo_proxyscript: str | None = None
    max_grant_frames: int | None = None
    max_maptrack_frames: int | None = None
    max_grant_version: int | None = None
    vm_cpumask: str | None = None
    hvm_cpumask: str | None = None
    pv_cpumask: str | None = None
    domid_policy: str = "xen"  # xen random
    bootloader_restrict: bool | None = None
