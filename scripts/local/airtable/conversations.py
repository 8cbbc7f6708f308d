"""The table the guide describes: one record per conversation, plus columns that are none of callrec's business."""

from __future__ import annotations

from .schema import Field, field_of
from .table import Table

CONVERSATIONS = "Conversations"

_COLUMNS = {
    "room_name": ("singleLineText", 0),
    "audio_recording_url": ("url", 0),
    "started_at": ("dateTime", 0),
    "egress_id": ("singleLineText", 0),
    "room_id": ("singleLineText", 0),
    "recording_duration": ("number", 1),
    "recording_size": ("number", 0),
    "recording_started_at": ("dateTime", 0),
    "recording_ended_at": ("dateTime", 0),
    "recording_status": ("singleLineText", 0),
    "audio_recordings": ("multilineText", 0),
    "patient_name": ("singleLineText", 0),
    "transcript": ("multilineText", 0),
    "notes": ("multilineText", 0),
}

#: Columns that stand for the office's own data: a test asserts that nothing ever writes them.
UNRELATED = ("patient_name", "transcript", "notes")


def conversations_table(
    *, name: str = CONVERSATIONS, without: tuple[str, ...] = (), extra: tuple[Field, ...] = ()
) -> Table:
    """A table with the guide's columns, less those named in `without`, plus `extra`; an extra of the same name wins."""
    skipped = {*without, *(column.name for column in extra)}
    columns = [
        field_of(column, kind, precision=precision)
        for column, (kind, precision) in _COLUMNS.items()
        if column not in skipped
    ]
    return Table(name, [*columns, *extra])
