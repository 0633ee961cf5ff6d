"""The wire form of model values. It lives beside the model, since engines keep their records in it as well."""

from __future__ import annotations

from xlpy.model.codec import decoder, from_wire, record_from_wire, to_wire

__all__ = ["decoder", "from_wire", "record_from_wire", "to_wire"]
