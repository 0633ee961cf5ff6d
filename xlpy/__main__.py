"""The console script. Its start-up and its end are every command's, so nothing is done that isn't needed."""

from __future__ import annotations

import gc
import os
import sys

from xlpy import __version__


def main() -> int:
    """Run the command line and return its exit status; called as ``xl``, behave as xl."""
    words = sys.argv[1:]
    program = sys.argv[0].rpartition("/")[2]
    if words == ["--version"] and program != "xl":
        print(f"xlpy {__version__}")
        return 0
    if words[:1] == ["__complete"]:
        from xlpy.cli.completion.answer import complete

        return complete(words[1:], program == "xl")
    from xlpy.cli.main import run

    return run(words, "xl" if program == "xl" else "xlpy")


def run_and_exit() -> None:
    """The whole life of a process: ``main``, and an end without clearing up memory that goes away anyhow.

    Both that and looking for garbage among what was just imported take longer than what most commands do.
    """
    gc.set_threshold(50_000)
    _have_standard_streams()
    if sys.argv[1:] != ["--version"]:
        from xlpy import bundle

        bundle.use()
    status = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads any more
        status = status or 1
    os._exit(status & 0xFF)


def _have_standard_streams() -> None:
    """What the caller has closed leads nowhere, as with xl: the command works, and nothing else gets the number."""
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, fd)
            os.set_inheritable(fd, True)
            if nowhere != fd:
                os.close(nowhere)
            setattr(sys, name, os.fdopen(fd, "w" if fd else "r"))


if __name__ == "__main__":
    run_and_exit()
