"""Listing records: filter, sort, cut into pages.

The first page fixes which records follow; later pages read their current cells, and skip records deleted meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from . import errors, instants
from .formula import Row, compiled
from .formula_values import Value
from .ids import is_id, new_id
from .json_value import Json
from .list_query import ListQuery
from .schema import Field, FieldType
from .table import Record, Table

_KEPT_ITERATORS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class _Remaining:
    table_id: str
    record_ids: tuple[str, ...]


class Listings:
    """Runs listings and remembers the unfinished ones by their offset."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._open: dict[str, _Remaining] = {}

    def expire(self) -> None:
        """Forget every unfinished listing, as a restart of Airtable's servers does."""
        self._open.clear()

    def page(self, table: Table, query: ListQuery) -> dict[str, Json]:
        """One page of records, with an `offset` when more follow."""
        only = None if query.fields is None else [table.column(name) for name in query.fields]
        ids = self._started(table, query) if query.offset is None else self._continued(table, query.offset)
        shown: list[Json] = [
            table.show(table.records[record_id], by_id=query.by_id, only=only)
            for record_id in ids[: query.page_size]
            if record_id in table.records
        ]
        answer: dict[str, Json] = {"records": shown}
        if rest := ids[query.page_size :]:
            answer["offset"] = self._remember(table, rest)
        return answer

    def _started(self, table: Table, query: ListQuery) -> tuple[str, ...]:
        if query.view not in (None, table.view_name, table.view_id):
            raise errors.AirtableRefusal(errors.UNPROCESSABLE, "VIEW_NAME_NOT_FOUND", f"View {query.view} not found")
        found = _filtered(table, query.formula, self._now()) if query.formula else list(table.records.values())
        for name, descending in reversed(query.sort):
            column = table.column(name)
            found.sort(key=lambda record, column=column: _sort_key(table, record, column), reverse=descending)
        return tuple(record.id for record in found[: query.max_records])

    def _continued(self, table: Table, offset: str) -> tuple[str, ...]:
        iterator, _, record_id = offset.partition("/")
        if not is_id("itr", iterator) or not is_id("rec", record_id):
            raise errors.bad_offset(offset)
        remaining = self._open.get(offset)
        if remaining is None or remaining.table_id != table.id:
            raise errors.iterator_gone()
        return remaining.record_ids

    def _remember(self, table: Table, rest: tuple[str, ...]) -> str:
        offset = f"{new_id('itr')}/{rest[0]}"
        self._open[offset] = _Remaining(table_id=table.id, record_ids=rest)
        while len(self._open) > _KEPT_ITERATORS:
            del self._open[next(iter(self._open))]
        return offset


def _filtered(table: Table, formula: str, now: datetime) -> list[Record]:
    known = {name for column in table.columns.values() for name in (column.name, column.id)}
    ready = compiled(formula, known)
    return [record for record in table.records.values() if ready.keeps(row_of(table, record, now))]


def row_of(table: Table, record: Record, now: datetime) -> Row:
    """The record as a formula sees it: dates as dates, an empty cell as blank."""

    def cell(name: str) -> Value:
        return _value(table.column(name), table.cell(record, table.column(name)))

    return Row(cell=cell, record_id=record.id, created=record.created, now=now)


def _value(column: Field, cell: Json) -> Value:
    if isinstance(cell, str) and column.type in (FieldType.DATE_TIME, FieldType.CREATED_TIME):
        return instants.from_text(cell)
    return cell if isinstance(cell, str | int | float) else None


def _sort_key(table: Table, record: Record, column: Field) -> tuple[bool, float, str, str]:
    """Empty cells first; numbers by size, select options by their order, texts without regard to case."""
    cell = table.cell(record, column)
    if column.type is FieldType.SINGLE_SELECT:
        names = [choice.name for choice in column.choices]
        return (cell is not None, float(names.index(cell)) if isinstance(cell, str) else 0.0, "", "")
    if isinstance(cell, int | float):
        return (True, float(cell), "", "")
    text = cell if isinstance(cell, str) else ""
    return (cell is not None, 0.0, text.casefold(), text)
