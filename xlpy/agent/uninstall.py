"""Removing an xlpy that was installed on this host from another machine."""

from __future__ import annotations

import os
import shutil

from xlpy.agent import service
from xlpy.agent.find import installed_program
from xlpy.agent.install import move_records
from xlpy.agent.installation import UNIT, cannot, installation_here, require_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlpy.agent.installation import Installation


def uninstall(wishes: Mapping[str, object], code: bytes) -> dict[str, object]:
    """Remove every trace: xlpyd, its service, its modules, its records and what it left running for itself.

    With the wish ``keep_records``, for a host whose domains run on, they move to its runtime directory: there the next
    xlpyd that is shipped here takes them up. Raises XlError.
    """
    place = installation_here(os.getuid(), os.environ, wishes)
    require_ours(installed_program(), place)
    was_there = os.path.lexists(place.modules) or os.path.lexists(place.launcher)
    service.stop(place)
    if wishes.get("keep_records"):
        if os.path.exists(f"{place.state_dir}/xlpyd.db"):
            move_records(place.state_dir, place.shipped_state_dir)
    else:
        _remove(place.state_dir, place.run_dir)
    if place.unit is not None and os.path.exists(place.unit):
        service.run("systemctl", "disable", "--quiet", UNIT)
        _remove(place.unit)
        service.run("systemctl", "daemon-reload")
    _remove(place.launcher, place.modules)
    return {"was_there": was_there, "program": place.launcher, "kept": _kept(place)}


def _kept(place: Installation) -> str | None:
    return place.shipped_state_dir if os.path.isdir(place.shipped_state_dir) else None


def _remove(*paths: str) -> None:
    """Remove files and directories that are there."""
    for path in paths:
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.unlink(path)
        except OSError as error:
            raise cannot("remove", path, error) from error
