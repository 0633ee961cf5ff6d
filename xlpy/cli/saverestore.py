"""``xl save`` and ``xl restore`` (xl_saverestore.c)."""

from __future__ import annotations

import os
import stat

from xlpy.cli.config_export import text_of
from xlpy.cli.failure import worded_as_xl
from xlpy.cli.usage import too_many
from xlpy.client.save_file import header_bytes
from xlpy.client.xl_save_file import HEADER_BYTES, numbers_in_words
from xlpy.errors import XlError, file_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import SavedDomain


def save(session: Session, args: Arguments) -> int | None:
    """``xl save``: the domain's state goes to a file, and the domain with it, unless it shall stay."""
    from xlpy.client.save import save_to_file

    if len(args.rest) > 3:
        return too_many(session, "save", args.rest[3], 1)
    reference, path, *configs = args.rest
    domid = session.domid(reference)
    config, text = replacement(session, configs[0] if configs else None, domid, keep_domid=args.flag("D"))
    afterwards = "pause" if args.flag("p") else "resume" if args.flag("c") else "destroy"
    if session.plan is not None:
        domain = session.host.domain_info(domid)
        then = {"pause": "leave it paused", "resume": "let it go on", "destroy": "destroy it"}[afterwards]
        session.rehearses(f"save the state of {reference} to {path}, and {then}", domain)
        return None

    def begun(saved: SavedDomain) -> None:
        if session.xl:
            numbers = numbers_in_words(header_bytes(saved))
            session.say(f"Saving to {path}{f' new xl format ({numbers})' if numbers else ''}")

    with worded_as_xl(session, _xl_complaint(path)), session.progress(f"save {reference}") as report:
        result = save_to_file(
            session.host,
            domid,
            path,
            afterwards=afterwards,
            config=config,
            config_text=text,
            write_text=text_of,
            begun=begun,
            progress=report,
        )
        if report is not None:
            report(result)
    session.note(f"{result.transferred_bytes >> 20} MiB of memory and devices are in {path}")
    return None


def restore(session: Session, args: Arguments) -> int | None:
    """``xl restore``: a domain from a file; a config comes before the file and replaces the saved one."""
    from xlpy.cli.started import after_start, tell_start
    from xlpy.client.restore import open_saved, restore_opened

    if len(args.rest) > 2:
        return too_many(session, "restore", args.rest[2], 1)
    *configs, path = args.rest
    if session.xl:
        for line in _look_as_xl(path):
            session.say(line)
    config, text = replacement(session, configs[0] if configs else None)
    if session.xl and config is None:
        session.say("Parsing config from <saved>")
    paused = args.flag("p")
    saved, source = open_saved(path)
    if config is not None:
        saved = saved.replace(config=config, config_text=text)
    with session.progress("restore") as report:
        domid = restore_opened(
            session.host,
            saved,
            source,
            paused=paused or args.flag("c"),
            supervised=not args.flag("e"),
            progress=report,
        )
    tell_start(session, domid, saved.config)
    if args.flag("d"):
        import sys

        from xlpy.cli.create import print_config

        print_config(session, saved.config, sys.stderr)
    after_start(session, args, domid, saved.config, unpause=args.flag("c") and not paused)
    return None


def replacement(
    session: Session, path: str | None, domid: int | None = None, keep_domid: bool = False
) -> tuple[DomainConfig | None, str | None]:
    """The config that goes along instead of the domain's own, and its text if that is another, too.

    It is one from a file, or the domain's own with its domid kept.
    """
    text = None
    if path is not None:
        from xlpy.cli.config_file import read_config, with_absolute_paths

        parsed = read_config(session, path)
        config, text = with_absolute_paths(parsed.config, os.getcwd()), parsed.source
    elif keep_domid and domid is not None:
        config = session.host.domain_config(domid)
    else:
        return None, None
    if keep_domid:
        config = config.replace(c_info=config.c_info.replace(domid=domid))
    return config, text


def _xl_complaint(path: str) -> str:
    """What xl says when a save fails: it tells an unusable path from the rest."""
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(path) or "."):
        return f"Failed to open temp file {path} for writing"
    return "Failed to save domain, resuming domain"


def _look_as_xl(path: str) -> list[str]:
    """What xl says of the file; complain of an unusable one in its words. A pipe, which can be read but once, isn't looked at."""
    from xlpy.client.save_file import read_header

    loading = f"Loading new save file {path}"
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise XlError(f"Can't open restore file: {error.strerror}", file_hint(path, error)) from error
    try:
        if not stat.S_ISREG(os.fstat(source).st_mode):
            return [loading]
        read_header(source, path)
        numbers = numbers_in_words(os.pread(source, HEADER_BYTES, 0))
        return (
            [f"{loading} (new xl fmt {numbers})", " Savefile contains xl domain config in JSON format"]
            if numbers
            else [loading]
        )
    except XlError as error:
        raise XlError(
            "File has wrong magic number - corrupt or for a different tool?", error.hint, detail=str(error)
        ) from error
    finally:
        os.close(source)
