"""What one does to a domain now and then: trigger, button-press, sysrq, dump-core, qemu-monitor-command (xl_misc.c)."""

from __future__ import annotations

import os

from xlpy.cli.failure import worded_as_xl
from xlpy.cli.numbers import whole_number
from xlpy.errors import UsageError, XlError, file_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

TRIGGERS = ("unknown", "power", "sleep", "nmi", "init", "reset", "s3resume")
"""libxl_trigger."""


def trigger(session: Session, args: Arguments) -> None:
    """Send a trigger to a vcpu (libxl_send_trigger); capitals don't matter, as in libxl."""
    domid = session.domid(args.rest[0])
    name = args.rest[1].lower()
    if name not in TRIGGERS:
        raise XlError(f'Invalid trigger "{args.rest[1]}"', f"triggers: {', '.join(TRIGGERS[1:])}")
    session.host.send_trigger(domid, name, _vcpuid(session, args.rest[2]) if len(args.rest) > 2 else 0)


def _vcpuid(session: Session, text: str) -> int:
    """A vcpu's number. xl takes 0 for what isn't one and says so."""
    try:
        return whole_number(text, "number of a vcpu")
    except UsageError:
        if not session.xl:
            raise
        session.say("Invalid vcpuid, using default vcpuid=0.\n")
        return 0


def button_press(session: Session, args: Arguments) -> None:
    """Press the ACPI power or sleep button; xl prefers ``trigger`` by now."""
    session.say('WARNING: "button-press" is deprecated. Please use "trigger"')
    domid = session.domid(args.rest[0])
    button = args.rest[1]
    if button not in ("power", "sleep"):
        raise XlError(f"{button} is an invalid button identifier", "buttons: power, sleep")
    session.host.send_trigger(domid, button)


def sysrq(session: Session, args: Arguments) -> None:
    """Send a magic system request to a Linux guest (libxl_send_sysrq)."""
    domid = session.domid(args.rest[0])
    letter = args.rest[1]
    if len(letter) != 1:
        if session.xl:
            from xlpy.cli.commands import require_command
            from xlpy.cli.help import print_help

            print_help(session, require_command("sysrq"))
        raise XlError(
            "Invalid sysrq." + ("\n" if session.xl else ""), "a sysrq is one letter, such as h for help"
        )
    session.host.send_sysrq(domid, letter)


def dump_core(session: Session, args: Arguments) -> None:
    """Write a domain's memory to a file as an ELF core (libxl_domain_core_dump); no half file is left behind."""
    domid = session.domid(args.rest[0])
    path = args.rest[1]
    if session.plan is not None:
        domain = session.host.domain_info(domid)
        session.rehearses(f"write the memory of {args.rest[0]} to {path}", domain)
        return
    with worded_as_xl(session, "core dump failed (rc=-3)"):
        if os.path.exists(path) and not os.path.isfile(path):  # a FIFO, /dev/null: written as it is
            session.host.dump_core(domid, _open_core(path, path, os.O_WRONLY))
            return
        partial = f"{path}.partial"
        done = False
        try:
            stream = _open_core(partial, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            session.host.dump_core(domid, stream)
            os.replace(partial, path)
            done = True
        finally:
            if not done and os.path.exists(partial):
                os.unlink(partial)


def _open_core(path: str, called: str, flags: int) -> int:
    """A descriptor for the core, which holds the guest's secrets: ours alone to read. Raises XlError naming ``called``."""
    try:
        return os.open(path, flags | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise XlError(f"cannot write {called}: {error.strerror}", file_hint(called, error)) from error


def qemu_monitor_command(session: Session, args: Arguments) -> None:
    """Say a human monitor command to the domain's QEMU and print its answer (libxl_qemu_monitor_command)."""
    reference, *command = args.rest
    if len(command) > 1:
        raise XlError("Invalid arguments.", "the command is one argument: put it in quotes")
    from xlpy.render.text import monitor_answer_kind

    domid = session.domid(reference)
    answer = session.host.qemu_monitor_command(domid, command[0]).replace("\r\n", "\n").rstrip("\n")
    session.show_text(monitor_answer_kind(), (domid, command[0], answer), f"{answer}\n" if answer else "")


def suspend(session: Session, args: Arguments) -> None:
    """Let a domain suspend to RAM; its guest has to cooperate (libxl_domain_suspend_only)."""
    session.host.suspend_to_ram(session.domid(args.rest[0]))


def resume(session: Session, args: Arguments) -> None:
    """Let a domain that has suspended to RAM go on (libxl_domain_resume)."""
    session.host.resume_from_ram(session.domid(args.rest[0]))
