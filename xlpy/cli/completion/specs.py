"""KEY=VALUE words: the keys of a device spec or of a config file, and the values that are known."""

from __future__ import annotations

from xlpy.cli.completion.candidate import Candidate
from xlpy.cli.completion.files import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FILE = ("file",)
_FLAG = ("0", "1")
_ACTIONS = (
    "destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart", "soft-reset",
)  # fmt: skip

SPECS: dict[str, dict[str, tuple[str, ...] | None]] = {
    "disk_setting": {
        "vdev": (),
        "target": _FILE,
        "format": ("raw", "qcow", "qcow2", "vhd", "qed", "empty"),
        "access": ("r", "w", "ro", "rw"),
        "devtype": ("cdrom", "disk"),
        "backend": (),
        "backendtype": ("phy", "tap", "qdisk", "standalone"),
        "specification": ("xen", "virtio"),
        "script": _FILE,
        **dict.fromkeys(("cdrom", "direct-io-safe", "discard", "no-discard", "trusted", "untrusted")),
    },
    "card_setting": {
        "type": ("vif", "ioemu"),
        **dict.fromkeys(("mac", "bridge", "gatewaydev", "ip", "backend", "vifname", "rate", "devid", "mtu"), ()),
        "script": _FILE,
        "model": ("e1000", "rtl8139", "virtio-net"),
        **dict.fromkeys(("trusted", "untrusted")),
    },
    "vtpm_setting": {"uuid": (), "backend": ()},
    "keyboard_setting": {
        "backend-type": ("qemu", "linux"),
        "backend": (),
        "unique-id": (),
        **dict.fromkeys(
            ("feature-disable-keyboard", "feature-disable-pointer", "feature-abs-pointer", "feature-raw-pointer"),
            _FLAG,
        ),
        "feature-multi-touch": _FLAG,
        **dict.fromkeys(("multi-touch-width", "multi-touch-height", "multi-touch-num-contacts", "width", "height"), ()),
    },
    "display_setting": {"backend": (), "be-alloc": _FLAG, "connectors": ()},
    "controller_setting": {"type": ("pv", "auto", "devicemodel", "qusb"), "version": ("1", "2", "3"), "ports": ()},
    "usb_setting": {"hostbus": (), "hostaddr": (), "controller": (), "port": (), "type": ("hostdev",)},
    "pool_setting": {
        "name": (),
        "sched": ("credit", "credit2", "rtds", "arinc653", "null"),
        "nodes": (),
        "cpus": (),
    },
}  # fmt: skip
"""By kind; a key without values to choose from has none, one that is a word of its own has None."""

_SETTING_VALUES: dict[str, tuple[str, ...]] = {
    **{f"on_{end}": _ACTIONS for end in ("poweroff", "reboot", "crash", "watchdog", "soft_reset")},
    **dict.fromkeys(("kernel", "ramdisk", "bootloader", "device_tree", "bios_path_override"), _FILE),
    "type": ("pv", "pvh", "hvm"),
    "firmware": ("bios", "uefi", "seabios", "rombios", "ovmf"),
    "bios": ("seabios", "rombios", "ovmf"),
    "vga": ("stdvga", "cirrus", "qxl", "none"),
    "tsc_mode": ("default", "always_emulate", "native", "native_paravirt"),
    "passthrough": ("disabled", "enabled", "sync_pt", "share_pt"),
    "altp2m": ("disabled", "mixed", "external", "limited"),
}


def spec_candidates(kind: str, word: str) -> list[Candidate]:
    """Ways to go on with one of the words of a device spec; several keys may stand in it with commas between."""
    front, word = _settled(word, ",")
    keys = SPECS[kind]
    return [candidate.behind(front) for candidate in _of_keys(keys, word, {})]


def setting_candidates(word: str) -> list[Candidate]:
    """Ways to go on with ``KEY=VALUE`` of a config file."""
    from xlpy.config.keys import KEYS

    helps = {row[0]: row[6] for row in KEYS if row[0] and row[1] != "again"}
    keys: dict[str, tuple[str, ...] | None] = {name: _SETTING_VALUES.get(name, ()) for name in helps}
    for name, how, *_ in KEYS:
        if how == "bool" and name not in _SETTING_VALUES:
            keys[name] = _FLAG
    return _of_keys(keys, word, helps)


def _of_keys(
    keys: Mapping[str, tuple[str, ...] | None], word: str, helps: Mapping[str, str]
) -> list[Candidate]:
    key, equals, value = word.partition("=")
    if equals:
        return [candidate.behind(f"{key}=") for candidate in _of_values(keys.get(key) or (), value)]
    return [
        Candidate(name, helps.get(name, "")) if values is None
        else Candidate(f"{name}=", helps.get(name, ""), partial=True)
        for name, values in keys.items()
    ]  # fmt: skip


def _of_values(values: Iterable[str], word: str) -> list[Candidate]:
    return files(word) if values is _FILE else [Candidate(value) for value in values]


def _settled(word: str, separator: str) -> tuple[str, str]:
    front, found, rest = word.rpartition(separator)
    return front + found, rest
