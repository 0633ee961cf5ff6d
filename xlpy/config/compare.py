"""What has to change for a domain to be as a config says, in the words of config files.

Both sides are written as settings first (``writer.settings_of``), so that only what a file can say is compared.
Devices are told apart by what names them: a disk by its vdev, a network card by its number.
"""

from __future__ import annotations

from xlpy.config.effective import defaults_of
from xlpy.config.keys import KEYS
from xlpy.config.literal import literal
from xlpy.config.write_devices import disk_spec, nic_spec
from xlpy.config.writer import settings_of
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.config.literal import Value
    from xlpy.model.domain_config import DiskConfig, DomainConfig, NicConfig

_ON_END = ("on_poweroff", "on_reboot", "on_watchdog", "on_crash", "on_soft_reset")
_BY_SPEC = ("pci", "vtpm", "usbctrl", "usbdev", "vkb", "vdispl")
_ONE_OR_LIST = ("serial", "usbdevice")
_PINNED = ("cpus", "cpus_soft")


class Difference(Record):
    """A setting, or one device of a setting, that differs. ``commands`` bring the domain to ``wanted`` while it runs.

    Each command is a tuple of words, xl's command first and without the domain, which is the second word of all of
    them. Without commands a new start is needed.
    """

    setting: str
    wanted: str | None = None
    present: str | None = None
    commands: tuple[tuple[str, ...], ...] = ()


def compare(wanted: DomainConfig, present: DomainConfig, any_uuid: bool = False) -> tuple[Difference, ...]:
    """The differences in the order of a file; ``any_uuid`` if the wanted config doesn't give one."""
    want, have = _settings(wanted), _settings(present)
    names = [
        name for name in dict.fromkeys(["name", *[row[0] for row in KEYS]]) if name in want or name in have
    ]
    found: list[Difference] = []
    for name in names:
        if name == "disk":
            found += _disks(wanted.disks, present.disks)
        elif name == "vif":
            found += _nics(wanted.nics, present.nics)
        elif name in _BY_SPEC:
            found += _specs(name, want.get(name, ()), have.get(name, ()))
        elif not (name == "uuid" and any_uuid):
            found += _plain(name, want, have)
    return tuple(found)


def _settings(config: DomainConfig) -> dict[str, Value]:
    """The settings with libxl's defaults, so that saying a default is no difference."""
    said = settings_of(config)
    if config.b_info.max_memkb and "memory" in said:
        said.setdefault("maxmem", said["memory"])
    said.update(defaults_of(config, said))
    said.setdefault("maxvcpus", said["vcpus"])
    for name in _ONE_OR_LIST:
        value = said.get(name)
        if isinstance(value, tuple) and len(value) == 1:
            said[name] = value[0]
    return said


def _plain(name: str, want: dict[str, Value], have: dict[str, Value]) -> Iterator[Difference]:
    if want.get(name) != have.get(name):
        yield Difference(
            setting=name,
            wanted=_spelled(want.get(name)),
            present=_spelled(have.get(name)),
            commands=_commands(name, want),
        )


def _spelled(value: Value | None) -> str | None:
    return None if value is None else literal(value)


def _commands(name: str, want: dict[str, Value]) -> tuple[tuple[str, ...], ...]:
    """How to change a setting of a running domain."""
    value = want.get(name)
    if name in _PINNED:
        return _pinning(want)
    if name in _ON_END:
        return (("config-update",),)
    if value is None:
        return ()
    text = str(value)
    if name == "memory":
        return (("mem-set", f"{text}m"),)
    if name == "maxmem":
        return (("mem-max", f"{text}m"),)
    if name == "vcpus":
        return (("vcpu-set", text),)
    if name == "name":
        return (("rename", text),)
    if name in ("cpu_weight", "cap"):
        return (("sched-credit2", "-w" if name == "cpu_weight" else "-c", text),)
    return ()


def _pinning(want: dict[str, Value]) -> tuple[tuple[str, ...], ...]:
    """vcpu-pin for all vcpus at once or one by one; what isn't given is pinned to all pcpus."""
    hard, soft = want.get("cpus", "all"), want.get("cpus_soft", "all")
    if isinstance(hard, str) and isinstance(soft, str):
        return (("vcpu-pin", "all", hard, soft),)
    count = max(len(value) for value in (hard, soft) if isinstance(value, tuple))
    return tuple(
        [("vcpu-pin", str(vcpu), _of_vcpu(hard, vcpu), _of_vcpu(soft, vcpu)) for vcpu in range(count)]
    )


def _of_vcpu(value: Value, vcpu: int) -> str:
    if isinstance(value, tuple):
        return str(value[vcpu]) if vcpu < len(value) else "all"
    return str(value)


def _disks(wanted: tuple[DiskConfig, ...], present: tuple[DiskConfig, ...]) -> Iterator[Difference]:
    want = {disk.vdev: disk for disk in wanted}
    have = {disk.vdev: disk for disk in present}
    for vdev in dict.fromkeys([*want, *have]):
        one, other = want.get(vdev), have.get(vdev)
        specs = [None if disk is None else disk_spec(disk) for disk in (one, other)]
        if specs[0] != specs[1]:
            yield Difference(
                setting="disk", wanted=specs[0], present=specs[1], commands=_disk_commands(one, other)
            )


def _disk_commands(one: DiskConfig | None, other: DiskConfig | None) -> tuple[tuple[str, ...], ...]:
    if one is not None and other is not None and one.is_cdrom and other.is_cdrom:
        if one.pdev_path:
            return (("cd-insert", one.vdev, one.pdev_path),)
        return (("cd-eject", one.vdev),)
    commands = []
    if other is not None:
        commands.append(("block-detach", other.vdev))
    if one is not None:
        commands.append(("block-attach", disk_spec(one)))
    return tuple(commands)


def _nics(wanted: tuple[NicConfig, ...], present: tuple[NicConfig, ...]) -> Iterator[Difference]:
    """Cards by devid. One that may have any MAC address is content with that of the domain's."""
    want = {nic.devid or 0: nic for nic in _numbered(wanted)}
    have = {nic.devid or 0: nic for nic in _numbered(present)}
    for devid in sorted({*want, *have}):
        one, other = want.get(devid), have.get(devid)
        if one is not None and other is not None and one.mac is None:
            one = one.replace(mac=other.mac)
        specs = [None if nic is None else nic_spec(nic, devid) for nic in (one, other)]
        if specs[0] == specs[1]:
            continue
        commands: list[tuple[str, ...]] = [] if other is None else [("network-detach", str(devid))]
        if specs[0] is not None:
            commands.append(("network-attach", *specs[0].split(",")) if specs[0] else ("network-attach",))
        yield Difference(setting="vif", wanted=specs[0], present=specs[1], commands=tuple(commands))


def _numbered(nics: tuple[NicConfig, ...]) -> list[NicConfig]:
    return [nic.replace(devid=number) if nic.devid is None else nic for number, nic in enumerate(nics)]


def _specs(name: str, want: Value, have: Value) -> Iterator[Difference]:
    """Devices that nothing but their whole spec tells apart: each is there or not."""
    assert isinstance(want, tuple)
    assert isinstance(have, tuple)
    for spec in [spec for spec in want if spec not in have]:
        yield Difference(setting=name, wanted=str(spec), commands=((f"{name}-attach", str(spec)),))
    for spec in [spec for spec in have if spec not in want]:
        yield Difference(setting=name, present=str(spec))
