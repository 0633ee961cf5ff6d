"""Finding this host's xlpyd for somebody from another machine, or starting one.

In this order: one that answers; an installed one that has to be started; one from the very code that runs here. The last
keeps its records in its runtime directory, so that nothing else is left on a host where xlpy isn't installed.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import sys

from xlpy.errors import ConnectError, PermissionRefused
from xlpy.model.record import Record
from xlpy.protocol.places import default_socket, default_state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LONGEST_ADDRESS = 107  # bytes in sockaddr_un.sun_path, without the closing NUL
_CONNECT_TIMEOUT_S = 5.0
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_UNIT_DIRS = (
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_UNIT = "xlpyd.service"


class Found(Record):
    """Where an xlpyd listens, and how it came to be there."""

    socket: str
    started: bool = False
    installed: bool = False


class NobodyListens(ConnectError):
    """There is no xlpyd at that socket."""


def find_xlpyd(wishes: Mapping[str, object]) -> Found:
    """The xlpyd at ``wishes["socket"]``, or in its usual places; it is started if there is none.

    Raises ConnectError with what it said when it doesn't come up, PermissionRefused.
    """
    wanted = wishes.get("socket")
    program = _installed_program()
    places = [wanted] if isinstance(wanted, str) else _usual_places(os.getuid(), os.environ)
    for place in places:
        if _answers(place):
            return Found(socket=place, installed=program is not None)
    state_dir = wishes.get("state_dir")
    return _start(places[0], state_dir if isinstance(state_dir, str) else None, program, wanted is None)


def connect(path: str) -> _socket.socket:
    """A connection to the xlpyd at ``path``. Raises NobodyListens, PermissionRefused, ConnectError."""
    client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        client.settimeout(_CONNECT_TIMEOUT_S)
        _connect(client, path)
        client.settimeout(None)
        credentials = client.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    except OSError as error:
        client.close()
        host = os.uname().nodename
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ConnectionRefusedError)):
            raise NobodyListens(
                f"no xlpyd answers at {path} on {host}", "try again: it is started then"
            ) from error
        if isinstance(error, PermissionError):
            raise PermissionRefused(
                f"{path} on {host}: permission denied",
                "log in as its owner, or set 'sudo: true' for this host",
            ) from error
        raise ConnectError(
            f"cannot connect to xlpyd at {path} on {host}: {error.strerror or error}"
        ) from error
    uid = int.from_bytes(credentials[4:8], sys.byteorder)
    if uid not in (0, os.getuid()) and os.getuid() != 0:
        client.close()
        raise PermissionRefused(f"whoever listens at {path} runs as uid {uid}, and is not to be believed")
    return client


def _connect(client: _socket.socket, path: str) -> None:
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        client.connect(path)
        return
    directory_fd = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        client.connect(f"/proc/self/fd/{directory_fd}/{os.path.basename(path)}")
    finally:
        os.close(directory_fd)


def _answers(path: str) -> bool:
    try:
        connect(path).close()
    except NobodyListens:
        return False
    return True


def _usual_places(uid: int, environ: Mapping[str, str]) -> list[str]:
    """Where this user's xlpyd may listen, whatever environment its login had; the first is where one is started."""
    places = [default_socket(uid, environ)]
    if uid != 0:
        for runtime_dir in (f"/run/user/{uid}", ""):
            place = default_socket(uid, {"XDG_RUNTIME_DIR": runtime_dir})
            if place not in places and os.path.isdir(os.path.dirname(os.path.dirname(place))):
                places.append(place)
    return places


def _installed_program() -> str | None:
    """The xlpyd that is installed on this host."""
    for directory in f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}".split(":"):
        program = f"{directory}/xlpyd"
        if directory.startswith("/") and os.access(program, os.X_OK):
            return program
    return None


# -- starting one


def _start(path: str, state_dir: str | None, program: str | None, is_usual: bool) -> Found:
    """Start an xlpyd there, unless somebody else is faster."""
    lock_fd = _open_lock(os.path.dirname(path))
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        if _answers(path):
            return Found(socket=path, installed=program is not None)
        if program is not None and is_usual and os.getuid() == 0 and _is_unit():
            _run_child(lambda: os.execvp("systemctl", ["systemctl", "start", _UNIT]))
        elif program is not None:
            arguments = ["--socket", path, *(("--state-dir", state_dir) if state_dir else ())]
            _run_child(lambda: os.execv(program, [program, *arguments]))
        else:
            arguments = ["--socket", path, "--state-dir", state_dir or _shipped_state_dir(path)]
            _run_child(lambda: _be_xlpyd(arguments))
    finally:
        os.close(lock_fd)
    if not _answers(path):
        raise ConnectError(
            f"xlpyd was started on {os.uname().nodename} and does not listen at {path}",
            "does its service use another socket? set 'socket:' for this host in hosts.yaml",
        )
    return Found(socket=path, started=True, installed=program is not None)


def _open_lock(run_dir: str) -> int:
    """Open the lock that those who start an xlpyd there take."""
    host = os.uname().nodename
    try:
        os.makedirs(os.path.dirname(run_dir), exist_ok=True)
        try:
            os.mkdir(run_dir, 0o700)
        except FileExistsError:
            pass
        owner = os.lstat(run_dir).st_uid
        if owner == os.getuid():
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.open(f"{run_dir}/start.lock", flags, 0o600)
    except OSError as error:
        raise ConnectError(
            f"cannot start xlpyd on {host}: {run_dir}: {error.strerror}",
            "log in as root, or set 'sudo: true' for this host, or 'socket:' to a place where you may write",
        ) from error
    raise PermissionRefused(
        f"cannot start xlpyd on {host}: {run_dir} belongs to uid {owner}, not to uid {os.getuid()}",
        "log in as its owner, or set 'sudo: true' for this host",
    )


def _is_unit() -> bool:
    """Whether systemd runs here and knows xlpyd."""
    return os.path.isdir("/run/systemd/system") and any(
        os.path.exists(f"{directory}/{_UNIT}") for directory in _UNIT_DIRS
    )


def _shipped_state_dir(path: str) -> str:
    """Where an xlpyd that isn't installed keeps its records: where one kept them before, else beside its socket."""
    usual = default_state_dir(os.getuid(), os.environ)
    if path == default_socket(os.getuid(), os.environ) and os.path.exists(f"{usual}/xlpyd.db"):
        return usual
    return f"{os.path.dirname(path)}/state"


def _be_xlpyd(arguments: Sequence[str]) -> int:
    """Become xlpyd, from the code that runs already."""
    from xlpy.agent.xlpyd import main

    try:
        with open("/proc/self/comm", "w", encoding="ascii") as name:
            name.write("xlpyd")
    except OSError:
        pass  # it is for those who read ps(1)
    return main(arguments)


def _run_child(work: Callable[[], int]) -> None:
    """Do something that starts xlpyd in a child of its own. Raises ConnectError with what it said unless all went well."""
    said, stderr = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for fd, target in ((null, 0), (null, 1), (stderr, 2)):
                os.dup2(fd, target)
            os.closerange(3, 1 << 16)  # nothing of ours may keep the channel open
            status = work()
        except Exception:  # noqa: BLE001  # the edge of a process
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    os.close(stderr)
    with os.fdopen(said, encoding="utf-8", errors="replace") as reader:
        complaint = reader.read().strip()
    if os.waitpid(pid, 0)[1] != 0:
        raise ConnectError(
            f"xlpyd could not be started on {os.uname().nodename}",
            "'xlpyd --foreground' there shows more",
            detail=complaint or None,
        )
