"""What xl.conf says for every domain, and the limits of grant tables, which a config may set itself."""

from __future__ import annotations

from xlpy.config.draft import Draft

_INT_MAX = (1 << 31) - 1
_KEYS = ("max_grant_frames", "max_maptrack_frames", "max_grant_version")


def from_xl_conf(draft: Draft) -> None:
    """Settings of xl.conf that no config can change."""
    draft.sections["c"]["run_hotplug_scripts"] = draft.conf.run_hotplug_scripts
    draft.sections["b"]["claim_mode"] = draft.conf.claim_mode
    if draft.conf.blkdev_start is not None:
        draft.sections["b"]["blkdev_start"] = draft.conf.blkdev_start


def grants(draft: Draft) -> None:
    """The three ``max_grant_*`` settings; unlike elsewhere a value that is no number is an error here."""
    for key in _KEYS:
        if key not in draft.settings:
            value = getattr(draft.conf, key)
        else:
            value = draft.settings.integer(key, quiet=True)
            if value is None or not 0 <= value <= _INT_MAX:
                raise draft.settings.error(f"{key} must be a number from 0 to {_INT_MAX}", key)
        if value is not None:
            draft.sections["b"][key] = value
