"""``xlpy schema``: what JSON and YAML output holds."""

from __future__ import annotations

import sys

from xlpy.cli.usage import too_many
from xlpy.errors import UsageError
from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def schema(session: Session, args: Arguments) -> int | None:
    """The JSON schema of one kind of row, or the names of all kinds."""
    if len(args.rest) > 1:
        return too_many(session, "schema", args.rest[1], 2)
    kinds = {kind.name: kind for kind in every_kind()}
    if not args.rest:
        session.show(_kind_kind(), kinds.values())
        return None
    from xlpy.render.document import write_value
    from xlpy.render.schema import schema_of

    name = args.rest[0].removeprefix("xlpy/").partition("/")[0]
    if name not in kinds:
        from difflib import get_close_matches

        near = get_close_matches(name, kinds, n=1)
        raise UsageError(
            f"there is no kind of row {args.rest[0]!r}",
            f"did you mean {near[0]}?" if near else f"kinds: {', '.join(kinds)}",
        )
    write_value(schema_of(kinds[name]), "yaml" if session.form == "yaml" else "json", sys.stdout)
    return None


def every_kind() -> Iterator[Kind]:
    """All kinds of rows that commands show; what ``info FIELD`` shows has the columns that are asked for."""
    from xlpy.cli import config_check, config_diff, config_show
    from xlpy.model.hypervisor import PsrMonitoring
    from xlpy.render import (
        broker,
        definition,
        device,
        domain,
        event,
        host,
        hypervisor,
        inventory,
        lab,
        memory,
        migration,
        passthrough,
        plan,
        pv_device,
        sched,
        text,
        usage,
        vcpu,
    )

    yield from (domain.domain_kind(), domain.vm_kind(), domain.uptime_kind(0.0), domain.name_kind("name"))
    yield from (vcpu.vcpu_kind(1), usage.usage_kind(), memory.sharing_kind(), memory.claims_kind())
    yield from (device.disk_kind(), device.nic_kind(), device.port_kind())
    yield from (passthrough.pci_kind(), passthrough.assignable_pci_kind(), passthrough.usb_kind())
    yield from (pv_device.vtpm_kind(), pv_device.vkb_kind(), pv_device.vdispl_kind(), pv_device.vsnd_kind())
    yield from (pv_device.channel_kind(), host.host_kind(), host.message_kind(), event.event_kind())
    yield from (
        sched.sched_kind(),
        sched.pool_params_kind(),
        sched.cpupool_kind(),
        sched.rtds_kind(vcpus=True),
    )
    yield from (hypervisor.flask_kind(), hypervisor.quota_kind(), hypervisor.psr_hardware_kind())
    yield from (
        hypervisor.psr_share_kind(),
        hypervisor.psr_sample_kind(PsrMonitoring(enabled=False), "cache-occupancy"),
    )
    yield from (migration.finding_kind(), migration.transfer_kind(), plan.plan_kind(), plan.outcome_kind())
    yield from (definition.definition_kind(), definition.version_kind())
    yield from (
        inventory.entry_kind(),
        inventory.check_kind(),
        inventory.ping_kind(),
        inventory.reached_kind(),
    )
    yield from (broker.line_kind(), lab.lab_host_kind())
    yield from (
        text.monitor_answer_kind(),
        text.definition_text_kind(),
        text.file_kind(),
        text.command_kind(),
    )
    yield from (config_check.finding_kind(), config_diff.difference_kind(), config_show.setting_kind())
    yield _kind_kind()


def _kind_kind() -> Kind:
    return Kind(
        "kind",
        (
            Column("name", "Kind", lambda row: row.name),
            Column("schema", "Schema", lambda row: row.schema),
            Column("columns", "Columns", lambda row: [column.key for column in row.columns]),
        ),
    )
