"""Virtual sound cards of a running domain."""

from __future__ import annotations

from xlpy.model.device_config import VsndConfig
from xlpy.model.record import Record


class StreamInfo(Record):
    """The ring of one stream of a virtual sound card (libxl_streaminfo)."""

    req_evtch: int = -1
    req_rref: int = -1


class VsndInfo(Record):
    """A virtual sound card (libxl_vsndinfo). ``rings`` are those of ``card``'s pcms, stream by stream."""

    devid: int
    card: VsndConfig
    rings: tuple[tuple[StreamInfo, ...], ...] = ()
    backend_domid: int = 0
    frontend_domid: int = 0
    state: int = 4
    backend_path: str = ""
    frontend_path: str = ""
