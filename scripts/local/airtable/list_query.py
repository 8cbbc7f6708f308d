"""What a listing asks for, read from a query string or from the body of `POST …/listRecords`.

Source: https://airtable.com/developers/web/api/list-records
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from . import errors
from .json_value import Json

PAGE_SIZE = 100

_KNOWN = frozenset(
    {
        *("fields", "filterByFormula", "maxRecords", "pageSize", "sort", "view", "offset"),
        *("cellFormat", "timeZone", "userLocale", "recordMetadata", "returnFieldsByFieldId"),
    }
)
_SORT_KEY = re.compile(r"sort\[(\d+)\]\[(field|direction)\]")
_LIST_KEY = re.compile(r"(fields|recordMetadata)(\[\d*\])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListQuery:
    """A listing: sort is (field, descending) pairs; None for a field list or limit means all."""

    formula: str = ""
    fields: tuple[str, ...] | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    page_size: int = PAGE_SIZE
    max_records: int | None = None
    offset: str | None = None
    view: str | None = None
    by_id: bool = False


def from_query(pairs: Iterable[tuple[str, str]]) -> ListQuery:
    """The listing that a query string asks for (`fields[]=a`, `sort[0][field]=b`, …)."""
    plain: dict[str, Json] = {}
    lists: dict[str, list[Json]] = {}
    sort: dict[int, dict[str, Json]] = {}
    for key, value in pairs:
        if match := _SORT_KEY.fullmatch(key):
            sort.setdefault(int(match[1]), {})[match[2]] = value
        elif match := _LIST_KEY.fullmatch(key):
            lists.setdefault(match[1], []).append(value)
        else:
            plain[key] = _typed(key, value)
    ordered: list[Json] = [dict(sort[index]) for index in sorted(sort)]
    return from_json({**plain, **lists, **({"sort": ordered} if ordered else {})})


def from_json(body: dict[str, Json]) -> ListQuery:
    """The listing that a JSON body asks for; 422 for anything unknown, out of range or not done here."""
    if unknown := body.keys() - _KNOWN:
        raise errors.invalid_request(f"unknown parameter {sorted(unknown)[0]}.")
    if body.get("cellFormat", "json") != "json":
        raise errors.invalid_request("the stand-in does not do cellFormat other than json.")
    if body.get("recordMetadata"):
        raise errors.invalid_request("the stand-in does not do recordMetadata.")
    return ListQuery(
        formula=_text(body, "filterByFormula") or "",
        fields=_fields(body.get("fields")),
        sort=_sort(body.get("sort")),
        page_size=_count(body, "pageSize", most=PAGE_SIZE) or PAGE_SIZE,
        max_records=_count(body, "maxRecords", most=None),
        offset=_text(body, "offset"),
        view=_text(body, "view"),
        by_id=truth_of(body.get("returnFieldsByFieldId")),
    )


def truth_of(value: Json) -> bool:
    """A boolean parameter; absent is False, anything but a boolean is 422."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise errors.invalid_request()


def _typed(key: str, value: str) -> Json:
    """A query string's value as JSON would have it."""
    if key in ("pageSize", "maxRecords") and re.fullmatch(r"\d{1,9}", value):
        return int(value)
    if key == "returnFieldsByFieldId":
        return {"1": True, "true": True, "0": False, "false": False}.get(value, value)
    return value


def _text(body: dict[str, Json], key: str) -> str | None:
    value = body.get(key)
    if value is None or isinstance(value, str):
        return value
    raise errors.invalid_request()


def _count(body: dict[str, Json], key: str, *, most: int | None) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (most is not None and value > most):
        raise errors.invalid_request(f"{key} is out of range.")
    return value


def _fields(value: Json) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()
    if not isinstance(value, list) or len(names) != len(value):
        raise errors.invalid_request()
    return names


def _sort(value: Json) -> tuple[tuple[str, bool], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise errors.invalid_request()
    return tuple(_sort_key(item) for item in value)


def _sort_key(item: Json) -> tuple[str, bool]:
    if not isinstance(item, dict) or item.keys() - {"field", "direction"}:
        raise errors.invalid_request()
    name, direction = item.get("field"), item.get("direction", "asc")
    if not isinstance(name, str) or direction not in ("asc", "desc"):
        raise errors.invalid_request()
    return name, direction == "desc"
