"""``xlpy config convert``: libvirt's domain XML to a configuration file and back."""

from __future__ import annotations

import os
import sys

from xlpy.cli.config_file import read_config, read_file, variables_of, with_absolute_paths
from xlpy.cli.usage import too_many
from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

_SHOWN = 50


def convert(session: Session, args: Arguments) -> int | None:
    """Print the other form of a file; which one it has is seen from its first character.

    Without ``--lossy`` a file is refused that the other form can't say all of.
    """
    path = args.rest[0]
    if len(args.rest) > 1:
        return too_many(session, "config convert", args.rest[1], 2)
    data = read_file(path)
    if data.lstrip()[:1] == b"<":
        text, lost = _to_config(data, path)
    else:
        text, lost = _to_xml(session, args, path, data)
    if lost:
        _tell(session, lost, path, args.flag("lossy"))
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    return None


def _to_config(data: bytes, path: str) -> tuple[str, list[str]]:
    from xlpy.config.check import LARGE_HOST
    from xlpy.config.domain import parse_domain_config
    from xlpy.config.from_libvirt import from_libvirt
    from xlpy.config.writer import settings_text

    converted = from_libvirt(data, path)
    text = settings_text(converted.settings)
    parsed = parse_domain_config(
        text, f"{path} as a config", host=LARGE_HOST
    )  # raises for what xl would refuse
    lost = [f"line {line}: {what}" for line, what in converted.lost]
    return text, lost + [str(diagnostic) for diagnostic in parsed.diagnostics]


def _to_xml(session: Session, args: Arguments, path: str, data: bytes) -> tuple[str, list[str]]:
    from xlpy.config.to_libvirt import to_libvirt

    parsed = read_config(session, path, variables=variables_of(args), data=data)
    text, lost = to_libvirt(with_absolute_paths(parsed.config, os.getcwd()))  # libvirt wants them so
    return text, list(lost)


def _tell(session: Session, lost: Sequence[str], path: str, lossy: bool) -> None:
    shown = list(lost[:_SHOWN])
    if len(lost) > _SHOWN:
        shown.append(f"and {len(lost) - _SHOWN} more")
    if not lossy:
        raise ConfigError(
            f"{path}: the other form can't say all of this",
            "--lossy goes on without",
            detail="\n".join(["lost:", *shown]),
        )
    for line in shown:
        session.warn(f"{session.program}: lost: {line}")
