"""What a conversation says once a recording of it was erased (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from infra.functions.fields import Field, Value, convert
from scripts.recordings.find import Shown

#: What tells of the recording itself, with a value of its kind: a field that cannot hold that was never written.
_ABOUT: Mapping[str, Value] = {
    "duration": 1.0,
    "size": 1,
    "recording_started": datetime(2000, 1, 1, tzinfo=UTC),
    "recording_ended": datetime(2000, 1, 1, tzinfo=UTC),
}
PLAIN = "Erased on request"


def words(now: datetime) -> str:
    """For the front desk: Erased on request on 24 November 2026."""
    return f"{PLAIN} on {now.day} {now:%B %Y}"


def cleared(
    shown: Shown, egress_id: str, known: Mapping[str, Field], now: datetime, *, done: bool = False
) -> dict[str, object]:
    """Field name → value, None to empty it; nothing about any other recording of the conversation is touched.

    The egress and room ids stay, or come from the link where their cells are empty: by them no other call's recording
    is ever taken for this conversation's. A table without both fields gets the words in place of the link, which keeps
    that place as well. A conversation that says this egress id, but whose link somebody emptied or replaced by one that
    is not ours, still tells of it: all but the link goes. Not when the erasure is `done`: then it went.
    """
    cells: dict[str, object] = {}
    if any(kept.listed and kept.link.egress_id == egress_id for kept in shown.links):
        left = tuple(kept.url for kept in shown.links if kept.listed and kept.link.egress_id != egress_id)
        cells[known["recordings"].name] = convert(left, known["recordings"]) or None
    own = next((kept for kept in shown.links if not kept.listed and kept.link.egress_id == egress_id), None)
    says = shown.conversation
    bare = not done and says.egress_id == egress_id and says.carries is None
    if own is None and not bare:
        return cells
    cells |= {
        known[role].name: None
        for role, sample in _ABOUT.items()
        if role in known and convert(sample, known[role]) is not None
    }
    said = _said(known.get("status"), now)
    if said is not None:
        cells[known["status"].name] = said
    if own is None:
        return cells
    ids = {"egress_id": shown.conversation.egress_id, "room_id": shown.conversation.room_id}
    for role, value in {"egress_id": egress_id, "room_id": own.link.room_id}.items():
        written = convert(value, known[role]) if role in known and value and not ids[role] else None
        if written is not None:
            cells[known[role].name], ids[role] = written, value
    cells[known["recording_url"].name] = None if any(ids.values()) else words(now)
    return cells


def without_status(cells: Mapping[str, object], known: Mapping[str, Field]) -> dict[str, object]:
    """The same, where Airtable takes no words of ours for the status."""
    status = known.get("status")
    return {name: value for name, value in cells.items() if status is None or name != status.name}


def _said(status: Field | None, now: datetime) -> object:
    """As a single choice the words can hold no date."""
    if status is None:
        return None
    return convert(words(now), status) or convert(PLAIN, status)
