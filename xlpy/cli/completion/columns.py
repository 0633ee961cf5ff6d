"""The columns of what commands show: for ``--columns``, ``--sort`` and ``--filter``."""

from __future__ import annotations

from xlpy.cli.completion.candidate import Candidate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "list": ("render.domain:domain_kind", ()),
    "vm-list": ("render.domain:vm_kind", ()),
    "uptime": ("render.domain:uptime_kind", (0.0,)),
    "domid": ("render.domain:name_kind", ("domid",)),
    "domname": ("render.domain:name_kind", ("name",)),
    "block-list": ("render.device:disk_kind", ()),
    "network-list": ("render.device:nic_kind", ()),
    "vtpm-list": ("render.pv_device:vtpm_kind", ()),
    "vkb-list": ("render.pv_device:vkb_kind", ()),
    "vdispl-list": ("render.pv_device:vdispl_kind", ()),
    "vsnd-list": ("render.pv_device:vsnd_kind", ()),
    "channel-list": ("render.pv_device:channel_kind", ()),
    "pci-list": ("render.passthrough:pci_kind", ()),
    "pci-assignable-list": ("render.passthrough:assignable_pci_kind", ()),
    "usb-list": ("render.passthrough:usb_kind", ()),
    "vcpu-list": ("render.vcpu:vcpu_kind", (1,)),
    "sched-credit": ("render.sched:sched_kind", ()),
    "sched-credit2": ("render.sched:sched_kind", ()),
    "sched-rtds": ("render.sched:rtds_kind", (False,)),
    "cpupool-list": ("render.sched:cpupool_kind", ()),
    "info": ("render.host:host_kind", ()),
    "dmesg": ("render.host:message_kind", ()),
    "top": ("render.usage:usage_kind", ()),
    "sharing": ("render.memory:sharing_kind", ()),
    "claims": ("render.memory:claims_kind", ()),
    "getenforce": ("render.hypervisor:flask_kind", ()),
    "xenstore-quota-get": ("render.hypervisor:quota_kind", ()),
    "events": ("render.event:event_kind", ()),
    "migrate": ("render.migration:transfer_kind", ()),
    "host list": ("render.inventory:entry_kind", ()),
    "host show": ("render.inventory:entry_kind", ()),
    "host check": ("render.inventory:check_kind", ()),
    "host ping": ("render.inventory:ping_kind", ()),
    "broker status": ("render.broker:line_kind", ()),
    "lab status": ("render.lab:lab_host_kind", ()),
    "config check": ("cli.config_check:finding_kind", ()),
    "config show": ("cli.config_show:setting_kind", ()),
    "config diff": ("cli.config_diff:difference_kind", ()),
}
"""By command: the function that makes its Kind, and its arguments."""


def columns(command: str) -> list[Candidate]:
    """The names of the columns that a command can show, with their titles."""
    row = KINDS.get(command)
    if row is None:
        return []
    from xlpy.model.late_import import import_module

    module, _, function = row[0].partition(":")
    kind = getattr(import_module(f"xlpy.{module}"), function)(*row[1])
    return [Candidate(column.key, column.title) for column in kind.columns]
