"""From the config file a user names to the DomainConfig a host is asked for."""

from __future__ import annotations

import os
import sys

from xlpy.cli.xl_conf import read_xl_conf
from xlpy.config.diagnostic import SettingError
from xlpy.config.domain import parse_domain_config
from xlpy.errors import ConfigError, file_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.config.domain import ParsedConfig
    from xlpy.config.draft import HostFacts
    from xlpy.model.domain_config import DiskConfig, DomainConfig
    from xlpy.model.record import Record

    R = TypeVar("R", bound=Record)

NO_FILE_STATUS = 6  # xl create without a file
UNREADABLE_STATUS = 3  # xl create with one that can't be read


def named_config(words: Sequence[str], args: Arguments) -> tuple[str | None, tuple[str, ...], str | None]:
    """The file and the overrides that a command line names, and the first word too many (main_create).

    What holds a ``=`` is an override; of the others one may be the file.
    """
    path = args.value("defconfig") if args.knows("defconfig") else None
    overrides = []
    for word in words:
        if "=" in word:
            overrides.append(word)
        elif path is None:
            path = word
        else:
            return path, tuple(overrides), word
    return path, tuple(overrides), None


def read_config(
    session: Session,
    path: str | None,
    overrides: tuple[str, ...] = (),
    quiet: bool = False,
    ignore_masks: bool = False,
    variables: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> ParsedConfig:
    """Read and parse a config file; ``-`` is standard input. Warnings go to stderr, unless ``quiet``.

    xl.conf has its say; ``ignore_masks`` leaves its CPU masks out of account. ``variables`` are an extended file's.
    ``data`` is what the file holds, if it has been read already.

    Raises ConfigError with xl's exit status.
    """
    if path is None:
        raise ConfigError(
            "Config file not specified and none in save file",
            "name a file, or /dev/null to have KEY=VALUE arguments alone",
            exit_status=NO_FILE_STATUS,
        )
    if data is None:
        data = read_file(path)
    if not quiet and (session.xl or session.options.verbose):
        session.say(f"Parsing config from {path}")
    conf = read_xl_conf(session, ignore_masks)
    try:
        parsed = parse_domain_config(
            data,
            path,
            overrides,
            host=lambda: _host_facts(session),
            conf=conf,
            variables=variables,
            read_file=read_file,
        )
    except SettingError as error:
        raise _as_xl_ends(session, error) from error
    if not quiet:
        for diagnostic in parsed.diagnostics:
            session.say(f"{session.program}: warning: {diagnostic}")
            if diagnostic.hint and not session.xl:
                session.say(f"  ({diagnostic.hint})")
    return parsed


# How xl says it (xl_parse.c), where it says it in one line.
_XL_WORDS = (
    (r"the config has no name", r"Domain name must be specified."),
    (r"neither kernel nor bootloader is given", r"Neither kernel nor bootloader specified"),
    (r"builder=.* contradicts type=.*", r'Contradicting "builder" and "type" options specified.'),
    (r"type: unknown value '(.*)'", r"Invalid domain type \1."),
    (r"(on_\w+): unknown value '(.*)'", r'Unknown \1 action "\2" specified'),
)


def _as_xl_ends(session: Session, error: SettingError) -> ConfigError:
    """The error; called as xl it ends with the words that xl has for all errors of its kind, as scripts know them."""
    if session.xl and error.finding == "syntax":
        session.warn("\n  ".join([str(error), *(error.detail or "").splitlines()]))
        return ConfigError("Failed to parse config: Invalid argument", exit_status=error.exit_status)
    if session.xl:
        import re

        for pattern, words in _XL_WORDS:
            found = re.fullmatch(pattern, error.message)
            if found:
                detail = "\n".join(filter(None, (str(error), error.detail)))
                return ConfigError(found.expand(words), detail=detail, exit_status=error.exit_status)
    return error


def variables_of(args: Arguments) -> dict[str, str]:
    """What ``--set`` gives. Raises ConfigError."""
    words = args.values("set")
    if not words:
        return {}
    from xlpy.config.extended import parse_variables

    return parse_variables(words)


def refuse_what_has_no_effect(parsed: ParsedConfig) -> None:
    """For ``--strict``: raises ConfigError for the first warning about something that has no effect."""
    from xlpy.config.check import TOLERATED

    for diagnostic in parsed.diagnostics:
        if diagnostic.code not in TOLERATED:
            raise ConfigError(
                diagnostic.message, diagnostic.hint, detail=diagnostic.detail, where=diagnostic.where
            )


def read_file(path: str) -> bytes:
    """The bytes of a config file. Raises ConfigError in xl's words."""
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(
            f"Failed to read config file: {path}: {error.strerror}",
            file_hint(path, error),
            exit_status=UNREADABLE_STATUS,
        ) from error


def _host_facts(session: Session) -> HostFacts:
    from xlpy.config.draft import HostFacts

    return HostFacts.of(session.host.host_info(), session.host.cpu_topology())


def with_absolute_paths(config: DomainConfig, directory: str) -> DomainConfig:
    """The config with the files it names found from anywhere; ``directory`` is where the user stands.

    A disk's relative path may also be one below /dev, as in ``phy:vg0/root``.
    """
    build = _with_absolute_files(config.b_info, ("kernel", "ramdisk"), directory)
    if build.hvm is not None:
        names = ("system_firmware", "smbios_firmware", "acpi_firmware")
        build = build.replace(hvm=_with_absolute_files(build.hvm, names, directory))
    disks = tuple(disk_with_absolute_path(disk, directory) for disk in config.disks)
    return config.replace(b_info=build, disks=disks)


def _with_absolute_files(record: R, names: Sequence[str], directory: str) -> R:
    """The record with these fields, where they are set, made absolute paths."""
    paths = {name: path for name in names if (path := getattr(record, name))}
    return record.replace(**{name: os.path.join(directory, path) for name, path in paths.items()})


def disk_with_absolute_path(disk: DiskConfig, directory: str) -> DiskConfig:
    """The disk with its file or device found from anywhere; what a script makes sense of is left alone."""
    path = disk.pdev_path
    if not path or os.path.isabs(path) or disk.script:
        return disk
    here = os.path.join(directory, path)
    device = os.path.join("/dev", path)
    if not os.path.exists(here) and os.path.exists(device):
        return disk.replace(pdev_path=device)
    return disk.replace(pdev_path=here)
