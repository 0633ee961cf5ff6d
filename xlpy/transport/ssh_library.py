"""paramiko, without the half of its import time that goes into a task runner.

It has that for ``Match exec`` in its own reader of ssh_config, which isn't used here (``transport.ssh_config``).
Everybody else imports paramiko from here, and only once there is a host to log in to.
"""

from __future__ import annotations

import sys

_TASK_RUNNER = "invoke"

_was_there = _TASK_RUNNER in sys.modules
if not _was_there:
    sys.modules[_TASK_RUNNER] = None  # type: ignore[assignment]  # it can't be imported, and paramiko does without
try:
    import paramiko
    from paramiko.agent import AgentSSH
finally:
    if not _was_there:
        del sys.modules[_TASK_RUNNER]

__all__ = ["AgentSSH", "paramiko"]
