"""Creating, updating, upserting and deleting records: every record is checked before the first is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from . import errors
from .ids import is_id
from .json_value import Json
from .table import Record, Table, merged
from .write_body import MOST_RECORDS, Wanted, WriteBody


def create(table: Table, body: WriteBody, now: datetime) -> dict[str, Json]:
    """New records, all or none."""
    made = [_created(table, wanted, body, now) for wanted in body.records]
    table.save(made)
    return _answer(table, body, made)


def update(table: Table, body: WriteBody, now: datetime, *, replacing: bool) -> dict[str, Json]:
    """Changed records, all or none; `replacing` empties the cells that are not named (PUT)."""
    changed: list[Record] = []
    created_ids: list[Json] = []
    for wanted in body.records:
        target = _target(table, wanted, body)
        if target is None:
            record = _created(table, wanted, body, now)
            created_ids.append(record.id)
        else:
            new = table.accepted(wanted.cells, typecast=body.typecast)
            record = replace(target, cells=merged({}, new) if replacing else merged(target.cells, new))
        changed.append(record)
    table.save(changed)
    answer = _answer(table, body, changed)
    if body.merge_on:
        updated: list[Json] = [record.id for record in changed if record.id not in created_ids]
        answer.update({"createdRecords": created_ids, "updatedRecords": updated})
    return answer


def delete(table: Table, record_ids: Sequence[str], *, single: bool) -> dict[str, Json]:
    """Removed records, all or none."""
    if not 1 <= len(record_ids) <= MOST_RECORDS:
        raise errors.invalid_records("record IDs")
    if any(record_id not in table.records for record_id in record_ids):
        raise errors.not_found()
    gone: list[Json] = [{"id": record_id, "deleted": True} for record_id in dict.fromkeys(record_ids)]
    for record_id in set(record_ids):
        del table.records[record_id]
    return {"id": record_ids[0], "deleted": True} if single else {"records": gone}


def existing(table: Table, record_id: str) -> Record:
    """The record of that id; 404 without one."""
    if not is_id("rec", record_id) or record_id not in table.records:
        raise errors.not_found()
    return table.records[record_id]


def _created(table: Table, wanted: Wanted, body: WriteBody, now: datetime) -> Record:
    if wanted.id is not None:
        raise errors.invalid_records('record objects, each with a "fields" object for cell values')
    cells = merged({}, table.accepted(wanted.cells, typecast=body.typecast))
    return Record(created=now.replace(microsecond=0), cells=cells)  # Airtable's own creation times have whole seconds


def _target(table: Table, wanted: Wanted, body: WriteBody) -> Record | None:
    """The record to change: by id, or by performUpsert's fields; None where an upsert matches nothing."""
    if wanted.id is None:
        return _match(table, wanted, body)
    if body.single:
        return existing(table, wanted.id)
    if wanted.id not in table.records:
        raise errors.row_does_not_exist(wanted.id)
    return table.records[wanted.id]


def _match(table: Table, wanted: Wanted, body: WriteBody) -> Record | None:
    columns = [table.column(name) for name in body.merge_on]
    cells = table.accepted(wanted.cells, typecast=body.typecast)
    if missing := [column.name for column in columns if column.id not in cells]:
        raise errors.invalid_request(f"every record needs the field {missing[0]} of fieldsToMergeOn.")
    found = [
        record
        for record in table.records.values()
        if all(record.cells.get(column.id) == cells[column.id] for column in columns)
    ]
    if len(found) > 1:
        raise errors.invalid_request(f"{len(found)} records match the fieldsToMergeOn of one record.")
    return found[0] if found else None


def _answer(table: Table, body: WriteBody, records: Sequence[Record]) -> dict[str, Json]:
    shown: list[Json] = [table.show(record, by_id=body.by_id) for record in records]
    if body.single:
        return table.show(records[0], by_id=body.by_id)
    return {"records": shown}
