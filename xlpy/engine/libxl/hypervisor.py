"""The real-time scheduler, Flask, xenstore's quotas, device tree overlays: what few hosts have."""

from __future__ import annotations

import ctypes
import os

from xlpy.engine.libxl.resources import LibxlResources
from xlpy.errors import ConfigError, UsageError
from xlpy.model.sched import RtdsParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from xlpy.engine.libxl.context import Context

_LIMIT_BYTES = 64 << 20
# What libxl_dt_overlay is asked for, and libxl_dt_overlay_domain
_OVERLAY_ACTIONS = {"add": 1, "remove": 2}
_OVERLAY_ATTACH = 1


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
            policy = _read_all(source, "Flask policy")
        with self.contexts.borrow() as context:
            context.do("the Flask policy cannot be loaded", "flask_loadpolicy", policy, len(policy))

    # -- xenstore's quotas

    def xenstore_quotas(self, domid: int | None = None) -> dict[str, int]:
        """libxl_xs_quota_domain_get, libxl_xs_quota_global_get; nothing from a xenstored without quotas of its own."""
        with self.contexts.borrow() as context:
            whose, domids = self._quota_owner(context, domid)
            context.library.function(f"xs_quota_{whose}_get")  # the structure came with it
            with context.new("xs_quota_list") as quotas:
                what = "xenstore's quotas cannot be read"
                context.do(what, f"xs_quota_{whose}_get", *domids, quotas.memory)
                found = quotas.json().get("quota", ())
        return {quota["name"]: quota.get("val", 0) for quota in found}

    def set_xenstore_quotas(self, quotas: dict[str, int], domid: int | None = None) -> None:
        """libxl_xs_quota_domain_set, libxl_xs_quota_global_set."""
        value = {"quota": [{"name": name, "val": quota} for name, quota in quotas.items()]}
        with self.contexts.borrow() as context:
            whose, domids = self._quota_owner(context, domid)
            context.library.function(f"xs_quota_{whose}_set")
            with context.new("xs_quota_list", value) as wanted:
                what = "xenstore's quotas cannot be set"
                context.do(what, f"xs_quota_{whose}_set", *domids, wanted.memory)

    def _quota_owner(self, context: Context, domid: int | None) -> tuple[str, tuple[int, ...]]:
        if domid is None:
            return "global", ()
        self.require(context, domid)
        return "domain", (domid,)

    # -- the device tree

    def apply_dt_overlay(self, action: str, stream: int, domid: int | None = None) -> None:
        """libxl_dt_overlay, or to attach it to a domain libxl_dt_overlay_domain; on ARM alone."""
        what = "the device tree overlay cannot be applied"
        with os.fdopen(stream, "rb") as source, self.contexts.borrow() as context:
            if domid is not None:
                self.require(context, domid)
                name, number = "dt_overlay_domain", _OVERLAY_ATTACH
                domids: tuple[int, ...] = (domid,)
            elif action in _OVERLAY_ACTIONS:
                name, number, domids = "dt_overlay", _OVERLAY_ACTIONS[action], ()
            else:
                raise UsageError(f"nothing like {action!r} is done with a device tree overlay")
            overlay = _read_all(source, "device tree overlay")
            context.do(what, name, *domids, overlay, len(overlay), number)


def _read_all(source: BinaryIO, what: str) -> Any:
    """All that ``source`` gives, in memory for libxl. Raises ConfigError for nothing, and for too much."""
    data = source.read(_LIMIT_BYTES + 1)
    if not 0 < len(data) <= _LIMIT_BYTES:
        raise ConfigError(f"a {what} has some bytes, and no more than {_LIMIT_BYTES}")
    return ctypes.create_string_buffer(data, len(data))


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
