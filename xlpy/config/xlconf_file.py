"""Reading xl.conf: the language of domain configs with settings of its own (xl.conf(5), xl's parse_global_config)."""

from __future__ import annotations

from xlpy.config.cpus import parse_cpu_list
from xlpy.config.diagnostic import SpecError, one_of
from xlpy.config.domain import decode_text
from xlpy.config.settings import Settings
from xlpy.config.source import Source
from xlpy.config.xlconf import XlConf
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.config.diagnostic import Diagnostic

_INT_MAX = (1 << 31) - 1
_AUTOBALLOON = {"on": "on", "1": "on", "off": "off", "0": "off", "auto": "auto"}
_STRINGS = {
    "lockfile": "lockfile",
    "vifscript": "vif_script",
    "vif.default.script": "vif_script",
    "defaultbridge": "vif_bridge",
    "vif.default.bridge": "vif_bridge",
    "vif.default.gatewaydev": "vif_gatewaydev",
    "vif.default.backend": "vif_backend",
    "blkdev_start": "blkdev_start",
    "remus.default.netbufscript": "remus_netbufscript",
    "colo.default.proxyscript": "colo_proxyscript",
}
_OLD_NAMES = {"vifscript": "vif.default.script", "defaultbridge": "vif.default.bridge"}
_BOOLEANS = ("run_hotplug_scripts", "claim_mode", "bootloader_restrict")
_WORDS = {"output_format": ("json", "sxp"), "domid_policy": ("xen", "random")}
_LIMITS = ("max_grant_frames", "max_maptrack_frames", "max_grant_version")
_MASKS = {"vm.cpumask": "vm_cpumask", "vm.hvm.cpumask": "hvm_cpumask", "vm.pv.cpumask": "pv_cpumask"}
KNOWN_NAMES = ("autoballoon", *_STRINGS, *_BOOLEANS, *_WORDS, *_LIMITS, *_MASKS)


class ParsedXlConf(Record):
    """xl.conf as read, with what was to be said about it."""

    conf: XlConf
    diagnostics: tuple[Diagnostic, ...]


def parse_xl_conf(text: str | bytes, source: str = "/etc/xen/xl.conf") -> ParsedXlConf:
    """The settings of an xl.conf; what is not there has xl's default.

    A word that a setting doesn't take is a warning, as in xl. Raises ConfigError for errors of syntax, for a
    grant limit that is no number, and (unlike xl, which goes on with half a mask) for a bad CPU mask.
    """
    if isinstance(text, bytes):
        text = decode_text(text)
    settings = Settings(Source(source, text))
    conf: dict[str, Any] = {}
    _autoballoon(settings, conf)
    for name, field in _STRINGS.items():
        value = settings.string(name)
        if value is not None:
            conf[field] = value
            if name in _OLD_NAMES:
                settings.warn("deprecated", f"{name} is deprecated", name, f"write {_OLD_NAMES[name]} = ...")
    for name in _BOOLEANS:
        flag = settings.boolean(name)
        if flag is not None:
            conf[name] = flag
    for name, words in _WORDS.items():
        _word(settings, conf, name, words)
    for name in _LIMITS:
        _limit(settings, conf, name)
    for name, field in _MASKS.items():
        _mask(settings, conf, name, field)
    settings.warn_unknown(KNOWN_NAMES)
    return ParsedXlConf(conf=XlConf(**conf), diagnostics=tuple(settings.diagnostics))


def _autoballoon(settings: Settings, conf: dict[str, Any]) -> None:
    text = settings.string("autoballoon")
    if text in _AUTOBALLOON:
        conf["autoballoon"] = _AUTOBALLOON[text]
    elif text is not None:
        _warn_word(settings, "autoballoon", text, ("on", "off", "auto"))


def _word(settings: Settings, conf: dict[str, Any], name: str, words: tuple[str, ...]) -> None:
    text = settings.string(name)
    if text in words:
        conf[name] = text
    elif text is not None:
        _warn_word(settings, name, text, words)


def _warn_word(settings: Settings, name: str, text: str, words: tuple[str, ...]) -> None:
    settings.warn(
        "unknown-value", f"{name}: unknown value '{text:.40}' has no effect", name, one_of(words, text)
    )


def _limit(settings: Settings, conf: dict[str, Any], name: str) -> None:
    if name not in settings:
        return
    value = settings.integer(name, quiet=True)
    if value is None or not 0 <= value <= _INT_MAX:
        raise settings.error(f"{name} must be a number from 0 to {_INT_MAX}", name)
    conf[name] = value


def _mask(settings: Settings, conf: dict[str, Any], name: str, field: str) -> None:
    atom = settings.atom(name)
    if atom is None:
        return
    try:
        parse_cpu_list(atom.text, 0)
    except SpecError as error:
        raise settings.spec_error(name, atom, error) from error
    conf[field] = atom.text
