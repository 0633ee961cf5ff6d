"""Marking methods as operations, which can be called over the wire."""

from __future__ import annotations

import os

from xlpy.errors import NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    M = TypeVar("M", bound=Callable[..., object])

OPERATIONS: dict[str, Callable[..., object]] = {}

# These only look: doing one twice, or for nobody, does no harm.
LOOKING = frozenset(
    {
        "host_info",
        "cpu_topology",
        "numa_info",
        "console_ring",
        "list_cpupools",
        "list_domains",
        "domain_info",
        "find_domain",
        "domain_config",
        "domain_notes",
        "domain_stats",
        "list_events",
        "wait_events",
        "wait_domain_end",
        "check_outgoing",
        "check_incoming",
        "list_transfers",
        "describe_domain",
        "restored_outcome",
        "list_vcpus",
        "sched_params",
        "list_disks",
        "list_nics",
        "list_pci",
        "list_assignable_pci",
        "list_usb",
        "list_vtpms",
        "list_vkbs",
        "list_vdispls",
        "list_vsnds",
        "list_channels",
        "pool_sched_params",
        "rtds_params",
        "flask_enforcing",
        "xenstore_quotas",
        "psr_hardware",
        "psr_monitoring",
        "psr_sample",
        "psr_values",
        "list_definitions",
        "domain_definition",
        "definition_versions",
        "open_console",
        "open_vnc",
        "vnc_address",
    }
)


def operation(method: M) -> M:
    """Mark a method of Engine as callable over the wire."""
    OPERATIONS[method.__name__] = method
    return method


class Refusing:
    """A group of operations that refuses what isn't overridden; ``name`` is the engine's."""

    name = "none"

    def _refuse(self, what: str, stream: int = -1) -> NotSupported:
        """The error to raise; the descriptor that came for the operation is closed, as the operation would."""
        if stream >= 0:
            os.close(stream)
        return NotSupported(f"the {self.name} engine cannot {what}")
