"""Starting the agent on the other machine: one constant command line, and everything else through its standard input."""

from __future__ import annotations

import marshal
import select
import time

from xlpy.errors import (
    ConnectError,
    MissingProgram,
    NotSupported,
    PermissionRefused,
    ProtocolError,
    XlError,
)
from xlpy.protocol.introduction import (
    LINE_LIMIT_BYTES,
    MARK,
    OLD_PYTHON_STATUS,
    as_introduction,
    parcel,
    read_line,
)
from xlpy.transport.remembered import OWN_PYTHON, PYTHONS
from xlpy.transport.shipping import digest, first_modules, more_modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlpy.protocol.introduction import Introduction
    from xlpy.transport.link import Link

ANSWER_TIMEOUT_S = 30.0
_NOISE_LIMIT_BYTES = 1 << 20  # of what login scripts print before the agent has its say
_MARSHAL_FORMAT = 2
_COMMAND_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_SAID_LIMIT = 2000

# In syntax that every Python 3 reads, on one line, and without the characters that some shell expands between single
# quotes (csh: !, fish: \). "modules" and "channel" are what agent.boot expects.
_LOADER = (
    "import os,sys;v=sys.version_info;"
    'v>=(3,9) or (os.write(2,("Python %d.%d"%v[:2]).encode()),os._exit(' + str(OLD_PYTHON_STATUS) + "));"
    "import marshal,zlib;i=sys.stdin.buffer;m=marshal.loads(zlib.decompress(i.read(int(i.readline()))));"
    'exec(compile(m["xlpy.agent.boot"],"shipped:xlpy/agent/boot.py","exec"),'
    'dict(__name__="xlpy shipped",modules=m,channel=i))'
)


def remote_command(python: str = "python3", sudo: bool = False) -> str:
    """The command that runs the agent, the same to every login shell. Raises ConnectError for a python that isn't a plain path."""
    if (
        not python.isascii()
        or not python
        or not all(letter.isalnum() or letter in "/._-+" for letter in python)
        or python[0] == "-"
    ):
        raise ConnectError(
            f"{python!r} cannot be the name of an interpreter", "'python:' in hosts.yaml is a name or a path"
        )
    return f"{'sudo -n -- ' if sudo else ''}{python} -I -S -c '{_LOADER}'"


def introduce(
    link: Link,
    *,
    socket: str | None = None,
    state_dir: str | None = None,
    python: str = "python3",
    sudo: bool = False,
    timeout_s: float = ANSWER_TIMEOUT_S,
) -> Introduction:
    """Send the shipped half to the command that runs at the end of ``link``, and return what it answers.

    Raises what keeps it from working, each with the host's name and a hint: MissingProgram (no python3), NotSupported
    (too old), PermissionRefused (sudo), ConnectError (it ended, no answer in time, no xlpyd and why).
    """
    wishes = {"socket": socket, "state_dir": state_dir}
    introduction = as_introduction(_talk(link, wishes, python, sudo, timeout_s))
    if introduction.magic:
        PYTHONS.keep(link.label, introduction.magic)
    return introduction


def run_errand(
    link: Link,
    errand: str,
    *,
    python: str = "python3",
    sudo: bool = False,
    timeout_s: float = ANSWER_TIMEOUT_S,
    **arguments: bool | str | None,
) -> dict[str, object]:
    """Have the command that runs at the end of ``link`` do something once (``agent.errands``); its report.

    Raises what ``introduce`` raises, and what went wrong with the errand.
    """
    report = _talk(link, {"errand": errand, **arguments}, python, sudo, timeout_s).get("report")
    if not isinstance(report, dict):
        raise ProtocolError(f"{link.label}: the agent did not report")
    return report


def _talk(
    link: Link, wishes: Mapping[str, bool | str | None], python: str, sudo: bool, timeout_s: float
) -> dict[str, object]:
    """Say what is wished, send what is needed, return the answer."""
    wish = marshal.dumps({**wishes, "digest": digest()}, _MARSHAL_FORMAT)
    deadline = time.monotonic() + timeout_s
    try:
        link.write(parcel(first_modules(PYTHONS.get(link.label) == OWN_PYTHON)) + parcel(wish))
        answer = _hear(link, deadline)
        if "need" in answer:
            link.write(parcel(more_modules(str(answer["need"]))))
            answer = _hear(link, deadline)
    except TimeoutError as error:
        raise ConnectError(
            f"{link.label}: the agent did not answer within {timeout_s:g} s",
            "does a login script there wait for something? raise 'answer_timeout_s' if the host is slow",
            detail=_said(link),
        ) from error
    except (EOFError, OSError) as error:
        raise _why_it_ended(link, python, sudo, str(error)) from error
    return answer


def _hear(link: Link, deadline: float) -> dict[str, object]:
    """What the agent says next. Raises what it tells, and as ``_read_line``."""
    line = _read_line(link, deadline)
    try:
        return read_line(line)
    except XlError as error:
        error.message = f"{link.label}: {error.message}"
        raise


def _read_line(link: Link, deadline: float) -> bytes:
    """The line after the mark. Raises TimeoutError; EOFError or OSError when the command has ended."""
    poller = select.poll()
    poller.register(link.fileno(), select.POLLIN)
    received = bytearray()
    while True:
        start = received.find(MARK)
        if start >= 0:
            end = received.find(b"\n", start)
            if end >= 0:
                return bytes(received[start + len(MARK) : end])
        if len(received) - max(start, 0) > (LINE_LIMIT_BYTES if start >= 0 else _NOISE_LIMIT_BYTES):
            raise ConnectError(
                f"{link.label} sends other things than the agent's answer",
                "does a login script there print without end?",
                detail=bytes(received[:200]).decode("utf-8", "replace"),
            )
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not poller.poll(left_s * 1000):
            raise TimeoutError
        try:
            data = link.read()
        except BlockingIOError:
            continue
        if not data:
            raise EOFError
        received += data


def _why_it_ended(link: Link, python: str, sudo: bool, detail: str) -> XlError:
    """The command at the end of the link ended without a word of the agent's."""
    status, said = link.exit_status(), _said(link)
    detail = said or detail
    if status == OLD_PYTHON_STATUS:
        return NotSupported(
            f"{link.label}: its Python is too old{f' ({said})' if said else ''}",
            "xlpy needs Python 3.9 there; name a newer one with 'python:' in hosts.yaml",
        )
    by_sudo = sudo and "sudo" in (said or "")
    if by_sudo and status == _COMMAND_NOT_FOUND:
        return MissingProgram(
            f"{link.label}: there is no sudo",
            "install it there, or log in as root without 'sudo: true'",
            detail=detail,
        )
    if status == _COMMAND_NOT_FOUND or (by_sudo and f"{python}: command not found" in detail):
        return MissingProgram(
            f"{link.label}: there is no {python}",
            "install it there, on Debian: apt install python3",
            detail=detail,
        )
    if status == _NOT_EXECUTABLE:
        return MissingProgram(
            f"{link.label}: {python} cannot be run", "check 'python:' in hosts.yaml", detail=detail
        )
    if by_sudo:
        return PermissionRefused(
            f"{link.label}: sudo refused",
            "it has to work without a password there: a line with NOPASSWD in sudoers, see sudo -n -l",
            detail=detail,
        )
    how = "" if status is None else f" with status {status}"
    return ConnectError(
        f"{link.label}: the agent ended at once{how}",
        f"does this work: ssh {link.label} {python} -V",
        detail=detail or None,
    )


def _said(link: Link) -> str | None:
    """The last of what the command said on its standard error."""
    return link.said().strip()[-_SAID_LIMIT:] or None
