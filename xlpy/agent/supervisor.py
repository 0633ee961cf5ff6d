"""Supervisor: what stands between the clients and the engine of a host."""

from __future__ import annotations

from xlpy.agent.delegate import Delegate


class Supervisor(Delegate):
    """The engine, and the record of its domains."""
