"""Replacing the xlpyd that runs on this host by the one that would be started now; domains run on all the while."""

from __future__ import annotations

import os

from xlpy.agent import service
from xlpy.agent.find import find_xlpyd, usual_places
from xlpy.agent.start import Shipment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def restart(wishes: Mapping[str, object], code: bytes) -> dict[str, object]:
    """End the xlpyd that listens where the wishes or the usual places say, and start the installed or the shipped one.

    Raises XlError; the next command that needs an xlpyd here starts one then.
    """
    wanted = wishes.get("socket")
    places = [wanted] if isinstance(wanted, str) else usual_places(os.getuid(), os.environ)
    running = [place for place in places if service.running_pid(os.path.dirname(place)) is not None]
    if running:
        if not service.restart_unit(service.running_pid(os.path.dirname(running[0]))):
            service.end(os.path.dirname(running[0]))
        if wanted is None and running[0] != places[0]:
            wishes = {**wishes, "socket": running[0]}  # its domains are there
    found = find_xlpyd(wishes, Shipment(str(wishes["digest"]), lambda: code, lambda _: None))
    return {"was_running": bool(running), "installed": found.installed, "socket": found.socket}
