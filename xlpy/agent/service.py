"""Stopping and starting this host's installed xlpyd, with systemd or without. Domains run on all the while."""

from __future__ import annotations

import fcntl
import os
import select
import signal

from xlpy.agent.installation import UNIT
from xlpy.errors import EngineError, MissingProgram, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.agent.installation import Installation

_STOP_TIMEOUT_S = 30.0
_COMMAND_TIMEOUT_S = 90

# The unit of an installed xlpyd, {program} being its path. systemd/xlpyd.service is this one for packages.
UNIT_TEXT = """\
[Unit]
Description=xlpy's daemon: supervises the domains of this host
Documentation=man:xlpyd(8)
After=network.target local-fs.target

[Service]
Type=notify
ExecStart={program} --foreground
# Domains outlive xlpyd: a stop, a restart or an upgrade ends the daemon alone.
KillMode=process
Restart=on-failure
RestartSec=1
RuntimeDirectory=xlpy
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
StateDirectory=xlpy
StateDirectoryMode=0700
# Every domain is a process or more of this unit.
TasksMax=infinity
LimitNOFILE=65536
Delegate=yes

[Install]
WantedBy=multi-user.target
"""


def unit_text(place: Installation) -> str:
    """The unit for an installation; systemd makes those directories that are in their usual places."""
    text = UNIT_TEXT.format(program=" ".join((place.launcher, *place.arguments)))
    for option, prefix in (("--socket", "RuntimeDirectory"), ("--state-dir", "StateDirectory")):
        if option in place.arguments:
            text = "".join(line for line in text.splitlines(True) if not line.startswith(prefix))
    return text


def stop(place: Installation) -> bool:
    """End the xlpyd at its usual place, whoever started it; whether there was one. Raises XlError when it doesn't end."""
    if place.unit is not None and os.path.exists(place.unit):
        run("systemctl", "stop", UNIT)
    return end(place.run_dir)


def restart_unit(pid: int | None) -> bool:
    """Have systemd restart its xlpyd, if that is this process. Raises XlError when it can't."""
    if os.getuid() != 0 or not os.path.isdir("/run/systemd/system"):
        return False
    if run("systemctl", "show", "--value", "--property=MainPID", UNIT).strip() != str(pid):
        return False
    run("systemctl", "restart", UNIT)
    return True


def end(run_dir: str) -> bool:
    """End the xlpyd that has this runtime directory; whether there was one. Raises XlError when it doesn't end."""
    pid = running_pid(run_dir)
    if pid is None:
        return False
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not select.select([pidfd], [], [], _STOP_TIMEOUT_S)[0]:
            raise XlError(
                f"xlpyd (process {pid}) on {os.uname().nodename} does not end",
                "what is it busy with? see xlpy events; it can be killed, its domains run on",
            )
    finally:
        os.close(pidfd)
    return True


def start(place: Installation) -> None:
    """Start the installed xlpyd, and have it start with the host where systemd can do that. Raises XlError."""
    if place.unit is None:
        run(place.launcher, *place.arguments)
        return
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", "--quiet", UNIT)
    run("systemctl", "restart", UNIT)


def running_pid(run_dir: str) -> int | None:
    """The process id of the xlpyd that has this runtime directory, None if there is none (``listener.lock_dir``)."""
    try:
        with open(f"{run_dir}/xlpyd.lock", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return int(lock.read())
    except (OSError, ValueError):
        pass
    return None


def run(*argv: str) -> str:
    """Run a program of the host; what it printed. Raises MissingProgram, EngineError with what it complained of."""
    import subprocess

    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMMAND_TIMEOUT_S,
            check=True,
        )
    except OSError as error:
        raise MissingProgram(f"{argv[0]} cannot be run on {os.uname().nodename}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise EngineError(
            f"'{' '.join(argv)}' failed on {os.uname().nodename}", detail=error.stderr.strip() or None
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(
            f"'{' '.join(argv)}' on {os.uname().nodename} did not end within {_COMMAND_TIMEOUT_S} s"
        ) from error
    return done.stdout
