"""What domains use, live: ``xlpy top``. Where no person looks on it prints what ``xentop -b`` does (xl_info.c)."""

from __future__ import annotations

import sys
import time

from xlpy.errors import UsageError
from xlpy.render.usage import Moment, usage_kind, usages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.engine.base import Engine

DEFAULT_DELAY_S = 3.0


def top(session: Session, args: Arguments) -> None:
    """Show all domains' use again and again, on the whole terminal or as text."""
    delay_s = _positive(args.value("delay"), "delay") or DEFAULT_DELAY_S
    iterations = int(_positive(args.value("iterations"), "number of iterations") or 0)
    live = session.form == "table" and sys.stdin.isatty() and sys.stdout.isatty() and not args.flag("batch")
    if live:
        _live(session, delay_s, iterations)
    else:
        _batch(session, delay_s, iterations)


def take_moment(host: Engine) -> Moment:
    """Ask the host how things are now."""
    stats = {str(stats.domid): stats for stats in host.domain_stats()}
    return Moment(time_s=time.monotonic(), host=host.host_info(), domains=host.list_domains(), stats=stats)


def _batch(session: Session, delay_s: float, iterations: int) -> None:
    before = None
    number = 0
    while True:
        now = take_moment(session.host)
        session.show(usage_kind(), usages(now, before))
        sys.stdout.flush()
        before = now
        number += 1
        if number == iterations:
            return
        time.sleep(delay_s)


def _live(session: Session, delay_s: float, iterations: int) -> None:
    from rich.console import Console
    from rich.live import Live

    from xlpy.cli.keys import Keys
    from xlpy.render.usage_screen import View, screen

    console = Console()
    view = View()
    before = None
    number = 0
    with Keys(sys.stdin.fileno()) as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            now = take_moment(session.host)
            rows = usages(now, before)
            number += 1
            until = time.monotonic() + delay_s
            while True:
                picture = screen(rows, now, view, time.time(), console.width, console.height)
                live.update(picture, refresh=True)
                key = keys.wait(until - time.monotonic())
                if key in ("q", "Q", "escape"):
                    return
                if key in (None, " "):
                    break
                if key in ("s", "S"):
                    view.next_sort()
                elif key in ("up", "down"):
                    view.scroll(1 if key == "down" else -1, len(rows))
            if number == iterations:
                return
            before = now


def _positive(text: str | None, what: str) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise UsageError(f"invalid {what} {text!r}", "a number above 0")
    return number
