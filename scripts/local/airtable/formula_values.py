"""Values inside a formula and how Airtable turns one kind into another.

Where Airtable's rule is neither documented nor agreed on, the formula is refused by name rather than guessed:
a stand-in that guesses proves nothing about the client.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias

from . import instants
from .errors import FormulaRefusal
from .json_value import number_text


class Broken(Enum):
    """Airtable's `#ERROR!`: it spreads through whatever uses it, and a filter leaves its record out."""

    ERROR = "#ERROR!"


ERROR = Broken.ERROR
Value: TypeAlias = str | int | float | bool | datetime | Broken | None

_SIGNS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def truth(value: Value) -> bool:
    """False for blank, 0, FALSE, "", NaN and #ERROR!; the rule by which a filter keeps records."""
    if value is ERROR or value is None:
        return False
    if isinstance(value, float) and math.isnan(value):
        return False
    return isinstance(value, datetime) or bool(value)


def as_text(value: Value) -> str | Broken:
    """What `&` and the text functions see: blank is "", TRUE is 1, a date its ISO form."""
    if isinstance(value, Broken | str):
        return value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return instants.to_text(value)
    return number_text(value) if math.isfinite(value) else str(value)


def as_number(value: Value) -> float | Broken:
    """What arithmetic sees: blank is 0, TRUE is 1; texts and dates are #ERROR! (VALUE() converts texts)."""
    if value is None:
        return 0.0
    return float(value) if isinstance(value, int | float) else ERROR


def as_instant(value: Value) -> datetime | Broken:
    """What the date functions see: a date, or a text in ISO 8601; anything else, blank too, is #ERROR!."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return (instants.from_text(value) or ERROR) if isinstance(value, str) else ERROR


def compare(sign: str, left: Value, right: Value) -> bool | Broken:
    """One of = != < <= > >=; texts are compared exactly, case included; blank equals 0, FALSE and ""."""
    if left is ERROR or right is ERROR:
        return ERROR
    left, right = _filled(left, right), _filled(right, left)
    if _nan(left) or _nan(right):
        return sign == "!="
    if (order := _order(left, right)) is not None:
        return _SIGNS[sign](order, 0)
    if not (isinstance(left, datetime) or isinstance(right, datetime)):
        raise FormulaRefusal(f"The stand-in does not know how Airtable compares {_kind(left)} with {_kind(right)}.")
    return _compare_date_with_other(sign, left, right)


def _compare_date_with_other(sign: str, left: Value, right: Value) -> bool | Broken:
    """A date equals nothing but a date: {Date}='2022-04-02' never matches, IS_SAME is the way."""
    if sign in ("=", "!="):
        return sign == "!="
    if left is None or right is None:
        return ERROR
    raise FormulaRefusal(f"The stand-in does not know how Airtable orders {_kind(left)} and {_kind(right)}.")


def _order(left: Value, right: Value) -> int | None:
    """-1, 0 or 1 for two of a kind, None for others."""
    match left, right:
        case (str(), str()):
            return (left > right) - (left < right)
        case (datetime(), datetime()):
            return (left > right) - (left < right)
        case (int() | float(), int() | float()):
            return (left > right) - (left < right)
        case _:
            return None


def _nan(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _filled(value: Value, other: Value) -> Value:
    """A blank as the other side's empty value; there is none for dates."""
    if value is not None or isinstance(other, datetime):
        return value
    return 0 if isinstance(other, int | float) else ""


def _kind(value: Value) -> str:
    if isinstance(value, datetime):
        return "a date"
    return "text" if isinstance(value, str) else "a number"
