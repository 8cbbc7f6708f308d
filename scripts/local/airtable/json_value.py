"""JSON as Python sees it, and the few questions asked of it."""

from __future__ import annotations

import sys
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_LARGEST = sys.float_info.max


def is_number(value: object) -> bool:
    """A finite int or float; True and False are not numbers here, though Python says so."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST <= value <= _LARGEST


def number_text(value: float) -> str:
    """A number as Airtable joins it into text: 3 rather than 3.0."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
