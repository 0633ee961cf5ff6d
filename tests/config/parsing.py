"""Shorthand for tests: a config text to what it comes to."""

from __future__ import annotations

from recorded_host import RECORDED_HOST

from xlpy.config.diagnostic import Diagnostic
from xlpy.config.domain import parse_domain_config
from xlpy.config.xlconf import XlConf
from xlpy.errors import ConfigError
from xlpy.model.domain_config import DomainConfig

PV = 'name="n"\nkernel="/k"\n'
HVM = 'name="n"\ntype="hvm"\n'


def config(text: str, *overrides: str, conf: XlConf | None = None) -> DomainConfig:
    return parse_domain_config(text, "f.cfg", overrides, host=RECORDED_HOST, conf=conf).config


def diagnostics(text: str, *overrides: str) -> list[Diagnostic]:
    return list(parse_domain_config(text, "f.cfg", overrides, host=RECORDED_HOST).diagnostics)


def error(text: str, *overrides: str) -> ConfigError:
    """The error that a text is refused with."""
    try:
        parse_domain_config(text, "f.cfg", overrides, host=RECORDED_HOST)
    except ConfigError as refused:
        return refused
    raise AssertionError("the config was accepted")
