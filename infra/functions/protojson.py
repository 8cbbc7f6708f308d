"""Reading LiveKit's JSON: protojson (camelCase, int64 as strings, zero values absent) and its snake_case cousins."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Object: TypeAlias = Mapping[str, object]

_EMPTY: Object = {}
_DIGITS = re.compile(r"[0-9]{1,20}")
_DECIMAL = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CAPITAL = re.compile(r"(?=[A-Z])")


def parse(text: str) -> dict[str, object]:
    """Parse one JSON object strictly; ValueError for anything else, duplicate keys, NaN and too deep nesting included.

    The errors carry no text of the document: json's own would quote it.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # callers catch one type
    return cast("dict[str, object]", value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Protobuf's own parser refuses duplicate keys as well."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("duplicate key")
    return made


def _refuse_constant(_name: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def get(source: Object, camel: str) -> object:
    """The value under `camel` or its snake_case form; None when absent or null."""
    value = source.get(camel)
    return source.get(_snake(camel)) if value is None else value


@lru_cache(maxsize=256)
def _snake(camel: str) -> str:
    return _CAPITAL.sub("_", camel).lower()


def as_object(value: object) -> Object:
    """`value` when it is a JSON object, else an empty one."""
    return cast("Object", value) if isinstance(value, dict) else _EMPTY


def as_list(value: object) -> list[object]:
    """`value` when it is a JSON array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def child(source: Object, camel: str) -> Object:
    """The object under a key; empty when absent or something else."""
    return as_object(get(source, camel))


def children(source: Object, camel: str) -> list[Object]:
    """The objects in the list under a key; empty when absent or something else."""
    return [item for item in map(as_object, as_list(get(source, camel))) if item]


def text(source: Object, camel: str) -> str | None:
    """The string under a key; None when absent, empty or something else."""
    value = get(source, camel)
    return value if isinstance(value, str) and value else None


def lone_surrogate(value: str | None) -> bool:
    """Whether JSON's escapes made half a character: no service takes that as text."""
    return value is not None and _SURROGATE.search(value) is not None


def number(source: Object, camel: str) -> int | float | None:
    """The number under a key, also when written as a string; None for anything negative, non-finite or else."""
    value = get(source, camel)
    if isinstance(value, str):
        if _DIGITS.fullmatch(value):
            return int(value)
        return float(value) if _DECIMAL.fullmatch(value) else None
    if not is_number(value):
        return None
    return value if value >= 0 else None


def is_number(value: object) -> TypeIs[int | float]:
    """Whether this is a finite JSON number; `true` is not one, an integer beyond any float is."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
