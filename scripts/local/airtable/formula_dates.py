"""The date functions of the formula language; all in UTC."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

from .errors import FormulaRefusal
from .formula_values import ERROR, Broken, Value, as_instant, as_number

_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_SHOWN_PARTS = {"year": 1, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6}


def is_before(left: Value, right: Value) -> Value:
    """IS_BEFORE(date1, date2)."""
    first, second = as_instant(left), as_instant(right)
    return ERROR if isinstance(first, Broken) or isinstance(second, Broken) else first < second


def is_after(left: Value, right: Value) -> Value:
    """IS_AFTER(date1, date2)."""
    return is_before(right, left)


def is_same(left: Value, right: Value, unit: Value = None) -> Value:
    """IS_SAME(date1, date2, [unit]): equal down to the unit; without one, exactly equal."""
    first, second = as_instant(left), as_instant(right)
    if isinstance(first, Broken) or isinstance(second, Broken):
        return ERROR
    if unit is None:
        return first == second
    parts = _SHOWN_PARTS.get(_unit(unit))
    if parts is None:
        raise FormulaRefusal(f"The stand-in does not know the unit {unit!r} of IS_SAME.")
    return first.timetuple()[:parts] == second.timetuple()[:parts]


def datetime_parse(value: Value, layout: Value = None) -> Value:
    """DATETIME_PARSE(text): ISO 8601 only; a layout is refused, for it is moment.js's own little language."""
    if layout is not None:
        raise FormulaRefusal("The stand-in does not know DATETIME_PARSE with a format; give it ISO 8601 without one.")
    return as_instant(value)


def dateadd(value: Value, count: Value, unit: Value) -> Value:
    """DATEADD(date, number, unit); a month ends where it ends (31 January + 1 month = 28 February)."""
    start, number = as_instant(value), as_number(count)
    if isinstance(start, Broken) or isinstance(number, Broken):
        return ERROR
    name = _unit(unit)
    try:
        if name in _SECONDS:
            return start + timedelta(seconds=number * _SECONDS[name])
        if name in _MONTHS:
            return _month_later(start, int(number) * _MONTHS[name])
    except (OverflowError, ValueError):
        return ERROR
    raise FormulaRefusal(f"The stand-in does not know the unit {unit!r} of DATEADD.")


def datetime_diff(left: Value, right: Value, unit: Value = "seconds") -> Value:
    """DATETIME_DIFF(date1, date2, [unit]) = date1 - date2 in whole units, towards zero; seconds by default."""
    first, second = as_instant(left), as_instant(right)
    if isinstance(first, Broken) or isinstance(second, Broken):
        return ERROR
    name = _unit(unit)
    seconds = 0.001 if name == "millisecond" else _SECONDS.get(name)
    if seconds is None:
        raise FormulaRefusal(f"The stand-in does not know the unit {unit!r} of DATETIME_DIFF.")
    return int((first - second).total_seconds() / seconds)


def _unit(unit: Value) -> str:
    return str(unit).lower().removesuffix("s")


def _month_later(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)
