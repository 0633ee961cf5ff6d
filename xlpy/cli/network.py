"""Network cards: network-attach, network-list, network-detach (xl_nic.c)."""

from __future__ import annotations

from xlpy.cli.device_list import show_devices
from xlpy.cli.failure import worded_as_xl
from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.config.diagnostic import WordHint
    from xlpy.model.domain_config import NicConfig


def network_attach(session: Session, args: Arguments) -> None:
    """Hot-plug a network card; each argument is one KEY=VALUE (libxl_device_nic_add)."""
    domid = session.domid(args.rest[0])
    nic = _nic(session, args.rest[1:])
    if session.options.dry_run:
        from xlpy.config.libxl_json import device_json

        print(f"vif: {device_json(nic)}")
        return
    with worded_as_xl(session, "libxl_device_nic_add failed."):
        session.host.attach_nic(domid, nic)


def network_list(session: Session, args: Arguments) -> int:
    """The network cards of the named domains. A domain that isn't there is reported, and the others are shown."""
    from xlpy.render.device import nic_kind

    return show_devices(session, args.rest, nic_kind(), session.host.list_nics)


def network_detach(session: Session, args: Arguments) -> None:
    """Hot-unplug the network card of this devid or MAC address (libxl_device_nic_remove)."""
    device = args.rest[1]
    domid = session.domid(args.rest[0])
    with worded_as_xl(session, f"Unknown device {device}."):
        session.host.detach_nic(domid, device.lower())


def _nic(session: Session, words: Sequence[str]) -> NicConfig:
    """The network card that these words, each one KEY=VALUE, describe, on top of xl.conf's defaults. Raises ConfigError."""
    from xlpy.cli.xl_conf import read_xl_conf
    from xlpy.config.diagnostic import hint_text
    from xlpy.config.vif import parse_vif_arguments

    def warn(message: str, offset: int, length: int, hint: str | WordHint | None) -> None:
        shown = hint_text(hint)
        session.say(f"{session.program}: warning: {message}" + (f" ({shown})" if shown else ""))

    try:
        return parse_vif_arguments(words, conf=read_xl_conf(session), warn=warn)
    except ConfigError as error:
        if session.xl and error.message.startswith("unknown parameter"):
            column = int((error.where or "1").rpartition(":")[2])
            raise ConfigError(f"unrecognized argument `{_word_at(words, column - 1)}'") from error
        raise


def _word_at(words: Sequence[str], offset: int) -> str:
    """The word that holds this place of the words joined by blanks."""
    for word in words:
        if offset <= len(word):
            return word
        offset -= len(word) + 1
    return words[-1]
