"""Who the domain is and what becomes of it: type, name, uuid, labels, quotas, on_* actions."""

from __future__ import annotations

from xlpy.config.cnumber import strtoul
from xlpy.config.diagnostic import SettingError
from xlpy.config.draft import Draft
from xlpy.model.domain import ActionOnShutdown, DomainType
from xlpy.model.domain_config import XenstoreQuota

_TYPES = ("hvm", "pv", "pvh")
_ACTIONS = {
    "destroy": ActionOnShutdown.DESTROY,
    "restart": ActionOnShutdown.RESTART,
    "rename-restart": ActionOnShutdown.RESTART_RENAME,
    "preserve": ActionOnShutdown.PRESERVE,
    "coredump-destroy": ActionOnShutdown.COREDUMP_DESTROY,
    "coredump-restart": ActionOnShutdown.COREDUMP_RESTART,
    "soft-reset": ActionOnShutdown.SOFT_RESET,
}
_ON = ("on_poweroff", "on_reboot", "on_watchdog", "on_crash", "on_soft_reset")
_HEX = frozenset("0123456789abcdefABCDEF")


def security_labels(draft: Draft) -> None:
    """``seclabel`` alone labels the domain from the start; with ``init_seclabel`` only once it runs."""
    settings, create = draft.settings, draft.sections["c"]
    initial, running = settings.string("init_seclabel"), settings.string("seclabel")
    if initial is not None:
        create["ssid_label"] = initial
    if running is not None:
        if initial is not None:
            draft.sections["b"]["exec_ssid_label"] = running
        else:
            create["ssid_label"] = running


def domain_type(draft: Draft) -> None:
    """``type``, or ``builder`` in old files. xl takes any beginning of the word, hvm before pv before pvh."""
    settings = draft.settings
    found: str | None = None
    text = settings.string("type")
    if text is not None:
        found = next((name for name in _TYPES if name.startswith(text)), None)
        if found is None:
            raise settings.unknown_value("type", text, ("pv", "pvh", "hvm"))
    builder = settings.string("builder")
    if builder is not None:
        built = next((name for name in ("hvm", "generic") if name.startswith(builder)), None)
        if built is None:
            raise settings.unknown_value("builder", builder, ("hvm", "generic"))
        settings.warn("deprecated", "builder is deprecated", "builder", 'write type = "pv" or type = "hvm"')
        built = "pv" if built == "generic" else built
        if found is not None and found != built:
            raise settings.error(
                f'builder="{builder}" contradicts type="{text}"', "builder", "leave builder out"
            )
        found = built
    draft.domain_type = draft.sections["c"]["type"] = DomainType(found or "pv")


def name(draft: Draft) -> None:
    """The name is the one thing that has no default."""
    text = draft.settings.string("name")
    if text is None:
        raise SettingError(
            "missing",
            "the config has no name",
            'add name = "..."',
            where=draft.settings.source.name,
        )
    draft.sections["c"]["name"] = text


def uuid(draft: Draft) -> None:
    """The given UUID, or a random one of version 4."""
    text = draft.settings.string("uuid")
    if text is None:
        draft.sections["c"]["uuid"] = random_uuid()
        return
    parsed = parse_uuid(text)
    if parsed is None:
        raise draft.settings.error(
            f"uuid: '{text:.60}' is no UUID", "uuid", "write it as 01234567-89ab-cdef-0123-456789abcdef"
        )
    draft.sections["c"]["uuid"] = parsed


def parse_uuid(text: str) -> str | None:
    """A UUID in its canonical form, or None (uuid_parse(3): dashes are not optional)."""
    groups = text.split("-")
    if [len(group) for group in groups] != [8, 4, 4, 4, 12]:
        return None
    if not all(character in _HEX for group in groups for character in group):
        return None
    return text.lower()


def random_uuid() -> str:
    """A random UUID of version 4 (RFC 9562)."""
    from os import urandom

    octets = bytearray(urandom(16))
    octets[6] = octets[6] & 0x0F | 0x40
    octets[8] = octets[8] & 0x3F | 0x80
    digits = octets.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def xenstore_quota(draft: Draft) -> None:
    """A list of ``NAME=N``; N is decimal, octal or hexadecimal and fits into 32 bits."""
    settings = draft.settings
    sequence = settings.sequence("xenstore_quota")
    if sequence is None:
        return
    quotas = []
    for item in sequence.items:
        text = getattr(item, "text", None)
        if text is None:
            raise settings.error("xenstore_quota: not a list of strings", item)
        key, equals, number = text.partition("=")
        if not equals:
            raise settings.error(f"xenstore_quota: '{text:.60}' lacks '='", item, "write NAME=N")
        value, end = strtoul(number)
        if not end or end != len(number) or value >> 32:
            raise settings.error(f"xenstore_quota: '{number:.60}' is no 32-bit number", item)
        quotas.append(XenstoreQuota(name=key, val=value))
    draft.sections["b"]["xenstore_quota"] = tuple(quotas)


def actions(draft: Draft) -> None:
    """What to do when the domain ends, one setting for each way it can end."""
    for key in _ON:
        text = draft.settings.string(key)
        if text is None:
            continue
        action = _ACTIONS.get(text)
        if action is None:
            raise draft.settings.unknown_value(key, text, tuple(_ACTIONS))
        draft.sections["config"][key] = action
