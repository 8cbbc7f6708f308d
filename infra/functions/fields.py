"""The fields of the Airtable table: which are there, and how a value is written into each type (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from . import protojson
from .protojson import Object

Value: TypeAlias = "str | int | float | datetime | tuple[str, ...]"

#: Types that hold a list of texts, one a line.
LINES_TYPES = frozenset({"multilineText", "richText"})
TEXT_TYPES = LINES_TYPES | {"singleLineText"}
#: Types whose value is a moment, also those Airtable fills in itself.
MOMENT_TYPES = frozenset({"dateTime", "createdTime"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as the schema endpoint describes it. `precision`: digits after the point of a number."""

    name: str
    type: str
    choices: frozenset[str] = frozenset()
    precision: int = 0

    @classmethod
    def from_schema(cls, schema: Object) -> Field:
        """Read one entry of a table's `fields`; options that are not there read as empty."""
        options = protojson.child(schema, "options")
        return cls(
            name=protojson.text(schema, "name") or "",
            type=protojson.text(schema, "type") or "",
            choices=frozenset(filter(None, (protojson.text(item, "name") for item in _items(options, "choices")))),
            precision=int(protojson.number(options, "precision") or 0),
        )


def _items(source: Object, name: str) -> list[Object]:
    return protojson.children(source, name)


def table_fields(schema: Object, table: str, roles: Mapping[str, str]) -> dict[str, Field] | None:
    """Role → field, for the roles whose field the table (by id or name) has; None when there is no such table."""
    for entry in _items(schema, "tables"):
        if table in (entry.get("id"), entry.get("name")):
            present = {field.name: field for field in map(Field.from_schema, _items(entry, "fields"))}
            return {role: present[name] for role, name in roles.items() if name in present}
    return None


def convert(value: Value, field: Field) -> str | int | float | None:
    """`value` as this field's type takes it; None when the field cannot hold it (it is then left alone)."""
    if isinstance(value, datetime):
        return _moment(value, field)
    if isinstance(value, tuple):
        return "\n".join(value) if field.type in LINES_TYPES else None
    return _text(value, field) if isinstance(value, str) else _number(value, field)


def _text(value: str, field: Field) -> str | None:
    if field.type == "singleSelect":
        return value if value in field.choices else None
    return value if field.type in TEXT_TYPES or field.type == "url" else None


def _number(value: float, field: Field) -> str | int | float | None:
    if field.type == "number":
        return round(value, field.precision) if field.precision else round(value)
    if field.type == "duration":
        return round(value, 3)
    return f"{round(value, 1):.15g}" if field.type in TEXT_TYPES else None


def _moment(value: datetime, field: Field) -> str | None:
    utc = value.astimezone(UTC)
    if field.type == "date":
        return utc.date().isoformat()
    if field.type == "dateTime" or field.type in TEXT_TYPES:
        return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return None
