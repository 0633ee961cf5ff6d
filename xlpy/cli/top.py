"""What domains use, live: ``xlpy top``. Where no person looks on it prints what ``xentop -b`` does (xl_info.c)."""

from __future__ import annotations

import os
import sys
import time

from xlpy.cli.numbers import number_of, seconds
from xlpy.render.usage import Moment, usage_kind, usages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.engine.base import Engine
    from xlpy.render.output import Wishes
    from xlpy.render.usage_screen import View

    Draw = Callable[[View, int, int], RenderableType]

DEFAULT_DELAY_S = 3.0


def top(session: Session, args: Arguments) -> int:
    """Show all domains' use again and again, on the whole terminal or as text."""
    pace = Pace(args)
    live = session.form == "table" and not args.flag("batch") and _fills_screens()
    if not live and session.options.output is None:
        session.options.output = "plain"  # screen after screen, of which a terminal would make sheets
    if session.plural or session.options.timeout_s:
        from xlpy.cli.top_many import top_of_many

        return top_of_many(session, pace, live)
    if live:
        _live(session, pace)
    else:
        _batch(session, pace)
    return 0


def _fills_screens() -> bool:
    """Whether there is a terminal with a screen, and keys."""
    terminal = os.environ.get("TERM", "dumb")
    return terminal not in ("dumb", "unknown") and sys.stdin.isatty() and sys.stdout.isatty()


class Pace:
    """How often to look and how many times, as the options say."""

    def __init__(self, args: Arguments) -> None:
        delay = args.value("delay")
        self.delay_s = DEFAULT_DELAY_S if delay is None else seconds(delay, "delay")
        self._iterations = number_of(args, "iterations", "number of iterations", least=1) or 0

    def looks(self) -> Iterator[int]:
        """1, 2, ... as often as was asked, or for ever."""
        number = 1
        while not self._iterations or number <= self._iterations:
            yield number
            number += 1

    def slow_looks(self) -> Iterator[int]:
        """The same, with the delay between them."""
        for number in self.looks():
            if number > 1:
                time.sleep(self.delay_s)
            yield number


def take_moment(host: Engine) -> Moment:
    """Ask the host how things are now."""
    stats = {str(stats.domid): stats for stats in host.domain_stats()}
    return Moment(time_s=time.monotonic(), host=host.host_info(), domains=host.list_domains(), stats=stats)


def watch(pace: Pace, wishes: Wishes, look: Callable[[], tuple[int, Draw]]) -> None:
    """Fill the terminal until the user leaves. ``look`` asks anew: the number of rows, and how to draw them."""
    from rich.console import Console
    from rich.live import Live

    from xlpy.cli.keys import Keys
    from xlpy.render.usage_screen import View

    console = Console()
    view = View(wishes)
    with Keys(sys.stdin.fileno()) as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        for _ in pace.looks():
            row_count, draw = look()
            until = time.monotonic() + pace.delay_s
            while True:
                live.update(draw(view, console.width, console.height), refresh=True)
                key = keys.wait(until - time.monotonic())
                if key in ("q", "Q", "escape"):
                    return
                if key in (None, " "):
                    break
                if key in ("s", "S"):
                    view.next_sort()
                elif key in ("up", "down"):
                    view.scroll(1 if key == "down" else -1, row_count)


def _batch(session: Session, pace: Pace) -> None:
    before = None
    for _ in pace.slow_looks():
        now = take_moment(session.host)
        session.show(usage_kind(), usages(now, before))
        sys.stdout.flush()
        before = now


def _live(session: Session, pace: Pace) -> None:
    from xlpy.render.usage_screen import screen

    before = None

    def look() -> tuple[int, Draw]:
        nonlocal before
        now = take_moment(session.host)
        rows = usages(now, before)
        before = now
        return len(rows), lambda view, width, height: screen(rows, now, view, time.time(), width, height)

    watch(pace, session.wishes, look)
