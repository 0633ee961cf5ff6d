"""The real-time scheduler and Flask: what few hosts have."""

from __future__ import annotations

import ctypes
import os

from xlpy.engine.libxl.resources import LibxlResources
from xlpy.errors import ConfigError
from xlpy.model.sched import RtdsParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_POLICY_LIMIT_BYTES = 64 << 20


class LibxlHypervisor(LibxlResources):
    """Operations on parts of the hypervisor that are off by default."""

    # -- the real-time scheduler

    def rtds_params(self, domid: int, vcpus: tuple[int, ...] | None = None) -> tuple[RtdsParams, ...]:
        """libxl_domain_sched_params_get, or for certain vcpus libxl_vcpu_sched_params_get_all."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            what = f"the scheduling of domain {domid}"
            if vcpus is None:
                with context.new("domain_sched_params") as params:
                    context.do(what, "domain_sched_params_get", domid, params.memory)
                    return (_rtds(params.json(), None),)
            with context.new("vcpu_sched_params") as params:
                context.do(what, "vcpu_sched_params_get_all", domid, params.memory)
                found = params.json().get("vcpus", ())
        rows = (_rtds(each, each.get("vcpuid", 0)) for each in found)
        return tuple(row for row in rows if row.vcpuid in vcpus)

    def set_rtds_params(self, domid: int, params: tuple[RtdsParams, ...]) -> None:
        """libxl_vcpu_sched_params_set; for a row without a vcpu libxl_domain_sched_params_set."""
        what = f"the scheduling of domain {domid} cannot be changed"
        single = [_rtds_wire(row) for row in params if row.vcpuid is not None]
        with self.contexts.borrow() as context:
            self.require(context, domid)
            for row in params:
                if row.vcpuid is None:
                    whole = {"sched": "rtds", **_rtds_wire(row)}
                    with context.new("domain_sched_params", whole) as struct:
                        context.do(what, "domain_sched_params_set", domid, struct.memory)
            if single:
                with context.new("vcpu_sched_params", {"sched": "rtds", "vcpus": single}) as struct:
                    context.do(what, "vcpu_sched_params_set", domid, struct.memory)

    # -- Flask

    def flask_enforcing(self) -> bool | None:
        """libxl_flask_getenforce, which fails where Flask isn't there."""
        with self.contexts.borrow() as context:
            enforcing = context.call("flask_getenforce")
        return None if enforcing < 0 else bool(enforcing)

    def set_flask_enforcing(self, enforcing: bool) -> None:
        """libxl_flask_setenforce."""
        with self.contexts.borrow() as context:
            context.do("the mode of Flask cannot be changed", "flask_setenforce", int(enforcing))

    def load_flask_policy(self, stream: int) -> None:
        """libxl_flask_loadpolicy of all that ``stream`` gives."""
        with os.fdopen(stream, "rb") as source:
            policy = source.read(_POLICY_LIMIT_BYTES + 1)
        if not 0 < len(policy) <= _POLICY_LIMIT_BYTES:
            raise ConfigError(f"a Flask policy has some bytes, and no more than {_POLICY_LIMIT_BYTES}")
        memory = ctypes.create_string_buffer(policy, len(policy))
        with self.contexts.borrow() as context:
            context.do("the Flask policy cannot be loaded", "flask_loadpolicy", memory, len(policy))


def _rtds(facts: dict[str, Any], vcpuid: int | None) -> RtdsParams:
    return RtdsParams(
        vcpuid=vcpuid,
        period_us=facts.get("period", 0),
        budget_us=facts.get("budget", 0),
        extratime=bool(facts.get("extratime", 0)),
    )


def _rtds_wire(row: RtdsParams) -> dict[str, object]:
    wire: dict[str, object] = {
        "period": row.period_us,
        "budget": row.budget_us,
        "extratime": int(row.extratime),
    }
    if row.vcpuid is not None:
        wire["vcpuid"] = row.vcpuid
    return wire
