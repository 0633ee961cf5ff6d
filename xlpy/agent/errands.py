"""What the agent can do once for somebody from another machine, by name: each takes the wishes and the packed modules, and
returns a report."""

from __future__ import annotations

from xlpy.agent.install import install
from xlpy.agent.restart import restart
from xlpy.agent.uninstall import uninstall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Errand = Callable[[Mapping[str, object], bytes], dict[str, object]]


ERRANDS: dict[str, Errand] = {"install": install, "restart": restart, "uninstall": uninstall}
