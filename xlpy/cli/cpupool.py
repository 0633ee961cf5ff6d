"""cpupool-create (main_cpupoolcreate in xl_cpupool.c)."""

from __future__ import annotations

import errno
import os

from xlpy.cli.config_file import named_config, read_file
from xlpy.cli.failure import worded_as_xl
from xlpy.cli.usage import too_many
from xlpy.config.cpupool import parse_cpupool
from xlpy.config.diagnostic import SettingError
from xlpy.config.draft import HostFacts
from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def cpupool_create(session: Session, args: Arguments) -> int | None:
    """Make the pool that a file describes; with ``-n`` only print it (libxl_cpupool_create)."""
    path, overrides, surplus = named_config(args.rest, args)
    if surplus is not None:
        return too_many(session, "cpupool-create", surplus, 1)
    source = path or "command line"
    pools = session.host.list_cpupools()
    facts = HostFacts.of(session.host.host_info(), session.host.cpu_topology())
    taken = {cpu for pool in pools for cpu in pool.cpus}
    try:
        parsed = parse_cpupool(
            b"" if path is None else _read(path, session.xl),
            source,
            overrides,
            file_name=None if path is None else os.path.basename(path),
            free=frozenset(range(facts.max_cpu_id + 1)) - taken,
            host=facts,
            others=frozenset(pool.name for pool in pools),
        )
    except SettingError as error:
        raise _in_xls_words(error) if session.xl and error.finding != "syntax" else error from error
    for diagnostic in parsed.diagnostics:
        session.say(f"{session.program}: warning: {diagnostic}")
    pool = parsed.pool
    print(f'Using config file "{source}"')
    print(f"cpupool name:   {pool.name}")
    print(f"scheduler:      {pool.sched or pools[0].scheduler}")
    print(f"number of cpus: {len(pool.cpus)}")
    if args.flag("dryrun") or session.options.dry_run:
        return None
    with worded_as_xl(session, "error on creating cpupool"):
        session.host.create_cpupool(pool.name, pool.sched or pools[0].scheduler, tuple(sorted(pool.cpus)))
    return None


def _in_xls_words(error: SettingError) -> ConfigError:
    """xl says what is wrong, and not where."""
    message = "Unknown scheduler" if error.message.startswith("sched:") else error.message
    detail = "\n".join(filter(None, (str(error), error.detail)))
    return ConfigError(message, error.hint, detail=detail, exit_status=error.exit_status)


def _read(path: str, as_xl: bool) -> bytes:
    """The file; xl reads no other than a plain one, and says so in its library's words alone."""
    if as_xl and os.path.exists(path) and not os.path.isfile(path):
        said = f"Failed to read config file: {path}: {os.strerror(errno.ENOTTY)}"
        raise ConfigError(said, detail=f"{path} is not a plain file")
    try:
        return read_file(path)
    except ConfigError as error:
        error.exit_status = 1  # where xl create has another one
        raise
