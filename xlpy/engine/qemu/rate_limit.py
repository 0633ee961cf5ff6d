"""``rate=`` of a network card: what the guest may send, as netback's credits limit it under xl.

It is a policer of the kernel's traffic control on what comes out of the tap, set with ``tc`` of iproute2: the packets
that the guest sends above the rate are dropped.
"""

from __future__ import annotations

import os
import shutil

from xlpy.errors import EngineError, MissingProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain_config import NicConfig

DEFAULT_INTERVAL_US = 50_000  # xen-netback's
_LEAST_BURST_BYTES = 65_536  # a packet of a guest with segmentation offload must fit
_SYSTEM_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def limit_rate(ifname: str, nic: NicConfig) -> None:
    """Limit what comes out of a tap to the card's rate.

    Raises MissingProgram without iproute2, EngineError if the kernel has no policer.
    """
    program = shutil.which("tc", path=_SYSTEM_PATH)
    if program is None:
        raise MissingProgram(f"rate= of {ifname} needs the program tc", "install the Debian package iproute2")
    _run(f"{program} qdisc replace dev {ifname} handle ffff: ingress", ifname)
    _run(
        f"{program} filter replace dev {ifname} parent ffff: protocol all prio 1 matchall"
        f" action police rate {bytes_per_s(nic)}bps burst {burst_bytes(nic)} conform-exceed drop",
        ifname,
    )


def bytes_per_s(nic: NicConfig) -> int:
    """The card's rate, at least one byte a second."""
    interval_us = nic.rate_interval_usecs or DEFAULT_INTERVAL_US
    return max(1, nic.rate_bytes_per_interval * 1_000_000 // interval_us)


def burst_bytes(nic: NicConfig) -> int:
    """What may go out at once: one interval's credit, but no less than the largest packet."""
    return max(nic.rate_bytes_per_interval, _LEAST_BURST_BYTES)


def _run(command: str, ifname: str) -> None:
    """Words without blanks in them, and no shell: an interface's name cannot hold a blank."""
    import subprocess

    done = subprocess.run(
        command.split(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    if done.returncode != 0:
        raise EngineError(
            f"cannot limit the rate of {ifname}",
            "the kernel needs the modules sch_ingress, cls_matchall and act_police",
            detail=done.stderr.strip(),
        )


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": _SYSTEM_PATH, "LC_ALL": "C"}
