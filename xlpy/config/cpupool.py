"""Cpupool files (xlcpupool.cfg(5)): the language of domain configs with four settings of its own."""

from __future__ import annotations

from xlpy.config.cnumber import atoi
from xlpy.config.cpus import nodes_of, parse_cpu_list
from xlpy.config.diagnostic import SettingError, SpecError
from xlpy.config.domain import decode_text
from xlpy.config.draft import HostFacts
from xlpy.config.settings import Settings
from xlpy.config.source import Source
from xlpy.errors import ConfigError
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.diagnostic import Diagnostic

KNOWN_NAMES = ("name", "sched", "nodes", "cpus")
SCHEDULERS = ("credit", "credit2", "rtds", "arinc653", "null", "sedf")


class CpupoolConfig(Record):
    """The pool to create. ``sched`` of None is the hypervisor's own; ``cpus`` ascend."""

    name: str
    sched: str | None = None
    cpus: tuple[int, ...] = ()


class ParsedCpupool(Record):
    """A cpupool file as read, with what was to be said about it."""

    pool: CpupoolConfig
    diagnostics: tuple[Diagnostic, ...]


def parse_cpupool(
    text: str | bytes,
    source: str,
    overrides: tuple[str, ...] = (),
    *,
    file_name: str | None,
    free: frozenset[int],
    host: HostFacts,
    others: frozenset[str] = frozenset(),
) -> ParsedCpupool:
    """The pool that a file describes (xl's main_cpupoolcreate).

    ``file_name`` is the pool's name if the text gives none; ``free`` are the pcpus that no pool has, ``others`` the names
    that pools have already. Raises ConfigError, in xl's order of looking.
    """
    if isinstance(text, bytes):
        text = decode_text(text)
    settings = Settings(Source(source, text, overrides))
    name = settings.string("name") or file_name
    if not name:
        raise SettingError("missing", "Missing cpupool name!", 'add name = "..."', where=source)
    if name in others:
        raise ConfigError(f'Pool name "{name}" already exists')
    sched = settings.string("sched")
    if sched is not None and sched.lower() not in SCHEDULERS:
        raise settings.unknown_value("sched", sched, SCHEDULERS)
    cpus = _cpus(settings, free, host)
    settings.warn_unknown(KNOWN_NAMES)
    pool = CpupoolConfig(name=name, sched=None if sched is None else sched.lower(), cpus=cpus)
    return ParsedCpupool(pool=pool, diagnostics=tuple(settings.diagnostics))


def _cpus(settings: Settings, free: frozenset[int], host: HostFacts) -> tuple[int, ...]:
    """The free pcpus of ``nodes``, else those of ``cpus``, which must all be free; none if neither is given."""
    nodes = settings.atoms("nodes")
    if nodes is not None:
        named = {cpu for node in nodes for cpu in host.cpus_of_node(atoi(node.text))}
        if not named & free:
            raise settings.error("no free cpu found", "nodes", "xlpy cpupool-cpu-remove frees them")
        return tuple(sorted(named & free))
    atoms = settings.atoms("cpus", quiet=True)
    if atoms is not None:
        for atom in atoms:
            if atoi(atom.text) not in free:
                raise settings.error(f"cpu {atoi(atom.text)} illegal or not free", atom)
        return tuple(sorted({atoi(atom.text) for atom in atoms}))
    single = settings.atom("cpus")
    if single is None:
        return ()
    try:
        cpus = parse_cpu_list(single.text, host.cpu_bits, nodes_of(host))
    except SpecError as error:
        raise settings.spec_error("cpus", single, error) from error
    for cpu in cpus:
        if cpu not in free:
            raise settings.error(f"cpu {cpu} illegal or not free", single)
    return cpus
