"""What an erasure writes into conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from infra.functions.errors import PermanentError
from scripts.erase.cells import cleared, without_status
from scripts.errors import UnfinishedError
from scripts.recordings.conversations import airtable_errors
from scripts.recordings.find import Kept, Shelf

AGAIN = "What is done is done: run the same command again"


def planned(
    shelf: Shelf, egress_id: str, links: Iterable[Kept], named: Iterable[str], now: datetime, *, done: bool
) -> dict[str, dict[str, object]]:
    """Record id → what is written there: where a link stands, where it is named, and what else says the egress id."""
    record_ids = dict.fromkeys((*(kept.record_id for kept in links), *named))
    if not done:
        record_ids |= dict.fromkeys(shown.conversation.record_id for shown in shelf.claiming(egress_id))
    changes: dict[str, dict[str, object]] = {}
    for record_id in record_ids:
        shown = shelf.record(record_id)
        if shown is not None:
            with airtable_errors():
                cells = cleared(shown, egress_id, shelf.table.fields(), now, done=done)
            if cells:
                changes[record_id] = cells
    return changes


def write(shelf: Shelf, changes: Mapping[str, Mapping[str, object]]) -> None:
    """Write them. Raises UnfinishedError for what Airtable refuses."""
    with airtable_errors():
        known = shelf.table.fields()
        for record_id, cells in changes.items():
            errors = shelf.table.update({record_id: cells})
            if isinstance(errors.get(record_id), PermanentError):  # the words, most likely: it takes only its own
                errors = shelf.table.update({record_id: without_status(cells, known)})
            for error in errors.values():
                raise UnfinishedError(
                    f"no version is left, but conversation {record_id} still shows the link: {error.text} "
                    f"({error.reason}). {AGAIN}"
                )
