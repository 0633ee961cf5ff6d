"""PCI functions of the host for domains: pci-attach, -detach, -list, pci-assignable-add, -remove, -list (xl_pci.c)."""

from __future__ import annotations

from xlpy.errors import ConfigError, DeviceNotFound, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.device_config import PciConfig


def pci_attach(session: Session, args: Arguments) -> None:
    """Pass a function of the host to a domain (libxl_device_pci_add)."""
    domid = session.domid(args.rest[0])
    session.host.attach_pci(domid, _spec(session, "pci-attach", args.rest[1]))


def pci_detach(session: Session, args: Arguments) -> None:
    """Take a function back from a domain (libxl_device_pci_remove, _destroy)."""
    domid = session.domid(args.rest[0])
    session.host.detach_pci(domid, _spec(session, "pci-detach", args.rest[1]), force=args.flag("f"))


def pci_list(session: Session, args: Arguments) -> int:
    """The functions that a domain has; xl takes one domain only."""
    from xlpy.cli.device_list import show_devices
    from xlpy.render.passthrough import pci_kind

    references = args.rest[:1] if session.xl else args.rest
    return show_devices(session, references, pci_kind(), session.host.list_pci)


def pci_assignable_add(session: Session, args: Arguments) -> None:
    """Take a function from its driver, for domains to have (libxl_device_pci_assignable_add)."""
    pci = _address(session, f'pci-assignable-add: malformed BDF "{args.rest[0]}"', args.rest[0])
    session.host.make_pci_assignable(pci.replace(name=args.value("name")))


def pci_assignable_remove(session: Session, args: Arguments) -> None:
    """Undo it; what is given is a name first, then an address (libxl_device_pci_assignable_remove)."""
    from xlpy.model.device_config import PciConfig

    identifier, rebind = args.rest[0], args.flag("r")
    if any(pci.name == identifier for pci in session.host.list_assignable_pci()):
        session.host.make_pci_unassignable(PciConfig(name=identifier), rebind)
        return
    pci = _address(session, f"pci-assignable-remove: malformed BDF '{identifier}'", identifier)
    session.host.make_pci_unassignable(pci, rebind)


def pci_assignable_list(session: Session, args: Arguments) -> None:
    """The functions that domains may have (libxl_device_pci_assignable_list)."""
    from xlpy.render.passthrough import assignable_pci_kind

    try:
        found = session.host.list_assignable_pci()
    except DeviceNotFound as error:
        if not session.xl:
            raise
        session.say(str(error))  # without the pciback driver xl has nothing to list, and calls that a success
        found = ()
    session.show(assignable_pci_kind(names=args.flag("show-names")), found)


def _spec(session: Session, command: str, text: str) -> PciConfig:
    from xlpy.config.pci import read_pci_spec

    return _read(session, read_pci_spec, f'{command}: malformed PCI_SPEC_STRING "{text}"', text)


def _address(session: Session, xl_words: str, text: str) -> PciConfig:
    from xlpy.config.pci import read_pci_address

    return _read(session, read_pci_address, xl_words, text)


def _read(session: Session, read: Callable[[str], PciConfig], xl_words: str, text: str) -> PciConfig:
    """The function that a text names. Raises ConfigError with exit status 2, as xl has it."""
    from xlpy.config.diagnostic import SpecError, command_line_error

    try:
        return read(text)
    except SpecError as error:
        found = command_line_error(error, text, "command line")
        if session.xl:
            raise XlError(xl_words, found.hint, detail=str(found), exit_status=2) from error
        raise ConfigError(found.message, found.hint, where=found.where, exit_status=2) from error
