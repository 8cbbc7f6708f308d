"""What a base looks like: fields with their types, and the schema endpoint's JSON for them.

Source: https://airtable.com/developers/web/api/field-model and .../get-base-schema
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .ids import new_id
from .json_value import Json


class FieldType(StrEnum):
    """The field types the stand-in knows; the names are Airtable's."""

    SINGLE_LINE_TEXT = "singleLineText"
    MULTILINE_TEXT = "multilineText"
    URL = "url"
    EMAIL = "email"
    NUMBER = "number"
    DURATION = "duration"
    DATE_TIME = "dateTime"
    SINGLE_SELECT = "singleSelect"
    CHECKBOX = "checkbox"
    CREATED_TIME = "createdTime"


TEXT_TYPES = frozenset({FieldType.SINGLE_LINE_TEXT, FieldType.MULTILINE_TEXT, FieldType.URL, FieldType.EMAIL})

_DATE_FORMAT: dict[str, Json] = {"name": "iso", "format": "YYYY-MM-DD"}
_TIME_FORMAT: dict[str, Json] = {"name": "24hour", "format": "HH:mm"}
_DATE_TIME_OPTIONS: dict[str, Json] = {"dateFormat": _DATE_FORMAT, "timeFormat": _TIME_FORMAT, "timeZone": "utc"}
_FIXED_OPTIONS: dict[FieldType, dict[str, Json]] = {
    FieldType.DURATION: {"durationFormat": "h:mm:ss"},
    FieldType.DATE_TIME: _DATE_TIME_OPTIONS,
    FieldType.CREATED_TIME: {"result": {"type": "dateTime", "options": _DATE_TIME_OPTIONS}},
    FieldType.CHECKBOX: {"icon": "check", "color": "greenBright"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One option of a single select."""

    name: str
    id: str = field(default_factory=lambda: new_id("sel"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column: precision is the digits after the point of a number, choices are a single select's options."""

    name: str
    type: FieldType
    precision: int = 0
    choices: tuple[Choice, ...] = ()
    id: str = field(default_factory=lambda: new_id("fld"))

    def options(self) -> dict[str, Json] | None:
        """The type's options as the schema endpoint gives them, None for types without."""
        if self.type is FieldType.NUMBER:
            return {"precision": self.precision}
        if self.type is FieldType.SINGLE_SELECT:
            return {"choices": [{"id": c.id, "name": c.name, "color": "blueLight2"} for c in self.choices]}
        fixed = _FIXED_OPTIONS.get(self.type)
        return None if fixed is None else dict(fixed)

    def schema(self) -> dict[str, Json]:
        """The column as the schema endpoint gives it."""
        options = self.options()
        shape: dict[str, Json] = {"id": self.id, "name": self.name, "type": self.type.value}
        return shape if options is None else {**shape, "options": options}


def field_of(name: str, type_name: str, *, precision: int = 0, choices: tuple[str, ...] = ()) -> Field:
    """A column from plain words, e.g. `field_of("recording_duration", "number", precision=1)`."""
    options = tuple(Choice(name=choice) for choice in choices)
    return Field(name=name, type=FieldType(type_name), precision=precision, choices=options)
