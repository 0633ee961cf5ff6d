"""Starting xlpyd on behalf of somebody from another machine: the installed one, or one from the code that was shipped.

What is started detaches itself and lives on when the connection ends. The shipped code is kept in xlpyd's runtime
directory, from where it can be started anew without being sent again.
"""

from __future__ import annotations

import fcntl
import os

from xlpy.errors import ConnectError, PermissionRefused
from xlpy.protocol.places import default_socket, default_state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_UNIT = "xlpyd.service"
_UNIT_DIRS = (
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_CODE_NAME = "xlpyd.code"


class Shipment:
    """The code that can be had from the near side: ``digest`` names it, ``fetch`` gets it, ``load`` makes it importable."""

    def __init__(self, digest: str, fetch: Callable[[], bytes], load: Callable[[bytes], None]) -> None:
        self.digest = digest
        self.fetch = fetch
        self.load = load


def installed(program: str, path: str, state_dir: str | None, is_usual: bool) -> Callable[[], None]:
    """How to start the installed xlpyd: as its service at its usual place, and by itself elsewhere."""
    if os.getuid() == 0 and _is_unit_for(path, state_dir, is_usual):
        return lambda: _run_child(lambda: os.execvp("systemctl", ["systemctl", "start", _UNIT]))
    arguments = ["--socket", path, *(("--state-dir", state_dir) if state_dir else ())]
    return lambda: _run_child(lambda: os.execv(program, [program, *arguments]))


def shipped(path: str, state_dir: str | None, shipment: Shipment) -> Callable[[], None]:
    """How to start xlpyd from the shipped code, which is fetched unless it is there already."""
    kept = f"{os.path.dirname(path)}/{_CODE_NAME}"
    code = _read_code(kept, shipment.digest) or shipment.fetch()
    records = state_dir or _shipped_state_dir(path)

    def start() -> None:
        shipment.load(code)
        _keep_code(kept, shipment.digest, code)
        _run_child(lambda: _be_xlpyd(path, records))

    return start


class StartLock:
    """While it is entered, nobody else starts an xlpyd at this socket. Raises ConnectError, PermissionRefused."""

    def __init__(self, path: str) -> None:
        self._fd = _open_lock(os.path.dirname(path))

    def __enter__(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)


def _read_code(kept: str, digest: str) -> bytes | None:
    """The code that was kept there, if it is this one."""
    try:
        with open(kept, "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            first, code = file.readline(), file.read()
    except OSError:
        return None
    return code if first == _label(digest, code) else None


def _label(digest: str, code: bytes) -> bytes:
    """The line before code that was kept: which it is, and how long when it is whole."""
    return f"{digest} {len(code)}\n".encode("ascii")


def _keep_code(kept: str, digest: str, code: bytes) -> None:
    """Have it there for the next start. Raises ConnectError when there is no room: xlpyd would find none either."""
    try:
        with open(f"{kept}.new", "wb") as file:
            file.write(_label(digest, code) + code)
        os.replace(f"{kept}.new", kept)
    except OSError as error:
        raise ConnectError(
            f"cannot start xlpyd on {os.uname().nodename}: {kept}: {error.strerror}",
            "free some space there",
        ) from error


def _be_xlpyd(path: str, state_dir: str) -> int:
    """Become xlpyd, from the code that was loaded."""
    from xlpy.agent.xlpyd import Options, start_detached

    try:
        with open("/proc/self/comm", "w", encoding="ascii") as name:
            name.write("xlpyd")
    except OSError:
        pass  # it is for those who read ps(1)
    return start_detached(Options(socket=os.path.abspath(path), state_dir=os.path.abspath(state_dir)))


def _is_unit_for(path: str, state_dir: str | None, is_usual: bool) -> bool:
    """Whether systemd runs here and has a service for the xlpyd that is meant."""
    if not os.path.isdir("/run/systemd/system"):
        return False
    for directory in _UNIT_DIRS:
        try:
            with open(f"{directory}/{_UNIT}", encoding="utf-8", errors="replace") as file:
                words = file.read().split()
        except OSError:
            continue
        named = is_usual or path in words
        return named and (state_dir is None or state_dir in words)
    return False


def _shipped_state_dir(path: str) -> str:
    """Where an xlpyd that isn't installed keeps its records: where one kept them before, else beside its socket."""
    usual = default_state_dir(os.getuid(), os.environ)
    if path == default_socket(os.getuid(), os.environ) and os.path.exists(f"{usual}/xlpyd.db"):
        return usual
    return f"{os.path.dirname(path)}/state"


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
            import traceback

            traceback.print_exc()
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
