"""A table: its columns and its records, changed as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from . import errors, instants
from .cells import accept
from .ids import new_id
from .json_value import Json
from .schema import Choice, Field, FieldType


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record; cells by field id, empty ones absent."""

    created: datetime
    cells: Mapping[str, Json]
    id: str = field(default_factory=lambda: new_id("rec"))


class Table:
    """Columns in order and records in order of creation. Not locked: the store's lock is held around every use."""

    def __init__(self, name: str, columns: Iterable[Field], *, table_id: str | None = None) -> None:
        self.id = table_id or new_id("tbl")
        self.view_id = new_id("viw")
        self.view_name = "Grid view"
        self.name = name
        self.columns = {column.id: column for column in columns}
        self.records: dict[str, Record] = {}

    def column(self, name_or_id: str) -> Field:
        """The column of that name or id; 422 UNKNOWN_FIELD_NAME without one."""
        for column in self.columns.values():
            if name_or_id in (column.name, column.id):
                return column
        raise errors.unknown_field(name_or_id)

    def accepted(self, given: Mapping[str, Json], *, typecast: bool) -> dict[str, Json]:
        """The given cells (by name or id) as stored: by field id, None for emptied ones; 422 when one does not fit."""
        return {
            column.id: accept(column, value, typecast=typecast)
            for column, value in ((self.column(name), value) for name, value in given.items())
        }

    def save(self, changed: Iterable[Record]) -> None:
        """Put new and changed records in, all at once; new select options appear in the schema."""
        for record in changed:
            self.records[record.id] = record
            for column_id, value in record.cells.items():
                self._learn_choice(column_id, value)

    def _learn_choice(self, column_id: str, value: Json) -> None:
        column = self.columns[column_id]
        if column.type is not FieldType.SINGLE_SELECT or not isinstance(value, str):
            return
        if value not in {choice.name for choice in column.choices}:
            self.columns[column_id] = replace(column, choices=(*column.choices, Choice(name=value)))

    def cell(self, record: Record, column: Field) -> Json:
        """One cell as the API shows it; None when empty."""
        if column.type is FieldType.CREATED_TIME:
            return instants.to_text(record.created)
        return record.cells.get(column.id)

    def show(self, record: Record, *, by_id: bool = False, only: Iterable[Field] | None = None) -> dict[str, Json]:
        """The record as the API gives it: empty cells are absent."""
        cells: dict[str, Json] = {}
        for column in self.columns.values() if only is None else only:
            if (value := self.cell(record, column)) is not None:
                cells[column.id if by_id else column.name] = value
        return {"id": record.id, "createdTime": instants.to_text(record.created), "fields": cells}

    def schema(self, *, visible_fields: bool) -> dict[str, Json]:
        """The table as the schema endpoint gives it; the first column is the primary one."""
        view: dict[str, Json] = {"id": self.view_id, "name": self.view_name, "type": "grid"}
        if visible_fields:
            view["visibleFieldIds"] = list(self.columns)
        return {
            "id": self.id,
            "name": self.name,
            "primaryFieldId": next(iter(self.columns)),
            "fields": [column.schema() for column in self.columns.values()],
            "views": [view],
        }


def merged(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Cells after a write: what is new replaces what was, None empties."""
    return {key: value for key, value in {**old, **new}.items() if value is not None}
