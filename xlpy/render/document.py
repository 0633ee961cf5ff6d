"""JSON, YAML and CSV. JSON and YAML say which schema their rows have."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from xlpy.render.kind import Column, Kind, Row
    from xlpy.render.output import Wishes


def show_document(
    kind: Kind, rows: Sequence[Row], chosen: Sequence[Column] | None, wishes: Wishes, out: TextIO
) -> None:
    """Write the rows as ``wishes.form``: json, yaml or csv."""
    mappings = [kind.as_mapping(row, chosen) for row in rows]
    if wishes.form == "csv":
        _write_csv([column.key for column in chosen or kind.columns], mappings, wishes.headers, out)
    else:
        write_value({"schema": kind.schema, "rows": mappings}, wishes.form, out)


def write_value(value: object, form: str, out: TextIO) -> None:
    """Write one JSON-ready value as json or yaml."""
    if form == "json":
        import json

        out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    else:
        import yaml

        out.write(yaml.safe_dump(_plain_lists(value), sort_keys=False, allow_unicode=True))


def _write_csv(keys: list[str], mappings: list[dict[str, object]], headers: bool, out: TextIO) -> None:
    import csv
    import json

    writer = csv.writer(out, lineterminator="\n")
    if headers:
        writer.writerow(keys)
    for mapping in mappings:
        writer.writerow(
            json.dumps(cell) if isinstance(cell, (bool, list, tuple, dict)) else "" if cell is None else cell
            for cell in mapping.values()
        )


def _plain_lists(value: object) -> object:
    """The value with lists for tuples, which yaml's safe dumper doesn't take."""
    if isinstance(value, dict):
        return {key: _plain_lists(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_lists(item) for item in value]
    return value
