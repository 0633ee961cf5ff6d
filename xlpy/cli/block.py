"""Disks and CD drives: block-attach, block-list, block-detach, cd-insert, cd-eject (xl_block.c, xl_cdrom.c)."""

from __future__ import annotations

import os

from xlpy.cli.device_list import attach_target, show_devices
from xlpy.cli.failure import worded_as_xl
from xlpy.errors import ConfigError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain_config import DiskConfig


def block_attach(session: Session, args: Arguments) -> None:
    """Hot-plug a disk; the arguments are pieces of one disk specification (libxl_device_disk_add)."""
    from xlpy.cli.config_file import disk_with_absolute_path

    domid = attach_target(session, args.rest[0])
    disk = _disk(session, args.rest[1:])
    if session.options.dry_run:
        _print_disk(disk)
        return
    with worded_as_xl(session, "libxl_device_disk_add failed."):
        session.host.attach_disk(domid, disk_with_absolute_path(disk, os.getcwd()))


def block_list(session: Session, args: Arguments) -> int:
    """The disks of the named domains. A domain that isn't there is reported, and the others are shown."""
    from xlpy.render.device import disk_kind

    return show_devices(session, args.rest, disk_kind(), session.host.list_disks, xl_goes_on=True)


def block_detach(session: Session, args: Arguments) -> None:
    """Hot-unplug a disk, named as in the config or by its number (libxl_device_disk_safe_remove)."""
    vdev = args.rest[1]
    domid = session.domid(args.rest[0])
    with worded_as_xl(session, f"Error: Device {vdev} not connected."):
        session.host.detach_disk(domid, vdev, force=args.flag("force"))


def cd_insert(session: Session, args: Arguments) -> None:
    """Put a medium into a CD drive (libxl_cdrom_insert)."""
    path = args.rest[2]
    _change_medium(session, args.rest[0], args.rest[1], path)


def cd_eject(session: Session, args: Arguments) -> None:
    """Take the medium out of a CD drive."""
    _change_medium(session, args.rest[0], args.rest[1], "")


def _change_medium(session: Session, reference: str, vdev: str, path: str) -> None:
    """As xl does, the drive is described by a disk specification of its own; unlike xl's, ``-N`` changes nothing."""
    from xlpy.cli.config_file import disk_with_absolute_path

    domid = session.domid(reference)
    disk = _disk(session, [f"vdev={vdev},access=r,devtype=cdrom,target={path}"])
    if session.options.dry_run:
        _print_disk(disk)
        return
    if disk.pdev_path and not session.host_names and not os.path.exists(disk.pdev_path):
        raise XlError(f"Cannot stat file: {disk.pdev_path}")
    session.host.insert_cdrom(domid, disk_with_absolute_path(disk, os.getcwd()))


def _disk(session: Session, words: Sequence[str]) -> DiskConfig:
    """The disk that these pieces of one specification describe. Raises ConfigError."""
    from xlpy.config.disk import parse_disk_spec

    try:
        return parse_disk_spec(words)
    except ConfigError as error:
        if session.xl:
            message = (
                f"config parsing error in disk specification: {_as_libxlu(error.message)} in `{words[-1]}'"
            )
            raise ConfigError(message, where="command line", exit_status=error.exit_status) from error
        raise


def _as_libxlu(message: str) -> str:
    """What libxlu says of a disk in other words (libxlu_disk.c): "unknown value for format: near `qcow3'"."""
    import re

    message = message.replace("no vdev is given", "no vdev specified")
    message = message.replace("no target is given", "no target specified (and device not removable)")
    found = re.fullmatch(r"unknown value '(?P<value>.*)' for (?P<name>[\w-]+)", message)
    return f"unknown value for {found['name']}: near `{found['value']}'" if found else message


def _print_disk(disk: DiskConfig) -> None:
    """What ``-N`` shows."""
    from xlpy.config.libxl_json import device_json

    print(f"disk: {device_json(disk)}")
