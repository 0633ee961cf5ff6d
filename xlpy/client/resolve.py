"""From what the user calls hosts to what is known of them."""

from __future__ import annotations

from xlpy.inventory.choose import explicit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.inventory.entry import HostEntry


def resolve(names: Sequence[str]) -> list[HostEntry]:
    """The hosts that these names mean (``inventory.choose``), in their order, each once.

    The inventory is read only if a name needs it, and by the broker. Raises UsageError for a name, ConfigError for the
    inventory, ConnectError when there can be no broker.
    """
    entries = explicit(names)
    if entries is None:
        from xlpy.client.broker import resolve_names

        entries = resolve_names(names)
    return entries
