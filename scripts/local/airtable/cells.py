"""Which value fits which field type, and what is stored for it.

Source: https://airtable.com/developers/web/api/field-model (cell formats).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from . import errors, instants
from .json_value import Json, is_number, number_text
from .schema import TEXT_TYPES, Field, FieldType

_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)  # a double has up to 309 digits before the point
_TRUE_WORDS = frozenset({"true", "1", "yes", "checked"})
_FALSE_WORDS = frozenset({"false", "0", "no", "unchecked", ""})


def accept(column: Field, value: Json, *, typecast: bool) -> Json:
    """What the column stores for a value, None for an emptied cell.

    Fails with 422 INVALID_VALUE_FOR_COLUMN or INVALID_MULTIPLE_CHOICE_OPTIONS; `typecast` converts what it can first.
    """
    if column.type is FieldType.CREATED_TIME:
        raise errors.computed_field(column.name)
    if value is None:
        return None
    fitting = _cast(column, value) if typecast else value
    if column.type in TEXT_TYPES:
        return _text(column, fitting)
    match column.type:
        case FieldType.CHECKBOX:
            return _checkbox(column, fitting)
        case FieldType.DATE_TIME:
            return _date_time(column, fitting)
        case FieldType.SINGLE_SELECT:
            return _choice(column, fitting, may_create=typecast)
        case _:
            return _number(column, fitting)


def _cast(column: Field, value: Json) -> Json:
    """Airtable's best-effort conversion between text and the column's own type; unchanged when there is none."""
    if isinstance(value, int | float) and is_number(value):
        takes_text = column.type in TEXT_TYPES or column.type is FieldType.SINGLE_SELECT
        return number_text(value) if takes_text else value
    if not isinstance(value, str):
        return value
    if column.type in (FieldType.NUMBER, FieldType.DURATION):
        return _number_from(value)
    if column.type is FieldType.CHECKBOX and value.strip().lower() in _TRUE_WORDS | _FALSE_WORDS:
        return value.strip().lower() in _TRUE_WORDS
    return None if value == "" else value


def _number_from(text: str) -> Json:
    if not text.strip():
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


def _text(column: Field, value: Json) -> Json:
    if value is None or isinstance(value, str):
        return value or None
    raise errors.bad_value(column.name)


def _checkbox(column: Field, value: Json) -> Json:
    if isinstance(value, bool):
        return value or None
    raise errors.bad_value(column.name)


def _date_time(column: Field, value: Json) -> Json:
    if value is None:
        return None
    instant = instants.from_text(value) if isinstance(value, str) else None
    if instant is None:
        raise errors.bad_value(column.name)
    return instants.to_text(instant)


def _choice(column: Field, value: Json, *, may_create: bool) -> Json:
    if value is None:
        return None
    if not isinstance(value, str):
        raise errors.bad_value(column.name)
    if not may_create and value not in {choice.name for choice in column.choices}:
        raise errors.unknown_choice(value)
    return value


def _number(column: Field, value: Json) -> Json:
    """Rounded to the column's precision; durations are seconds, kept to the millisecond."""
    if value is None:
        return None
    if not isinstance(value, int | float) or not is_number(value):
        raise errors.bad_value(column.name)
    places = column.precision if column.type is FieldType.NUMBER else 3
    rounded = float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), context=_WIDE))
    return int(rounded) if rounded.is_integer() else rounded
