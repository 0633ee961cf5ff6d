"""Paravirtual devices of domains: ``xl vtpm-list``, ``vkb-list``, ``vdispl-list``, ``vsnd-list``, ``channel-list``."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.model.device import ChannelInfo, VdisplInfo, VkbInfo, VtpmInfo
    from xlpy.model.device_config import VsndParams
    from xlpy.model.sound import VsndInfo

    Row = tuple[int, object]

_VTPM_HEADER = f"{'Idx':<3} {'BE':<2} {'Uuid':<36} {'handle':<6} {'state':<5} {'evt-ch':<6} {'ring-ref':<5} {'BE-path':<10}"
_VKB_HEADER = f"{'Idx':<3} {'BE':<2} {'handle':<6} {'state':<5} {'evt-ch':<6} {'ref':>6} {'ID':<10} {'BE-type':<10} {'BE-path':<30}"
_CHANNEL_HEADER = (
    f"{'Idx':<3} {'BE':<2} {'state':<5} {'evt-ch':<6} {'ring-ref':>8} {'connection':<10} {'':<30}"
)


def vtpm_kind() -> Kind:
    """Rows are (domid, VtpmInfo)."""
    return Kind(
        "vtpm",
        (
            *_common(),
            Column("uuid", "UUID", lambda row: row[1].uuid),
            Column("evtch", "evt-ch", lambda row: row[1].evtch, right=True, shown=False),
            Column("rref", "ring-ref", lambda row: row[1].rref, right=True, shown=False),
            Column("backend_path", "BE-path", lambda row: row[1].backend_path, shown=False),
        ),
        plain_table(_VTPM_HEADER, _plain_vtpm),
    )


def vkb_kind() -> Kind:
    """Rows are (domid, VkbInfo)."""
    return Kind(
        "vkb",
        (
            *_common(),
            Column("unique_id", "Name", lambda row: row[1].unique_id),
            Column("backend_type", "Backend", lambda row: row[1].backend_type),
            Column("evtch", "evt-ch", lambda row: row[1].evtch, right=True, shown=False),
            Column("rref", "ref", lambda row: row[1].rref, right=True, shown=False),
            Column("backend_path", "BE-path", lambda row: row[1].backend_path, shown=False),
        ),
        plain_table(_VKB_HEADER, _plain_vkb),
    )


def vdispl_kind() -> Kind:
    """Rows are (domid, VdisplInfo)."""
    return Kind(
        "vdispl",
        (
            *_common(),
            Column("be_alloc", "Backend allocates", lambda row: row[1].be_alloc),
            Column(
                "connectors",
                "Connectors",
                lambda row: [vars(each) for each in row[1].connectors],
                text=lambda row: ", ".join(f"{c.unique_id}:{c.width}x{c.height}" for c in row[1].connectors),
            ),
            Column("backend_path", "BE-path", lambda row: row[1].backend_path, shown=False),
            Column("frontend_path", "FE-path", lambda row: row[1].frontend_path, shown=False),
        ),
        lambda rows, headers: (line for row in rows for line in _plain_vdispl(row[1])),
    )


def vsnd_kind() -> Kind:
    """Rows are (domid, VsndInfo)."""

    def card(row: tuple[int, VsndInfo]) -> object:
        from xlpy.model.codec import to_wire

        return to_wire(row[1].card)

    return Kind(
        "vsnd",
        (
            *_common(),
            Column("short_name", "Card", lambda row: row[1].card.short_name),
            Column("long_name", "Name", lambda row: row[1].card.long_name),
            Column(
                "card",
                "Streams",
                card,
                text=lambda row: str(sum(len(pcm.streams) for pcm in row[1].card.pcms)),
            ),
            Column("backend_path", "BE-path", lambda row: row[1].backend_path, shown=False),
            Column("frontend_path", "FE-path", lambda row: row[1].frontend_path, shown=False),
        ),
        lambda rows, headers: (line for row in rows for line in _plain_vsnd(row[1])),
    )


def channel_kind() -> Kind:
    """Rows are (domid, ChannelInfo)."""
    return Kind(
        "channel",
        (
            *_common(),
            Column("name", "Name", lambda row: row[1].name),
            Column("connection", "Connection", lambda row: row[1].connection),
            Column("path", "Path", lambda row: row[1].path),
            Column("evtch", "evt-ch", lambda row: row[1].evtch, right=True, shown=False),
            Column("rref", "ring-ref", lambda row: row[1].rref, right=True, shown=False),
        ),
        plain_table(_CHANNEL_HEADER, _plain_channel),
    )


def _common() -> tuple[Column, ...]:
    return (
        Column("domid", "ID", lambda row: row[0], right=True),
        Column("devid", "Idx", lambda row: row[1].devid, right=True),
        Column("backend_domid", "BE", lambda row: row[1].backend_domid, right=True, shown=False),
        Column("state", "State", lambda row: row[1].state, right=True),
    )


def _plain_vtpm(row: tuple[int, VtpmInfo]) -> str:
    vtpm = row[1]
    return (
        f"{vtpm.devid:<3d} {vtpm.backend_domid:<2d} {vtpm.uuid} {vtpm.devid:6d} {vtpm.state:5d} "
        f"{vtpm.evtch:6d} {vtpm.rref:8d} {vtpm.backend_path:<30}"
    )


def _plain_vkb(row: tuple[int, VkbInfo]) -> str:
    vkb = row[1]
    return (
        f"{vkb.devid:<3d} {vkb.backend_domid:<2d} {vkb.devid:6d} {vkb.state:5d} {vkb.evtch:6d} {vkb.rref:6d} "
        f"{_c(vkb.unique_id):<10} {vkb.backend_type:<10} {vkb.backend_path:<30}"
    )


def _plain_vdispl(vdispl: VdisplInfo) -> Iterator[str]:
    yield (
        f"DevId: {vdispl.devid}, BE: {vdispl.backend_domid}, handle: {vdispl.frontend_domid}, state: {vdispl.state}, "
        f"be-alloc: {vdispl.be_alloc:d}, BE-path: {vdispl.backend_path}, FE-path: {vdispl.frontend_path}"
    )
    for index, each in enumerate(vdispl.connectors):
        yield (
            f"\tConnector: {index}, id: {_c(each.unique_id)}, width: {each.width}, height: {each.height}, "
            f"req-rref: {each.req_rref}, req-evtch: {each.req_evtch}, "
            f"evt-rref: {each.evt_rref}, evt-evtch: {each.evt_evtch}"
        )


def _plain_vsnd(vsnd: VsndInfo) -> Iterator[str]:
    """main_vsndlist: nested, an empty line before each card."""
    card = vsnd.card
    yield ""
    yield (
        f"devid: {vsnd.devid}, be-domid: {vsnd.backend_domid}, handle: {vsnd.frontend_domid}, state: {vsnd.state}, "
        f"be-path: {vsnd.backend_path}, fe-path: {vsnd.frontend_path}"
    )
    yield f'short-name: "{_c(card.short_name)}", long-name: "{_c(card.long_name)}"{_params(card.params)}'
    for number, pcm in enumerate(card.pcms):
        yield f'\tpcm: {number}, name: "{_c(pcm.name)}"{_params(pcm.params)}'
        rings = vsnd.rings[number] if number < len(vsnd.rings) else ()
        for index, stream in enumerate(pcm.streams):
            yield (
                f'\t\tstream: {index}, unique-id: "{_c(stream.unique_id)}", type: {_c(stream.type)}'
                f"{_params(stream.params)}"
            )
            if index < len(rings):
                ring = rings[index]
                yield f"\t\t\tevent-channel: {ring.req_evtch}, ring-ref: {ring.req_rref}"


def _params(params: VsndParams) -> str:
    """xl prints the sample formats under the name of the rates; its readers know it no other way."""
    said: list[tuple[str, object]] = [
        ("channels-min", params.channels_min),
        ("channels-max", params.channels_max),
        ("buffer-size", params.buffer_size),
        ("sample-rates", ";".join(map(str, params.sample_rates))),
        ("sample-rates", ";".join(params.sample_formats)),
    ]
    return "".join(f", {name}: {value}" for name, value in said if value)


def _plain_channel(row: tuple[int, ChannelInfo]) -> str:
    channel = row[1]
    path = f"{_c(channel.path):<30} " if channel.connection == "pty" else ""
    return (
        f"{channel.devid:<3d} {channel.backend_domid:<2d} {channel.state:<5d} {channel.evtch:<6d} {channel.rref:<8d} "
        f"{channel.connection:<10} {path}"
    )


def _c(text: str | None) -> str:
    """A string as printf shows it, a missing one too."""
    return "(null)" if text is None else text
