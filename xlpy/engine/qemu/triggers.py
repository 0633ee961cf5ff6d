"""Buttons and keys of a domain's machine: power, reset, NMI, Ctrl-Alt-Del, SysRq.

Every machine that this engine makes has an ACPI power button and a PS/2 keyboard, whatever the domain's type. A guest
without a driver for them doesn't notice; there is no telling from outside. What xl asks a guest for stays written in
xenstore until its driver is there to read it; so that a guest which is still booting hears it here, too, a young
domain's button is pressed again every few seconds.
"""

from __future__ import annotations

import time

from xlpy.engine.qemu.qmp import QmpError
from xlpy.errors import InvalidState, NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.reactor import Reactor

    Command = tuple[str, dict[str, object]]

TRIGGERS = ("nmi", "reset", "init", "power", "sleep", "s3resume")
_COMMANDS = {
    "nmi": "inject-nmi",
    "reset": "system_reset",
    "power": "system_powerdown",
    "s3resume": "system_wakeup",
}
_KEY_HOLD_MS = 100
_AGAIN_S = 4.0
_BOOTING_S = 90.0  # a guest that old has its drivers


def shutdown_domain(domain: QemuDomain, reactor: Reactor) -> None:
    """Press the power button (ACPI; ``system_powerdown``). Raises InvalidState for a domain that stands still."""
    _require_awake(domain, "shut it down")
    _insist(domain, reactor, ("system_powerdown", {}))


def reboot_domain(domain: QemuDomain, reactor: Reactor) -> None:
    """Press Ctrl-Alt-Del, which makes a Linux guest's init reboot. Raises InvalidState for a domain that stands still."""
    _require_awake(domain, "reboot it")
    _insist(domain, reactor, _keys("ctrl", "alt", "delete"))


def _insist(domain: QemuDomain, reactor: Reactor, command: Command) -> None:
    """Do this now, and again until the domain has ended, is asked for something else or is surely up."""

    def again() -> None:
        up = time.time() - domain.record.start_time_s > _BOOTING_S
        if up or domain.ended is not None or domain.gone or domain.asked is not command:
            return
        if domain.record.phase == "running" and not domain.stopped:
            domain.qmp.submit(*command)
        reactor.call_later(_AGAIN_S, again)

    domain.asked = command
    domain.qmp.execute(*command)
    reactor.call_later(_AGAIN_S, again)


def send_trigger(domain: QemuDomain, trigger: str, vcpuid: int = 0) -> None:
    """One of libxl's triggers. An NMI goes to all vcpus, the way QEMU's button works.

    Raises NotSupported for those that QEMU's machine hasn't got, InvalidState where it makes no sense now.
    """
    domain.require_running(f"send the trigger {trigger}")
    if trigger not in TRIGGERS:
        raise NotSupported(f"there is no trigger '{trigger}'", f"triggers are {', '.join(TRIGGERS)}")
    command = _COMMANDS.get(trigger)
    if command is None:
        raise NotSupported(
            f"the qemu engine cannot send the trigger {trigger}", "its machine has no such button"
        )
    most = domain.record.machine.max_vcpus
    if not 0 <= vcpuid < most:
        raise InvalidState(f"domain {domain.domid} has no vcpu {vcpuid}", f"it has 0 to {most - 1}")
    try:
        domain.qmp.execute(command)
    except QmpError as error:
        if trigger != "s3resume":
            raise
        raise InvalidState(f"domain {domain.domid} is not asleep", detail=error.detail) from error


def send_sysrq(domain: QemuDomain, letter: str) -> None:
    """Press Alt-SysRq and a letter or digit. Raises InvalidState, NotSupported for a key that a keyboard hasn't got."""
    _require_awake(domain, "send it a sysrq")
    if len(letter) != 1 or not letter.isascii() or not letter.isalnum():
        raise NotSupported(
            f"'{letter}' is no sysrq", "it is one letter or digit; 'h' lists them on the guest's console"
        )
    domain.qmp.execute(*_keys("alt", "sysrq", letter.lower()))


def _keys(*keys: str) -> Command:
    """To press these at once."""
    codes = [{"type": "qcode", "data": key} for key in keys]
    return "send-key", {"keys": codes, "hold-time": _KEY_HOLD_MS}


def _require_awake(domain: QemuDomain, what: str) -> None:
    domain.require_running(what)
    if domain.stopped:
        raise InvalidState(
            f"domain {domain.domid} is paused: it would not notice",
            f"'xlpy unpause {domain.domid}' lets it run; 'xlpy destroy {domain.domid}' ends it at once",
        )
