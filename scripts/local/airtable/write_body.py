"""What a write asks for, read from its JSON body.

Source: https://airtable.com/developers/web/api/create-records, .../update-record, .../update-multiple-records
"""

from __future__ import annotations

from dataclasses import dataclass

from . import errors
from .json_value import Json
from .list_query import truth_of

MOST_RECORDS = 10
MOST_MERGE_FIELDS = 3

_OPTIONS = frozenset({"typecast", "returnFieldsByFieldId"})
_CREATED = 'record objects, each with a "fields" object for cell values'
_UPDATED = 'record objects, each with an "id" ID field and a "fields" object for cell values'


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One record to write: its id when the client named one, and cells by field name or id."""

    id: str | None
    cells: dict[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteBody:
    """A write: one record (`single`) or up to ten; merge_on holds performUpsert's fields, empty without it."""

    records: tuple[Wanted, ...]
    single: bool = False
    typecast: bool = False
    by_id: bool = False
    merge_on: tuple[str, ...] = ()


def create_body(body: dict[str, Json]) -> WriteBody:
    """The body of `POST`: one record's `fields`, or `records`."""
    return _batch(body, _CREATED) if "records" in body else record_body(body)


def record_body(body: dict[str, Json], record_id: str | None = None) -> WriteBody:
    """A body with one record's `fields`."""
    _only(body, {"fields", *_OPTIONS})
    cells = body.get("fields")
    if not isinstance(cells, dict):
        raise errors.missing_fields()
    return WriteBody(
        records=(Wanted(id=record_id, cells=cells),),
        single=True,
        typecast=truth_of(body.get("typecast")),
        by_id=truth_of(body.get("returnFieldsByFieldId")),
    )


def update_body(body: dict[str, Json]) -> WriteBody:
    """The body of a batch `PATCH` or `PUT`: `records`, each with its id unless performUpsert is set."""
    merge_on = _merge_fields(body.get("performUpsert"))
    batch = _batch(body, _UPDATED, merge_on=merge_on)
    ids = [wanted.id for wanted in batch.records if wanted.id is not None]
    if not merge_on and len(ids) < len(batch.records):
        raise errors.invalid_records(_UPDATED)
    if len(set(ids)) < len(ids):
        raise errors.same_record_twice()
    return batch


def _batch(body: dict[str, Json], shape: str, *, merge_on: tuple[str, ...] = ()) -> WriteBody:
    _only(body, {"records", "performUpsert", *_OPTIONS})
    items = body.get("records")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_RECORDS:
        raise errors.invalid_records(shape)
    return WriteBody(
        records=tuple(_wanted(item, shape) for item in items),
        typecast=truth_of(body.get("typecast")),
        by_id=truth_of(body.get("returnFieldsByFieldId")),
        merge_on=merge_on,
    )


def _wanted(item: Json, shape: str) -> Wanted:
    if not isinstance(item, dict) or item.keys() - {"id", "fields"}:
        raise errors.invalid_records(shape)
    record_id, cells = item.get("id"), item.get("fields")
    if not isinstance(cells, dict) or not (record_id is None or isinstance(record_id, str)):
        raise errors.invalid_records(shape)
    return Wanted(id=record_id, cells=cells)


def _merge_fields(upsert: Json) -> tuple[str, ...]:
    if upsert is None:
        return ()
    names = upsert.get("fieldsToMergeOn") if isinstance(upsert, dict) else None
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_MERGE_FIELDS:
        raise errors.invalid_request(f"fieldsToMergeOn takes 1 to {MOST_MERGE_FIELDS} field names.")
    return tuple(str(name) for name in names)


def _only(body: dict[str, Json], known: set[str]) -> None:
    if unknown := body.keys() - known:
        raise errors.invalid_request(f"unknown parameter {sorted(unknown)[0]}.")
