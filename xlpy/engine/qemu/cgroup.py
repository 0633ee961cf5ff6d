"""Weight and cap of domains: each QEMU in a control group of its own, all side by side.

Weights only mean something among siblings, so every domain gets a group when it starts, with a weight in its
configuration or without. Version 2 is used where its cpu controller is there and we may make groups (root; a user in a
subtree that systemd has delegated), else root uses version 1's cpu controller.

Xen's default weight of 256 is the kernel's default in either version; a cap of 50 is half a pcpu in either.
"""

from __future__ import annotations

import os

from xlpy.errors import EngineError, InvalidState, NotSupported
from xlpy.model.domain import SchedParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.runtime_record import RuntimeRecord

DEFAULT_WEIGHT = 256
MOUNT = "/sys/fs/cgroup"
_GROUP = "xlpy.slice"
_PERIOD_US = 100_000
_PCPU_CAP = 100
_WEIGHTS = (1, 65_535)  # libxl's sched_credit2_domain_set


class CgroupV1:
    """The cpu controller as a hierarchy of its own."""

    def __init__(self, parent: str) -> None:
        self.parent = parent

    def weight_setting(self, weight: int) -> tuple[str, str]:
        """1024 shares are the default."""
        return "cpu.shares", str(max(2, weight * 4))

    def cap_settings(self, cap: int) -> list[tuple[str, str]]:
        quota_us = cap * _PERIOD_US // _PCPU_CAP if cap else -1
        return [("cpu.cfs_period_us", str(_PERIOD_US)), ("cpu.cfs_quota_us", str(quota_us))]


class CgroupV2:
    """The unified hierarchy."""

    def __init__(self, parent: str) -> None:
        self.parent = parent

    def weight_setting(self, weight: int) -> tuple[str, str]:
        """100 is the default and 10000 the most, which is a weight of Xen's of 25600: above, all are equal."""
        return "cpu.weight", str(min(10_000, max(1, round(weight * 100 / DEFAULT_WEIGHT))))

    def cap_settings(self, cap: int) -> list[tuple[str, str]]:
        quota = str(cap * _PERIOD_US // _PCPU_CAP) if cap else "max"
        return [("cpu.max", f"{quota} {_PERIOD_US}")]


# -- finding a place for the groups


def find_cgroups(mount: str = MOUNT) -> CgroupV1 | CgroupV2 | None:
    """Where this process may make groups with a cpu controller; None if nowhere. Groups of dead domains are removed."""
    tree = _find_v2(mount) or _find_v1(mount)
    if tree is None or not os.access(tree.parent, os.R_OK | os.W_OK | os.X_OK):
        return None  # there may be one that belongs to somebody else, such as root's
    _remove_stale(tree.parent)
    return tree


def _find_v2(mount: str) -> CgroupV2 | None:
    for ancestor in _v2_candidates(mount):
        if "cpu" not in _words(os.path.join(ancestor, "cgroup.controllers")):
            continue
        parent = os.path.join(ancestor, _GROUP)
        made = not os.path.isdir(parent)
        try:
            os.makedirs(parent, exist_ok=True)
            for directory in (ancestor, parent):
                if "cpu" not in _words(os.path.join(directory, "cgroup.subtree_control")):
                    _write(os.path.join(directory, "cgroup.subtree_control"), "+cpu")
        except OSError:
            if made:
                _remove(parent)
            continue
        return CgroupV2(parent)
    return None


def _v2_candidates(mount: str) -> list[str]:
    """The top for root; then the groups that we are in, the innermost first, for a user with a delegated subtree."""
    candidates = [mount] if os.geteuid() == 0 else []
    own = os.path.dirname(_own_v2_group())
    while own not in ("", "/"):
        candidates.append(mount + own)
        own = os.path.dirname(own)
    return candidates


def _own_v2_group() -> str:
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            return next((line[3:].strip() for line in file if line.startswith("0::")), "")
    except OSError:
        return ""


def _find_v1(mount: str) -> CgroupV1 | None:
    for controller in ("cpu", "cpu,cpuacct"):
        top = os.path.join(mount, controller)
        if os.path.exists(os.path.join(top, "cpu.shares")) or _is_v1_top(top):
            try:
                os.makedirs(os.path.join(top, _GROUP), exist_ok=True)
            except OSError:
                return None
            return CgroupV1(os.path.join(top, _GROUP))
    return None


def _is_v1_top(top: str) -> bool:
    """The top group has no shares of its own, but a file that only version 1 has."""
    return os.path.exists(os.path.join(top, "cgroup.clone_children"))


def _remove_stale(parent: str) -> None:
    """Groups whose QEMU has ended while no xlpyd was there to see it."""
    for name in os.listdir(parent):
        pid = name.rpartition("-")[2]
        if name.startswith("domain-") and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            _remove(os.path.join(parent, name))


def release_cgroups(tree: CgroupV1 | CgroupV2 | None) -> None:
    """Remove the group above the domains' if there is no domain in it."""
    if tree is not None:
        _remove(tree.parent)


# -- one domain


def asks_for_group(domain: QemuDomain) -> bool:
    """Whether the domain shall have a weight or cap of its own."""
    return bool(_asked(_wanted(domain.record)))


def _asked(wanted: SchedParams) -> list[str]:
    """The settings, by their names in a configuration, that differ from what a domain has anyhow."""
    differs = (("cpu_weight", wanted.weight != DEFAULT_WEIGHT), ("cap", wanted.cap != 0))
    return [name for name, different in differs if different]


def enter_group(tree: CgroupV1 | CgroupV2 | None, domain: QemuDomain) -> tuple[str, ...]:
    """Put a new domain's QEMU into its group; notes if weight or cap are asked for and cannot be had."""
    record = domain.record
    wanted = _wanted(record)
    asked = _asked(wanted)
    if tree is None:
        return tuple(f"{name}= has no effect: {_reason()}" for name in asked)
    group = _group_of(tree, domain)
    try:
        os.makedirs(group, exist_ok=True)
        _write(os.path.join(group, "cgroup.procs"), str(domain.process.pid))
        _apply(tree, group, wanted)
    except OSError as error:
        _remove(group)
        return tuple(f"{name}= has no effect: {error.strerror} in {group}" for name in asked)
    return ()


def leave_group(tree: CgroupV1 | CgroupV2 | None, domain: QemuDomain) -> None:
    """Remove the group of a domain whose QEMU has ended."""
    if tree is not None:
        _remove(_group_of(tree, domain))


def sched_params(domain: QemuDomain) -> SchedParams:
    """Weight and cap of a domain."""
    return _wanted(domain.record)


def set_sched_params(
    tree: CgroupV1 | CgroupV2 | None, domain: QemuDomain, weight: int | None = None, cap: int | None = None
) -> None:
    """Change weight or cap (libxl_domain_sched_params_set). Raises InvalidState out of range, NotSupported without groups."""
    domain.require_running("set its scheduling")
    most_cap = domain.record.machine.max_vcpus * _PCPU_CAP
    if weight is not None and not _WEIGHTS[0] <= weight <= _WEIGHTS[1]:
        raise InvalidState(f"a weight is between {_WEIGHTS[0]} and {_WEIGHTS[1]}, not {weight}")
    if cap is not None and not 0 <= cap <= most_cap:
        raise InvalidState(
            f"the domain's cap is between 0 (none) and {most_cap}, not {cap}", "100 is one pcpu"
        )
    group = None if tree is None else _group_of(tree, domain)
    if tree is None or group is None or not os.path.isdir(group):
        raise NotSupported(f"weight and cap need control groups: {_reason()}", _hint())
    with domain.lock:
        before = _wanted(domain.record)
        wanted = before.replace(
            weight=before.weight if weight is None else weight, cap=before.cap if cap is None else cap
        )
        try:
            _apply(tree, group, wanted)
        except OSError as error:
            raise EngineError(f"cannot set weight or cap: {error.strerror}", detail=group) from error
        domain.update(weight=wanted.weight, cap=wanted.cap)


def _wanted(record: RuntimeRecord) -> SchedParams:
    """What was set last, else what the configuration says."""
    configured = record.config.b_info.sched_params
    weight = record.weight if record.weight is not None else configured.weight
    cap = record.cap if record.cap is not None else configured.cap
    return SchedParams(weight=DEFAULT_WEIGHT if weight is None else weight, cap=cap or 0)


def _apply(tree: CgroupV1 | CgroupV2, group: str, wanted: SchedParams) -> None:
    for name, value in (tree.weight_setting(wanted.weight), *tree.cap_settings(wanted.cap)):
        _write(os.path.join(group, name), value)


def _group_of(tree: CgroupV1 | CgroupV2, domain: QemuDomain) -> str:
    # several xlpyd may have a domain of this domid, or of this uuid; the pid is the host's
    return os.path.join(tree.parent, f"domain-{domain.domid}-{domain.process.pid}")


def _reason() -> str:
    if os.geteuid() == 0:
        return "this host has no cpu controller to make groups in"
    return "this user may not make groups with a cpu controller"


def _hint() -> str | None:
    return None if os.geteuid() == 0 else "run xlpyd as root, or as a systemd user service with Delegate=cpu"


def _words(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def _write(path: str, text: str) -> None:
    # one write(2): the kernel takes each as a whole
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _remove(group: str) -> None:
    try:
        os.rmdir(group)
    except OSError:
        pass  # not there, or its last process is still ending; the next start removes it
