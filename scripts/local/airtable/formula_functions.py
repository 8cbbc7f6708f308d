"""The functions of the formula language that the stand-in knows, by name, with how many arguments each takes.

Source: https://support.airtable.com/docs/formula-field-reference
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import formula_dates as dates
from .errors import FormulaRefusal
from .formula_values import ERROR, Broken, Value, as_number, as_text, truth

_ANY = 1000


@dataclass(frozen=True, slots=True)
class Function:
    """A function over evaluated arguments, and the fewest and most it takes."""

    run: Callable[..., Value]
    fewest: int
    most: int


def _not(value: Value) -> Value:
    return not truth(value)


def _all_true(*values: Value) -> Value:
    return all(truth(value) for value in values)


def _any_true(*values: Value) -> Value:
    return any(truth(value) for value in values)


def _odd_true(*values: Value) -> Value:
    return sum(truth(value) for value in values) % 2 == 1


def _find(needle: Value, hay: Value, start: Value = None) -> Value:
    """1-based place of the first occurrence, 0 without one; case counts."""
    if start is not None:
        raise FormulaRefusal("The stand-in does not know from where FIND and SEARCH count a start position.")
    return str(as_text(hay)).find(str(as_text(needle))) + 1


def _search(needle: Value, hay: Value, start: Value = None) -> Value:
    """As FIND, but blank without an occurrence; refused where ignoring case would change the answer."""
    place = _find(needle, hay, start)
    if place != _find(str(as_text(needle)).lower(), str(as_text(hay)).lower()):
        raise FormulaRefusal("The stand-in does not know whether SEARCH minds case; give it LOWER() of both.")
    return place or None


def _of_text(change: Callable[[str], Value]) -> Callable[[Value], Value]:
    return lambda value: change(str(as_text(value)))


def _exact(left: Value, right: Value) -> Value:
    return as_text(left) == as_text(right)


def _concatenate(*values: Value) -> Value:
    return "".join(str(as_text(value)) for value in values)


def _value(text: str) -> Value:
    try:
        return float(text.strip().replace(",", ""))
    except ValueError:
        return ERROR


def _abs(value: Value) -> Value:
    number = as_number(value)
    return number if isinstance(number, Broken) else abs(number)


# None is ever given #ERROR!: formula.py passes it on by itself.
# IF, NOW, TODAY, RECORD_ID and CREATED_TIME need more than their arguments: formula.py answers them.
FUNCTIONS: dict[str, Function] = {
    "AND": Function(_all_true, 1, _ANY),
    "OR": Function(_any_true, 1, _ANY),
    "XOR": Function(_odd_true, 1, _ANY),
    "NOT": Function(_not, 1, 1),
    "TRUE": Function(lambda: True, 0, 0),
    "FALSE": Function(lambda: False, 0, 0),
    "BLANK": Function(lambda: None, 0, 0),
    "FIND": Function(_find, 2, 3),
    "SEARCH": Function(_search, 2, 3),
    "LOWER": Function(_of_text(str.lower), 1, 1),
    "UPPER": Function(_of_text(str.upper), 1, 1),
    "TRIM": Function(_of_text(str.strip), 1, 1),
    "LEN": Function(_of_text(len), 1, 1),
    "VALUE": Function(_of_text(_value), 1, 1),
    "EXACT": Function(_exact, 2, 2),
    "CONCATENATE": Function(_concatenate, 1, _ANY),
    "ABS": Function(_abs, 1, 1),
    "IS_BEFORE": Function(dates.is_before, 2, 2),
    "IS_AFTER": Function(dates.is_after, 2, 2),
    "IS_SAME": Function(dates.is_same, 2, 3),
    "DATETIME_PARSE": Function(dates.datetime_parse, 1, 2),
    "DATEADD": Function(dates.dateadd, 3, 3),
    "DATETIME_DIFF": Function(dates.datetime_diff, 2, 3),
}
