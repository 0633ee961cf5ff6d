"""Disk specs: ``disk=`` and block-attach (libxlu_disk_l.l, xl-disk-configuration(5)).

A spec is read piece by piece, each piece up to its comma; ``target=`` and an old prefix take more. libxlu's
scanner prefers the longest match of its rules, which comes to the order of tests in ``_Spec.read``.
"""

from __future__ import annotations

from xlpy.config.cnumber import atoi
from xlpy.config.diagnostic import SpecError, command_line_error, one_of
from xlpy.model.domain_config import DiskConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from xlpy.config.draft import Draft

_FORMATS = ("raw", "qcow", "qcow2", "vhd", "qed", "empty")
_BACKENDS = ("phy", "tap", "qdisk", "standalone")
_SPECIFICATIONS = ("xen", "virtio")
_ACCESSES = {"r": 0, "ro": 0, "w": 1, "rw": 1, "": 1}
_FLAGS: dict[str, tuple[str, object]] = {
    "cdrom": ("is_cdrom", 1),
    "devtype=cdrom": ("is_cdrom", 1),
    "devtype=disk": ("is_cdrom", 0),
    "direct-io-safe": ("direct_io_safe", True),
    "discard": ("discard_enable", True),
    "no-discard": ("discard_enable", False),
    "colo": ("colo_enable", True),
    "no-colo": ("colo_enable", False),
    "trusted": ("trusted", True),
    "untrusted": ("trusted", False),
    "grant_usage=1": ("grant_usage", True),
    "grant_usage=0": ("grant_usage", False),
}
_STRINGS = {
    "backend": "backend_domname",
    "vdev": "vdev",
    "script": "script",
    "colo-host": "colo_host",
    "colo-export": "colo_export",
    "active-disk": "active_disk",
    "hidden-disk": "hidden_disk",
}
_NAMES = (
    *_STRINGS,
    *("format", "access", "devtype", "backendtype", "specification", "colo-port", "target", "grant_usage"),
)
_FORMAT_PREFIXES = ("raw", "qcow", "qcow2", "vhd")
_SCRIPT_PREFIXES = ("iscsi", "nbd", "enbd", "drbd")
_EMPTY_PREFIXES = ("tapdisk", "tap", "tap2", "aio", "ioemu", "file", "phy")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_WORD = _LOWER | frozenset("0123456789")


def disks(draft: Draft) -> None:
    """The ``disk`` setting."""
    found = []
    for atom in draft.settings.atoms("disk") or ():
        try:
            found.append(read_disk_spec(atom.text))
        except SpecError as error:
            raise draft.settings.spec_error("disk", atom, error) from error
    if found:
        draft.sections["config"]["disks"] = tuple(found)


def parse_disk_spec(parts: Sequence[str], source: str = "command line") -> DiskConfig:
    """The disk that the arguments of block-attach describe. Raises ConfigError."""
    read: list[str] = []
    try:
        spec = _Spec()
        for part in parts:
            read.append(part)
            spec.read(part)
        return spec.finish()
    except SpecError as error:
        raise command_line_error(error, read[-1] if read else "", source) from error


def read_disk_spec(text: str) -> DiskConfig:
    """The disk that a spec describes. Raises SpecError."""
    spec = _Spec()
    spec.read(text)
    return spec.finish()


class _Spec:
    """The disk read so far; several parts (arguments of block-attach) add to one disk."""

    def __init__(self) -> None:
        self._disk: dict[str, Any] = {"readwrite": 1}
        self._had_prefix = False
        self._access_set = False

    def read(self, text: str) -> None:
        """Read a whole spec."""
        position = 0
        while position < len(text):
            if text[position] in " \t\n":
                position += 1
            else:
                position = self._piece(text, position)

    def finish(self) -> DiskConfig:
        """The disk, once all has been read."""
        disk = self._disk
        disk.setdefault("format", "raw")
        if disk.get("is_cdrom"):
            disk["removable"], disk["readwrite"] = 1, 0
            if not disk.get("pdev_path"):
                disk["format"] = "empty"
        if "vdev" not in disk:
            raise SpecError(
                "no vdev is given", 0, 1, "add the device's name in the guest, such as xvda or vdev=hda"
            )
        if "pdev_path" not in disk and not disk.get("removable"):
            raise SpecError("no target is given", 0, 1, "add target=PATH; only a cdrom may be empty")
        return DiskConfig(**disk)

    def _piece(self, text: str, start: int) -> int:
        """Read one piece; the offset behind it and its comma."""
        if text.startswith("target=", start):
            target = text[start + 7 :].removesuffix(",")
            newline = target.find("\n")
            if newline >= 0:
                target = target[:newline]
            self._save("target", "pdev_path", target, start)
            return len(text) if newline < 0 else start + 7 + newline
        comma = text.find(",", start)
        end = comma if comma >= 0 else len(text)
        piece = text[start:end]
        key, equals, value = piece.partition("=")
        if piece in _FLAGS:
            field, setting = _FLAGS[piece]
            self._disk[field] = setting
        elif equals and self._named(key, value, start):
            pass
        else:
            prefix_end = _old_prefix_end(text, start)
            if prefix_end:
                self._old_prefix(text[start : prefix_end - 1], start)
                return prefix_end
            if equals:
                self._refuse_named(key, piece, start)
            self._positional(piece, start)
        return end + 1

    def _named(self, key: str, value: str, start: int) -> bool:
        """A parameter ``key=value``; whether it is one."""
        at = start + len(key) + 1
        if key in _STRINGS:
            self._save(key, _STRINGS[key], value, at)
        elif key == "format":
            self._choose("format", value or "raw", _FORMATS, at)
        elif key == "access":
            self._access(value, at)
        elif key == "backendtype":
            self._choose("backend", value, _BACKENDS, at, "backendtype")
        elif key == "specification":
            self._choose("specification", value, _SPECIFICATIONS, at)
        elif key == "colo-port":
            port = atoi(value)
            if not port:
                raise SpecError(f"unknown value '{value:.40}' for colo-port", at, len(value))
            self._disk["colo_port"] = port
        elif key == "devtype":
            raise SpecError(
                f"unknown value '{value:.40}' for devtype", at, len(value), one_of(("cdrom", "disk"), value)
            )
        else:
            return False
        return True

    def _refuse_named(self, key: str, piece: str, start: int) -> None:
        if key and key[0] in _LOWER and all(c in _WORD or c == "-" for c in key):
            from xlpy.model.nearest import nearest

            meant = nearest(key, _NAMES)
            raise SpecError(
                f"unknown parameter '{key:.40}'",
                start,
                len(key),
                f"did you mean '{meant}'?" if meant else "a path that holds '=' needs target= before it",
            )
        raise SpecError(
            f"bad disk syntax near '{piece:.60}'",
            start,
            len(piece),
            "a path that holds '=' needs target= before it, at the end of the spec",
        )

    def _old_prefix(self, prefix: str, start: int) -> None:
        """``file:``, ``phy:``, ``tap:aio:`` and the like, from xm's days."""
        if prefix in _FORMAT_PREFIXES:
            self._choose("format", prefix, _FORMATS, start)
        elif prefix in _SCRIPT_PREFIXES:
            self._save("script", "script", f"block-{prefix}", start)
        elif prefix not in _EMPTY_PREFIXES:
            raise SpecError(
                f"unknown deprecated disk prefix '{prefix:.40}:'",
                start,
                len(prefix) + 1,
                "write target=PATH,format=...,vdev=...",
            )
        self._had_prefix = True

    def _positional(self, piece: str, start: int) -> None:
        """Target, format, vdev and access, in this order. After an old prefix there is no format."""
        disk = self._disk
        if "pdev_path" not in disk:
            disk["pdev_path"] = piece
        elif not self._had_prefix and "format" not in disk:
            if not disk["pdev_path"] and self._vdev_and_type(piece, start):
                disk["format"] = "empty"
            else:
                self._choose("format", piece or "raw", _FORMATS, start)
        elif "vdev" not in disk:
            if not self._vdev_and_type(piece, start):
                disk["vdev"] = piece
        elif not self._access_set:
            self._access_set = True
            self._access(piece, start)
        else:
            raise SpecError(
                f"too many positional parameters: '{piece:.40}'",
                start,
                len(piece),
                "the order is TARGET,FORMAT,VDEV,ACCESS",
            )

    def _vdev_and_type(self, piece: str, start: int) -> bool:
        """``VDEV:cdrom`` or ``VDEV:disk``; whether it is one."""
        vdev, colon, kind = piece.rpartition(":")
        if not colon:
            return False
        self._save("vdev", "vdev", vdev, start)
        if kind not in ("cdrom", "disk"):
            at = start + len(vdev) + 1
            raise SpecError(f"unknown type '{kind:.40}'", at, len(kind), one_of(("cdrom", "disk"), kind))
        self._disk["is_cdrom"] = int(kind == "cdrom")
        return True

    def _access(self, value: str, start: int) -> None:
        if value not in _ACCESSES:
            hint = (
                "a disk can't be shared writable" if value == "w!" else one_of(("r", "ro", "w", "rw"), value)
            )
            raise SpecError(f"unknown value '{value:.40}' for access", start, len(value), hint)
        self._disk["readwrite"] = _ACCESSES[value]

    def _choose(
        self, field: str, value: str, known: tuple[str, ...], start: int, name: str | None = None
    ) -> None:
        name = name or field
        if value not in known:
            raise SpecError(
                f"unknown value '{value:.40}' for {name}", start, len(value), one_of(known, value)
            )
        if self._disk.get(field, value) != value:
            raise SpecError(f"{name} is given twice", start, len(value))
        self._disk[field] = value

    def _save(self, name: str, field: str, value: str, start: int) -> None:
        if self._disk.get(field):
            raise SpecError(f"{name} is given twice", start, len(value))
        self._disk[field] = value


def _old_prefix_end(text: str, start: int) -> int:
    """The offset behind ``word:`` where a target may have an old prefix, or 0.

    Of an unknown word it only counts if what follows can't be the rest of a name.
    """
    end = start
    if text[start] in _LOWER:
        while end < len(text) and text[end] in _WORD:
            end += 1
    if end == start or text[end : end + 1] != ":":
        return 0
    if text[start:end] in _FORMAT_PREFIXES + _SCRIPT_PREFIXES + _EMPTY_PREFIXES:
        return end + 1
    follows = text[end + 1 : end + 2]
    return 0 if follows in _WORD else end + 1
