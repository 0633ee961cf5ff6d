"""xl.conf as the commands that heed it see it (parse_global_config in xl.c)."""

from __future__ import annotations

from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.session import Session
    from xlpy.config.xlconf import XlConf
    from xlpy.model.domain import DomainType

PATH = "/etc/xen/xl.conf"


def read_xl_conf(session: Session, ignore_masks: bool = False) -> XlConf | None:
    """The settings of this machine's xl.conf, its warnings said; None where there is none, which most machines have.

    Raises ConfigError for what cannot be parsed, exit status 1, as in xl.
    """
    try:
        with open(PATH, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        session.warn(f"Failed to read config file: {PATH}: {error.strerror}")
        return None
    from xlpy.config.xlconf_file import parse_xl_conf

    parsed = parse_xl_conf(text, PATH)
    for diagnostic in parsed.diagnostics:
        session.note(f"{session.program}: warning: {diagnostic}")
    if ignore_masks:
        return parsed.conf.replace(vm_cpumask=None, hvm_cpumask=None, pv_cpumask=None)
    return parsed.conf


def wants_s_expressions(session: Session) -> bool:
    """Whether xl.conf asks for configurations as s-expressions, and the command line for no other form."""
    conf = read_xl_conf(session) if session.options.output is None else None
    return conf is not None and conf.output_format == "sxp"


def within_masks(
    cpus: tuple[int, ...],
    conf: XlConf | None,
    domain_type: DomainType,
    bits: int,
    nodes: tuple[tuple[int, ...], ...],
) -> tuple[int, ...]:
    """What the masks for this type of domain leave of the pcpus (apply_global_affinity_masks); may be nothing."""
    if conf is None:
        return cpus
    from xlpy.config.cpus import parse_cpu_list
    from xlpy.config.diagnostic import SpecError

    mask_of_type = conf.pv_cpumask if domain_type.value == "pv" else conf.hvm_cpumask
    left = set(cpus)
    for mask in (conf.vm_cpumask, mask_of_type):
        if mask is not None:
            try:
                left &= set(parse_cpu_list(mask, bits, nodes))
            except SpecError as error:
                raise ConfigError(f"cpu mask {mask!r}: {error.message}", error.hint, where=PATH) from error
    return tuple(sorted(left))
