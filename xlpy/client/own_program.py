"""Running another part of this very xlpy, in a process of its own."""

from __future__ import annotations

import os
import sys

# python -m would look for modules in the working directory first, whoever may have put them there.
_RUN = (
    "import sys, runpy;"
    "sys.path[:] = [sys.argv[1], *filter(None, sys.path)];"
    "module = sys.argv[2]; del sys.argv[1:3];"
    "runpy.run_module(module, run_name='__main__', alter_sys=True)"
)


def own_program(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of this package from where this code is, with the interpreter that runs it."""
    package_parent = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return [sys.executable, "-c", _RUN, package_parent, module, *arguments]
