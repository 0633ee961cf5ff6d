"""What must hold for any file at all: a result or a ConfigError, from everything that reads config files."""

from __future__ import annotations

from collections.abc import Callable

from xlpy.config.check import check_text
from xlpy.config.domain import decode_text, parse_domain_config
from xlpy.config.draft import HostFacts
from xlpy.config.layout import formatted
from xlpy.config.libxl_json import domain_json
from xlpy.config.writer import config_text
from xlpy.config.xlconf_file import parse_xl_conf
from xlpy.errors import ConfigError

HOST = HostFacts(nr_cpus=8, max_cpu_id=7, nr_nodes=2, node_of_cpu=(0, 0, 0, 0, 1, 1, 1, 1))


def read_file(path: str) -> bytes:
    raise ConfigError(f"no file {path}")


def try_file(data: bytes) -> str:
    """Read, print, write, check and format the file. What became of it: accepted, refused, or not writable."""
    findings = check_text(data, "f", host=HOST, read_file=read_file)
    has_errors = any(finding.severity == "error" for finding in findings)
    _refusal(lambda: formatted(decode_text(data), "f"))
    _refusal(lambda: parse_xl_conf(data))
    refusal = _refusal(lambda: parse_domain_config(data, "f", host=HOST, read_file=read_file))
    assert has_errors == (refusal is not None), findings
    if refusal is not None:
        assert refusal.where is not None
        return "refused"
    config = parse_domain_config(data, "f", host=HOST).config
    domain_json(config)
    if _refusal(lambda: config_text(config)) is not None:
        return "not writable"
    again = parse_domain_config(config_text(config), "f", host=HOST).config
    made_up = again.b_info if config.b_info.hvm and config.b_info.hvm.ms_vm_genid else config.b_info
    assert again.replace(c_info=config.c_info) == config.replace(b_info=made_up)
    return "accepted"


def _refusal(call: Callable[[], object]) -> ConfigError | None:
    try:
        call()
    except ConfigError as error:
        return error
    return None
