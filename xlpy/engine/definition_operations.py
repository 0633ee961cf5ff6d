"""The operations of Engine on managed domains; xlpyd has them, whatever its engine is."""

from __future__ import annotations

from xlpy.engine.operation import Refusing, operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.definition import DefinedDomain, Definition, DefinitionVersion
    from xlpy.model.domain_config import DomainConfig


class DefinitionOperations(Refusing):
    """Domains that are remembered with their configuration. Their names are unique; DomainNotFound for an unknown one."""

    @operation
    def list_definitions(self) -> tuple[DefinedDomain, ...]:
        """All managed domains, in order of name."""
        raise self._refuse("remember domains")

    @operation
    def domain_definition(self, name: str, version: int | None = None) -> Definition:
        """A managed domain's configuration, the newest or an older one. Raises InvalidState for an unknown version."""
        raise self._refuse("remember domains")

    @operation
    def definition_versions(self, name: str) -> tuple[DefinitionVersion, ...]:
        """The configurations that a managed domain has had, oldest first, as far as they are kept."""
        raise self._refuse("remember domains")

    @operation
    def define_domain(
        self,
        config: DomainConfig,
        config_text: str | None = None,
        directory: str | None = None,
        base_version: int | None = None,
    ) -> DefinedDomain:
        """Remember a domain, or give it a new configuration; nothing is started.

        What the configuration leaves open and must not change from start to start, uuid and MAC addresses, is made up
        now. ``base_version`` is what the new one was made from: InvalidState when it isn't the newest any more.
        Raises DomainExists when another managed domain has the uuid.
        """
        raise self._refuse("remember domains")

    @operation
    def undefine_domain(self, name: str) -> None:
        """Forget a managed domain and all versions of its configuration; if it runs, it runs on."""
        raise self._refuse("remember domains")

    @operation
    def set_autostart(self, name: str, order: int | None, delay_s: float = 0.0) -> None:
        """Start a managed domain when the host has started: lower orders first, ``delay_s`` later than the one before.

        An order of None ends that.
        """
        raise self._refuse("remember domains")
