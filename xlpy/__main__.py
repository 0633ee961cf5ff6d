"""The console script. Its start-up is every command's, so nothing is imported before it is needed."""

from __future__ import annotations

import sys

from xlpy import __version__


def main() -> int:
    """Run the command line and return its exit status; called as ``xl``, behave as xl."""
    words = sys.argv[1:]
    program = sys.argv[0].rpartition("/")[2]
    if words == ["--version"] and program != "xl":
        print(f"xlpy {__version__}")
        return 0
    from xlpy.cli.main import run

    return run(words, "xl" if program == "xl" else "xlpy")


if __name__ == "__main__":
    sys.exit(main())
