"""Paravirtual devices: vtpm, vkb, vdispl, vsnd and channels (xl_vtpm.c, xl_vkb.c, xl_vdispl.c, xl_vsnd.c, xl_console.c)."""

from __future__ import annotations

from xlpy.cli.device_list import show_devices
from xlpy.cli.failure import worded_as_xl
from xlpy.cli.numbers import whole_number
from xlpy.cli.spec_words import read_spec
from xlpy.errors import ConfigError, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.device_config import VtpmConfig
    from xlpy.model.record import Record

_FAILED = 253
"""What xl exits with where it returns libxl's ERROR_FAIL."""


def vtpm_attach(session: Session, args: Arguments) -> None:
    """Hot-plug a virtual TPM (libxl_device_vtpm_add)."""
    domid = session.domid(args.rest[0])
    vtpm = _vtpm(args.rest[1:])
    if not _dry_run(session, "vtpm", vtpm):
        with worded_as_xl(session, "libxl_device_vtpm_add failed."):
            session.host.attach_vtpm(domid, vtpm)


def vtpm_list(session: Session, args: Arguments) -> int:
    """The virtual TPMs of the named domains."""
    from xlpy.render.pv_device import vtpm_kind

    return show_devices(session, args.rest, vtpm_kind(), session.host.list_vtpms, xl_goes_on=True)


def vtpm_detach(session: Session, args: Arguments) -> None:
    """Remove the virtual TPM of this uuid or number (libxl_device_vtpm_remove)."""
    domid = session.domid(args.rest[0])
    device = args.rest[1].lower()
    if not device.isdigit() and _uuid(device) is None:
        raise UsageError(f"{device!r} is neither a uuid nor the number of a virtual TPM")
    with worded_as_xl(session, f"Unknown device {args.rest[1]}."):
        session.host.detach_vtpm(domid, _uuid(device) or device)


def vkb_attach(session: Session, args: Arguments) -> None:
    """Hot-plug a virtual keyboard (libxl_device_vkb_add)."""
    from xlpy.config.display import read_vkb_spec

    domid = session.domid(args.rest[0])
    vkb = read_spec(session, read_vkb_spec, args.rest[1:], 'Unknown string "{}" in vkb spec', 255)
    if not _dry_run(session, "vkb", vkb):
        _do(session, "vkb_add", lambda: session.host.attach_vkb(domid, vkb))


def vkb_list(session: Session, args: Arguments) -> int:
    """The virtual keyboards of the named domains."""
    from xlpy.render.pv_device import vkb_kind

    return show_devices(session, args.rest, vkb_kind(), session.host.list_vkbs)


def vkb_detach(session: Session, args: Arguments) -> None:
    """Remove a virtual keyboard (libxl_device_vkb_remove)."""
    _detach(session, args, session.host.detach_vkb)


def vdispl_attach(session: Session, args: Arguments) -> None:
    """Hot-plug a virtual display (libxl_device_vdispl_add)."""
    from xlpy.config.display import NO_CONNECTOR, read_vdispl_spec

    domid = session.domid(args.rest[0])
    vdispl = read_spec(
        session,
        read_vdispl_spec,
        args.rest[1:],
        "Unknown string `{}' in vdispl spec",
        lacking={NO_CONNECTOR: ("At least one connector should be specified.", 253)},
    )
    if not _dry_run(session, "vdispl", vdispl):
        _do(session, "vdispl_add", lambda: session.host.attach_vdispl(domid, vdispl))


def vdispl_list(session: Session, args: Arguments) -> int:
    """The virtual displays of the named domains."""
    from xlpy.render.pv_device import vdispl_kind

    return show_devices(session, args.rest, vdispl_kind(), session.host.list_vdispls, xl_goes_on=True)


def vdispl_detach(session: Session, args: Arguments) -> None:
    """Remove a virtual display (libxl_device_vdispl_remove)."""
    _detach(session, args, session.host.detach_vdispl)


def vsnd_attach(session: Session, args: Arguments) -> None:
    """Hot-plug a virtual sound card; each argument is one item, as in the ``vsnd`` setting (libxl_device_vsnd_add)."""
    from xlpy.config.vsnd import read_vsnd_items

    domid = session.domid(args.rest[0])
    items = args.rest[1:]
    vsnd = read_spec(session, lambda _: read_vsnd_items(items), items, "Invalid parameter: {}", 255)
    if not _dry_run(session, "vsnd", vsnd):
        _do(session, "vsnd_add", lambda: session.host.attach_vsnd(domid, vsnd))


def vsnd_list(session: Session, args: Arguments) -> int:
    """The virtual sound cards of the named domains."""
    from xlpy.render.pv_device import vsnd_kind

    return show_devices(session, args.rest, vsnd_kind(), session.host.list_vsnds, xl_goes_on=True)


def vsnd_detach(session: Session, args: Arguments) -> None:
    """Remove a virtual sound card (libxl_device_vsnd_remove)."""
    _detach(session, args, session.host.detach_vsnd)


def channel_list(session: Session, args: Arguments) -> int:
    """The channels of the named domains (libxl_device_channel_list)."""
    from xlpy.render.pv_device import channel_kind

    return show_devices(session, args.rest, channel_kind(), session.host.list_channels)


def _dry_run(session: Session, name: str, device: Record) -> bool:
    """Whether this is a dry run; then the device is printed as xl prints it."""
    if not session.options.dry_run:
        return False
    from xlpy.config.libxl_json import device_json

    print(f"{name}: {device_json(device)}")
    return True


def _do(session: Session, call: str, work: Callable[[], None]) -> None:
    """Do it; as xl a failure is told by libxl's call, with its exit status."""
    try:
        with worded_as_xl(session, f"libxl_device_{call} failed."):
            work()
    except XlError as error:
        if session.xl:
            error.exit_status = _FAILED
        raise


def _detach(session: Session, args: Arguments, detach: Callable[[int, int], None]) -> None:
    domid = session.domid(args.rest[0])
    devid = whole_number(args.rest[1], "number of a device")
    try:
        with worded_as_xl(session, f"Error: Device {devid} not connected."):
            detach(domid, devid)
    except XlError as error:
        if session.xl:
            error.exit_status = _FAILED
        raise


def _vtpm(words: list[str]) -> VtpmConfig:
    from xlpy.model.device_config import VtpmConfig

    backend = uuid = None
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in ("uuid", "backend"):
            raise ConfigError(f"unrecognized argument `{word}'", "write uuid=UUID or backend=DOMAIN")
        if key == "backend":
            backend = value
            continue
        uuid = _uuid(value)
        if uuid is None:
            raise ConfigError(
                f"Invalid uuid specified ({value})", "32 hexadecimal digits, with or without dashes"
            )
    return VtpmConfig(backend_domname=backend, uuid=uuid)


def _uuid(text: str) -> str | None:
    """The uuid with its dashes; None if it isn't one (libxl_uuid_from_string)."""
    digits = text.replace("-", "").lower()
    if len(digits) != 32 or any(digit not in "0123456789abcdef" for digit in digits):
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
