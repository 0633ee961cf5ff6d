"""Whether machine-readable output fits the schema that it names."""

from __future__ import annotations

import json

from xlpy.cli.schema import every_kind
from xlpy.render.schema import schema_of

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_FREE = ("xlpy/host-field/1", "xlpy/domain-config/1", "xlpy/nothing/1")  # their rows have no fixed columns
_schemas: dict[str, dict[str, object]] = {}


def misfits(output: str) -> list[str]:
    """What in this output of ``-o json`` isn't as its schema says; nothing for output that has no schema."""
    try:
        document = json.loads(output)
    except ValueError:
        return []
    if not isinstance(document, dict) or not isinstance(document.get("rows"), list):
        return []
    schema = document.get("schema")
    if schema in _FREE:
        return []
    if not _schemas:
        _schemas.update({kind.schema: schema_of(kind) for kind in every_kind()})
    if schema not in _schemas:
        return [f"there is no schema {schema}"]
    properties = _schemas[schema]["properties"]["rows"]["items"]["properties"]  # type: ignore[index]
    return [
        f"{schema}: {key} is {value!r}"
        for row in document["rows"]
        for key, value in row.items()
        if not _fits(value, properties.get(key), of_host=key in ("host", "hostname"))
    ]


def _fits(value: object, wanted: dict[str, object] | None, of_host: bool) -> bool:
    if wanted is None:
        return of_host
    if "type" not in wanted:
        return True
    types = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
    if isinstance(value, bool):
        return "boolean" in types
    return any(isinstance(value, _TYPES[name]) for name in types)
