"""What is a text of its own and no table: in JSON, YAML and CSV it is a value beside what it belongs to."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table


def monitor_answer_kind() -> Kind:
    """Rows are (domid, command, answer): ``xl qemu-monitor-command``."""
    return Kind(
        "monitor-answer",
        (
            Column("domid", "ID", lambda row: row[0], right=True),
            Column("command", "Command", lambda row: row[1]),
            Column("answer", "Answer", lambda row: row[2]),
        ),
    )


def definition_text_kind() -> Kind:
    """Rows are (name, version, text): ``xlpy config log NAME VERSION``."""
    return Kind(
        "definition-text",
        (
            Column("name", "Name", lambda row: row[0]),
            Column("version", "Version", lambda row: row[1], right=True),
            Column("text", "Text", lambda row: row[2]),
        ),
    )


def file_kind() -> Kind:
    """Rows are paths: ``xlpy config fmt --check``."""
    return Kind("file", (Column("path", "File", lambda row: row),), plain_table(None, str))


def command_kind() -> Kind:
    """Rows are Command: ``xlpy help``."""
    return Kind(
        "command",
        (
            Column("name", "Command", lambda row: row.name),
            Column("usage", "Usage", lambda row: " ".join(row.usage.split())),
            Column("summary", "Summary", lambda row: row.summary),
            Column(
                "options",
                "Options",
                lambda row: [option.spelled() for option in row.options if not option.hidden],
            ),
            Column("own", "Not xl's", lambda row: row.own),
            Column("modifies", "Changes", lambda row: row.changes),
        ),
    )
