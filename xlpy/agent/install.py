"""Installing the shipped half of xlpy on this host for good, or another version over it.

Every step leaves either the old version or the new one whole: modules go to a directory of their own, and a link is
turned to it. The daemon is restarted last; domains run on.
"""

from __future__ import annotations

import os
import shutil
import sys

from xlpy import __version__
from xlpy.agent import service
from xlpy.agent.find import installed_program
from xlpy.agent.installation import cannot, installation_here, require_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlpy.agent.installation import Installation

_LAUNCHER = """\
#!{python} -IS
# Starts the xlpyd that was installed here by 'xlpy host install'.
import os, sys
sys.path.insert(0, os.path.realpath({current!r}))
from xlpy.agent.xlpyd import main
sys.exit(main())
"""


def install(wishes: Mapping[str, object], code: bytes) -> dict[str, object]:
    """Install these modules and start xlpyd from them. Raises XlError; then what was there before still is."""
    place = installation_here(os.getuid(), os.environ, wishes)
    require_ours(installed_program(), place)
    before = place.version_dir
    version = f"{__version__}-{str(wishes['digest'])[:12]}"
    _place_modules(place, version, code)
    _place_text(place.launcher, _LAUNCHER.format(python=_interpreter(), current=place.current), 0o755)
    if place.unit is not None:
        _place_text(place.unit, service.unit_text(place), 0o644)
    _turn(place, version)
    was_running = service.stop(place)
    _adopt_records(place)
    service.start(place)
    _remove_others(place, version)
    return {
        "version": version,
        "before": before,
        "program": " ".join((place.launcher, *place.arguments)),
        "service": place.unit is not None,
        "was_running": was_running,
    }


def _place_modules(place: Installation, version: str, code: bytes) -> None:
    """Have a directory of this version, complete and compiled."""
    import compileall

    from xlpy.agent.boot import unpacked

    directory = f"{place.modules}/{version}"
    unborn = f"{place.modules}/.{version}.new"
    try:
        _make_dirs(place.modules)
        shutil.rmtree(unborn, ignore_errors=True)
        for name, source in unpacked(code).items():
            path = f"{unborn}/{name.replace('.', '/')}.py"
            _make_dirs(os.path.dirname(path))
            _write(path, source, 0o644)
        compileall.compile_dir(unborn, stripdir=unborn, prependdir=directory, quiet=2)
        _open_to_all(unborn)
        if os.path.isdir(directory):  # the same one again, to be mended perhaps
            os.rename(directory, f"{place.modules}/.{version}.old")
        os.rename(unborn, directory)
    except OSError as error:
        shutil.rmtree(unborn, ignore_errors=True)
        raise cannot("install xlpy in", place.modules, error) from error


def _place_text(path: str, text: str, mode: int) -> None:
    """Have a file with this text, or the one that was there before."""
    unborn = f"{path}.xlpy-new"
    try:
        _make_dirs(os.path.dirname(path))
        _write(unborn, text, mode)
        os.replace(unborn, path)
    except OSError as error:
        raise cannot("write", path, error) from error


def _turn(place: Installation, version: str) -> None:
    """Let the next xlpyd run this version."""
    unborn = f"{place.current}.new"
    try:
        if os.path.lexists(unborn):
            os.unlink(unborn)
        os.symlink(version, unborn)
        os.replace(unborn, place.current)
    except OSError as error:
        raise cannot("turn", place.current, error) from error


def _adopt_records(place: Installation) -> None:
    """Let the installed xlpyd go on where one that was not installed has been: with its records."""
    if not os.path.exists(f"{place.shipped_state_dir}/xlpyd.db") or os.path.exists(
        f"{place.state_dir}/xlpyd.db"
    ):
        return
    move_records(place.shipped_state_dir, place.state_dir)


def move_records(source: str, target: str) -> None:
    """Move xlpyd's records to another place, all or nothing. Raises XlError."""
    unborn = f"{target}.new"
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.rmtree(unborn, ignore_errors=True)
        shutil.copytree(source, unborn, symlinks=True)
        os.chmod(unborn, 0o700)
        os.rename(unborn, target)  # over an empty directory, too
    except (OSError, shutil.Error) as error:
        shutil.rmtree(unborn, ignore_errors=True)
        raise cannot("move xlpyd's records to", target, OSError(0, str(error))) from error
    shutil.rmtree(source, ignore_errors=True)


def _remove_others(place: Installation, version: str) -> None:
    """Remove other versions, which nothing runs from any more."""
    for name in os.listdir(place.modules):
        if name not in (version, "current"):
            shutil.rmtree(f"{place.modules}/{name}", ignore_errors=True)


def _make_dirs(path: str) -> None:
    """Make directories that everybody may read, whatever the umask."""
    if not os.path.isdir(path):
        _make_dirs(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)


def _write(path: str, text: str, mode: int) -> None:
    with open(path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _open_to_all(directory: str) -> None:
    for path, _, files in os.walk(directory):
        os.chmod(path, 0o755)
        for name in files:
            os.chmod(f"{path}/{name}", 0o644)


def _interpreter() -> str:
    """The interpreter for the launcher's first line: the one that runs this."""
    return sys.executable
