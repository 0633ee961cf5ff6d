"""list, vm-list, uptime, domid, domname against recordings of xl, byte for byte."""

from __future__ import annotations

import time

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import (
    DATA,
    GCRASH,
    GNEW,
    GNEW_IN_CP,
    GOVER,
    GPV_LATER,
    GPV_LATEST,
    GPVH,
    GSD,
    GUESTS,
    HVM1,
    Recording,
    populate,
)

LATER = (GPV_LATER, GNEW, GOVER, GSD, GCRASH, GPVH)
LISTINGS = {
    "list-dom0": ((), 325.5),
    "list": (GUESTS, 367.9),
    "list-v": (GUESTS, 369.8),
    "list-Z": (GUESTS, 370.1),
    "list-c": (GUESTS, 370.5),
    "list-n": (GUESTS, 370.9),
    "list-vZcn": (GUESTS, 371.2),
    "list-one": (GUESTS, 0),
    "list-two": (GUESTS, 0),
    "list-domid": (GUESTS, 0),
    "list-renamed": (LATER, 0),
    "list-cpupool": (LATER, 0),
    "list-c2": ((GPV_LATEST, GNEW_IN_CP, GOVER, GSD, GCRASH, GPVH), 429.9),
    "list-end": ((GSD, GCRASH, HVM1), 488.3),
    "vm-list": (GUESTS, 0),
    "vm-list-dom0": ((), 0),
    "domid": (GUESTS, 0),
    "domid-dom0": (GUESTS, 0),
    "domname": (GUESTS, 0),
    "domname-0": (GUESTS, 0),
    "e-list": (GUESTS, 0),
    "e-list-id": (GUESTS, 0),
    "e-domid": (GUESTS, 0),
    "e-domname": (GUESTS, 0),
    "e-domname2": (GUESTS, 0),
    "e-uptime": (GUESTS, 0),
    "e-badflag": (GUESTS, 0),
    "e-badlong": (GUESTS, 0),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_as_recorded(name: str, xl: Call, fake: FakeEngine) -> None:
    guests, dom0_time_s = LISTINGS[name]
    populate(fake, *guests, dom0_time_s=dom0_time_s)
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


UPTIMES = {
    "uptime-dom0": {0: 362},
    "uptime": {0: 411, 11: 42, 12: 33, 14: 29, 15: 25, 16: 21, 17: 18},
    "uptime-one": {11: 43},
    "uptime-s": {0: 411, 11: 42, 12: 33, 14: 29, 15: 25, 16: 21, 17: 18},
}


@pytest.mark.parametrize("name", UPTIMES)
def test_uptime_as_recorded(name: str, xl: Call, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.mktime((2026, 11, 20, 8, 16, 45, 0, 0, -1))
    monkeypatch.setattr(time, "time", lambda: now)
    populate(fake, *(GUESTS if len(UPTIMES[name]) > 1 or name == "uptime-one" else ()))
    for domid, up_s in UPTIMES[name].items():
        fake.guests[domid].change(start_time_s=now - up_s)
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_every_recording_of_a_listing_is_held() -> None:
    recorded = {
        path.stem
        for path in DATA.glob("*.cmd")
        if path.read_text().split()[1:2] in (["list"], ["vm-list"], ["uptime"], ["domid"], ["domname"])
    }
    configurations = {"list-l", "list-l-one", "list-l-dom0"}
    assert recorded - configurations == LISTINGS.keys() | UPTIMES.keys()
