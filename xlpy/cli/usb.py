"""Virtual USB controllers and what is plugged into them: usbctrl-attach, -detach, usbdev-attach, -detach, usb-list (xl_usb.c)."""

from __future__ import annotations

from xlpy.cli.failure import worded_as_xl
from xlpy.cli.numbers import whole_number
from xlpy.cli.spec_words import read_spec
from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def usbctrl_attach(session: Session, args: Arguments) -> None:
    """Hot-plug a USB controller (libxl_device_usbctrl_add)."""
    from xlpy.config.usb import read_controller_spec

    domid = session.domid(args.rest[0])
    controller = read_spec(
        session, read_controller_spec, args.rest[1:], "Unknown string `{}' in usbctrl spec"
    )
    with worded_as_xl(session, "libxl_device_usbctrl_add failed."):
        session.host.attach_usb_controller(domid, controller)


def usbctrl_detach(session: Session, args: Arguments) -> None:
    """Remove a USB controller with all that is plugged into it (libxl_device_usbctrl_remove)."""
    domid = session.domid(args.rest[0])
    devid = whole_number(args.rest[1], "number of a controller")
    with worded_as_xl(session, f"Unknown device {args.rest[1]}."):
        session.host.detach_usb_controller(domid, devid)


def usbdev_attach(session: Session, args: Arguments) -> None:
    """Pass a USB device of the host to a domain (libxl_device_usbdev_add)."""
    from xlpy.config.usb import read_device_spec

    domid = session.domid(args.rest[0])
    device = read_spec(session, read_device_spec, args.rest[1:], "Unknown string `{}' in usbdev spec")
    with worded_as_xl(session, "libxl_device_usbdev_add failed."):
        session.host.attach_usb_device(domid, device)


def usbdev_detach(session: Session, args: Arguments) -> None:
    """Take the USB device at a controller's port back (libxl_device_usbdev_remove)."""
    if len(args.rest) > 3:
        raise XlError("Invalid arguments.")
    domid = session.domid(args.rest[0])
    controller = whole_number(args.rest[1], "number of a controller")
    port = whole_number(args.rest[2], "number of a port")
    with worded_as_xl(session, f"Unknown device at controller {controller} port {port}."):
        session.host.detach_usb_device(domid, controller, port)


def usb_list(session: Session, args: Arguments) -> int:
    """A domain's USB controllers and what is in their ports; xl takes one domain only."""
    from xlpy.cli.device_list import show_devices
    from xlpy.render.passthrough import usb_kind

    if session.xl and len(args.rest) > 1:
        raise XlError("Invalid arguments.", exit_status=255)
    return show_devices(session, args.rest, usb_kind(), session.host.list_usb)
