"""The host on which xl was recorded, as far as its domains go, and the recordings."""

from __future__ import annotations

from pathlib import Path

from fake_engine import FakeEngine
from sample_configs import tiny

from xlpy.model.domain import ActionOnShutdown, DomainInfo, DomainType, ShutdownReason

DATA = Path(__file__).parent.parent / "data" / "xl"


class Recording:
    """One call of the real xl: its arguments, and what came of it."""

    def __init__(self, name: str) -> None:
        self.out = (DATA / f"{name}.out").read_text()
        self.err = (DATA / f"{name}.err").read_text()
        self.status = int((DATA / f"{name}.rc").read_text())
        command = (DATA / f"{name}.cmd").read_text().strip()
        self.words = command.split()[1:]


def domain(domid: int, name: str, uuid: str, mib: int, vcpus: int, state: str, time_s: float) -> DomainInfo:
    """A domain with this state in xl's letters."""
    reasons = {"-": ShutdownReason.POWEROFF, "c": ShutdownReason.CRASH}
    return DomainInfo(
        domid=domid,
        uuid=uuid,
        name=name,
        domain_type=DomainType.PV,
        running=state[0] == "r",
        blocked=state[1] == "b",
        paused=state[2] == "p",
        shutdown=state[3] == "s",
        shutdown_reason=reasons[state[4]] if state[3] == "s" else None,
        current_memory_kib=mib * 1024 + 4,
        max_memory_kib=mib * 1024 + 4,
        vcpu_online=vcpus,
        vcpu_max_id=vcpus - 1,
        cpu_time_ns=round(time_s * 1e9),
        start_time_s=1_700_000_000.0,
    )


DOMAIN_0 = domain(0, "Domain-0", "00000000-0000-0000-0000-000000000000", 640, 2, "r-----", 0)
GPV = domain(11, "gpv", "11111111-2222-3333-4444-555555555555", 96, 2, "-b----", 9.0)
GPAUSED = domain(12, "gpaused", "5a2ef55e-7e0a-4ffd-9827-88e60ab2ea74", 80, 1, "--p---", 0)
GOVER = domain(14, "gover", "a33f8c70-880c-4f3c-925c-8b79d63e14b2", 80, 1, "--p---", 0)
GSD = domain(15, "gsd", "4cff3349-1840-48da-a803-ad275e6bd568", 96, 1, "---s--", 5.8)
GCRASH = domain(16, "gcrash", "db88353b-3890-48ee-b832-0e812b4ebea7", 96, 1, "---sc-", 5.4)
GPVH = domain(17, "gpvh", "7805d5b7-350d-4893-9b81-4579781c17f4", 96, 1, "--p---", 9.7)
GUESTS = (GPV, GPAUSED, GOVER, GSD, GCRASH, GPVH)

# what changed in the course of the recording
GPV_LATER = GPV.replace(current_memory_kib=90 << 10, vcpu_online=1, cpu_time_ns=9_300_000_000)
GPV_LATEST = GPV_LATER.replace(cpu_time_ns=9_800_000_000)
GNEW = GPAUSED.replace(name="gnew")
GNEW_IN_CP = GNEW.replace(cpupool=1, cpupool_name="cp")
HVM1 = domain(23, "hvm1", "c6dd8a6e-9a7c-4f1e-8a43-2b2f0b7f1c11", 159, 1, "--p---", 0)


def domain_0(time_s: float) -> DomainInfo:
    """Domain-0 after so much CPU time."""
    return DOMAIN_0.replace(cpu_time_ns=round(time_s * 1e9))


PRESERVE = dict.fromkeys(("on_poweroff", "on_reboot", "on_crash"), ActionOnShutdown.PRESERVE)


def populate(fake: FakeEngine, *guests: DomainInfo, dom0_time_s: float = 0) -> None:
    """Let the fake host have Domain-0 and these guests, and no others."""
    fake.guests.clear()
    fake.add(domain_0(dom0_time_s))
    for info in guests:
        fake.add(info, tiny(info.name or "", info.uuid, info.max_memory_kib, **PRESERVE))
