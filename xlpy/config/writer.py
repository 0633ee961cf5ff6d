"""A DomainConfig to the config text that describes it: the way back from ``domain.parse_domain_config``.

Plain settings are the table of keys read from right to left; the others have functions in ``write_build`` and
``write_devices``. Whether a text says all that the config holds is not argued but tried: it is read again.
"""

from __future__ import annotations

from xlpy.config.difference import differences
from xlpy.config.domain import parse_domain_config
from xlpy.config.draft import HostFacts
from xlpy.config.keys import KEYS, known_names
from xlpy.config.literal import literal
from xlpy.config.xlconf import XlConf
from xlpy.errors import ConfigError
from xlpy.model.domain_config import DomainConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.literal import Value
    from xlpy.model.record import Record

_FIRST = ("name", "type", "uuid")
_PLAIN = frozenset(("string", "int", "uint32", "param", "mask", "bool", "mib", "strings"))
_KIB_PER_MIB = 1024
_SHOWN_LOSSES = 10
_UNSAID = frozenset(  # what libxl or its caller makes up, and what xl.conf says
    (
        *("c_info.domid", "c_info.run_hotplug_scripts", "b_info.claim_mode", "b_info.blkdev_start"),
        *("b_info.hvm.ms_vm_genid", "c_info.uuid"),
    )
)


def settings_of(config: DomainConfig) -> dict[str, Value]:
    """The settings that describe a config, in the order in which a file should have them."""
    from xlpy.config.write_build import build_settings
    from xlpy.config.write_devices import device_settings

    found: dict[str, Value] = {**_plain_settings(config), **build_settings(config), **device_settings(config)}
    return ordered(found)


def ordered(settings: dict[str, Value]) -> dict[str, Value]:
    """Settings in the order in which a file should have them."""
    return {name: settings[name] for name in dict.fromkeys([*_FIRST, *known_names()]) if name in settings}


def config_text(config: DomainConfig) -> str:
    """A config file that xl reads to this config.

    Raises ConfigError when there is none, naming the fields that xl.cfg has no words for.
    """
    settings = settings_of(config)
    text = settings_text(settings)
    lost = _lost(config, text)
    if lost:
        more = f" and {len(lost) - _SHOWN_LOSSES} more" if len(lost) > _SHOWN_LOSSES else ""
        raise ConfigError(
            "a config file can't say all of this configuration",
            "libxl's JSON can",
            detail=f"lost: {', '.join(lost[:_SHOWN_LOSSES])}{more}",
        )
    return text


def settings_text(settings: dict[str, Value]) -> str:
    """The lines of a config file with these settings."""
    return "".join([f"{name} = {literal(value, len(name) + 3)}\n" for name, value in settings.items()])


def _lost(config: DomainConfig, text: str) -> list[str]:
    """The fields that reading the text again doesn't bring back."""
    try:
        again = parse_domain_config(text, "the written config", host=roomy_host(config), conf=XlConf()).config
    except ConfigError as error:
        return [str(error)]
    paths = [path for path, _, _ in differences(config, again)]
    return [path for path in paths if path not in _UNSAID or (path == "c_info.uuid" and config.c_info.uuid)]


def roomy_host(config: DomainConfig) -> HostFacts:
    """A host on which every pcpu and node that the config names exists."""
    build = config.b_info
    masks = {mask for mask in (*build.vcpu_hard_affinity, *build.vcpu_soft_affinity) if mask}
    cpus = max([mask[-1] + 1 for mask in masks] + [1])
    nodes = max([node.pnode + 1 for node in build.vnuma_nodes] + [1])
    return HostFacts(nr_cpus=max(cpus, build.max_vcpus), max_cpu_id=cpus - 1, nr_nodes=nodes)


def _plain_settings(config: DomainConfig) -> dict[str, Value]:
    sections = _sections(config)
    found: dict[str, Value] = {}
    for name, how, target, types, *_ in KEYS:
        if how not in _PLAIN or (types and types != config.c_info.type):
            continue
        section, _, field = target.partition(".")
        record = sections[section]
        if record is None:
            continue
        value = getattr(record, field)
        if value is None or value == getattr(type(record), field, None):
            continue
        if how == "mib":
            found[name] = value // _KIB_PER_MIB
        elif how == "bool":
            found[name] = int(value)
        else:
            found[name] = value
    if config.b_info.vnuma_nodes or found.get("maxmem") == found.get("memory"):  # follows from the others
        found.pop("maxmem", None)
    return found


def _sections(config: DomainConfig) -> dict[str, Record | None]:
    """The records by the names that the table of keys has for them."""
    build = config.b_info
    return {
        "c": config.c_info,
        "b": build,
        "sched": build.sched_params,
        "arm": build.arch_arm,
        "hvm": build.hvm,
        "pv": build.pv,
        "pvh": build.pvh,
        "spice": build.hvm.spice if build.hvm is not None else None,
    }
