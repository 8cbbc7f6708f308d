"""Which request means what.

Source: https://airtable.com/developers/web/api/introduction and pyairtable's URL builders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .exchange import Kind

_META = {"whoami": Kind.WHOAMI, "bases": Kind.BASES}
_ON_TABLE = {"GET": Kind.LIST, "POST": Kind.CREATE, "PATCH": Kind.UPDATE, "PUT": Kind.UPDATE, "DELETE": Kind.DELETE}
_ON_RECORD = {"GET": Kind.GET, "PATCH": Kind.UPDATE, "PUT": Kind.UPDATE, "DELETE": Kind.DELETE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A request's kind and the base, table and record it names."""

    kind: Kind
    base_id: str | None = None
    table: str | None = None
    record_id: str | None = None


def route_of(method: str, segments: Sequence[str]) -> Route:
    """The route of a path split into parts; kind OTHER for what Airtable has not, or the stand-in does not do."""
    match segments:
        case ["v0", "meta", "bases", base_id, "tables"]:
            return Route(kind=_if_get(method, Kind.SCHEMA), base_id=base_id)
        case ["v0", "meta", name]:
            return Route(kind=_if_get(method, _META.get(name, Kind.OTHER)))
        case ["v0", base_id, table, "listRecords"]:
            return Route(kind=Kind.LIST if method == "POST" else Kind.OTHER, base_id=base_id, table=table)
        case ["v0", base_id, table]:
            return Route(kind=_ON_TABLE.get(method, Kind.OTHER), base_id=base_id, table=table)
        case ["v0", base_id, table, record_id]:
            kind = _ON_RECORD.get(method, Kind.OTHER)
            return Route(kind=kind, base_id=base_id, table=table, record_id=record_id)
        case _:
            return Route(kind=Kind.OTHER)


def _if_get(method: str, kind: Kind) -> Kind:
    return kind if method == "GET" else Kind.OTHER
