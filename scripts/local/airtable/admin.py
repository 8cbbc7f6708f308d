"""What other processes may tell the stand-in over HTTP, under /_standin/ and with the admin token.

GET, DELETE requests · GET, POST, DELETE faults · DELETE faults/N · PUT rate-limit · POST records · DELETE listings
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from . import errors
from .exchange import Answer, Request, ok, refused
from .faults import fault_of
from .json_value import Json, is_number

if TYPE_CHECKING:
    from .standin import Standin

PREFIX = "_standin"


def administer(standin: Standin, request: Request, admin_token: str) -> Answer:
    """The answer to a request under /_standin/: 401 without the token, 404 and 422 in Airtable's shapes."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        if not hmac.compare_digest(given.encode(), admin_token.encode()):
            raise errors.authentication_required()
        action = _ACTIONS.get((request.method, request.segments[1:2]))
        if action is None:
            raise errors.not_found()
        return ok(action(standin, request))
    except errors.AirtableRefusal as refusal:
        return refused(refusal)
    except ValueError as error:
        return refused(errors.invalid_request(str(error)))


def _requests(standin: Standin, _: Request) -> dict[str, Json]:
    counts: dict[str, Json] = {**standin.journal.counts()}
    return {"counts": counts, "requests": [entry.shown() for entry in standin.journal.entries]}


def _forget_requests(standin: Standin, _: Request) -> dict[str, Json]:
    standin.journal.clear()
    return {}


def _faults(standin: Standin, _: Request) -> dict[str, Json]:
    return {"on": len(standin.faults)}


def _add_fault(standin: Standin, request: Request) -> dict[str, Json]:
    return {"id": standin.faults.add(fault_of(request.json_object()))}


def _drop_faults(standin: Standin, request: Request) -> dict[str, Json]:
    named = request.segments[2:]
    if named:
        standin.faults.remove(int(named[0]))
    else:
        standin.faults.clear()
    return {}


def _set_rate_limit(standin: Standin, request: Request) -> dict[str, Json]:
    wanted, limit = request.json_object(), standin.rate_limit
    limits = {key: wanted.get(key, getattr(limit, key)) for key in ("per_base", "per_owner", "lockout_seconds")}
    if unknown := wanted.keys() - {"enabled", *limits}:
        raise errors.invalid_request(f"the rate limit has no {sorted(unknown)[0]!r}")
    if not all(is_number(value) for value in limits.values()):
        raise errors.invalid_request("per_base, per_owner and lockout_seconds are numbers")
    limit.per_base, limit.per_owner = int(cast("float", limits["per_base"])), int(cast("float", limits["per_owner"]))
    limit.lockout_seconds = float(cast("float", limits["lockout_seconds"]))
    limit.enabled = bool(wanted.get("enabled", True))
    limit.reset()
    return {"enabled": limit.enabled, **limits}


def _seed(standin: Standin, request: Request) -> dict[str, Json]:
    wanted = request.json_object()
    table, records = wanted.get("table"), wanted.get("records")
    if not isinstance(table, str) or not isinstance(records, list):
        raise errors.invalid_request(
            'the body is {"table": name, "records": [{"fields": {…}, "createdTime": ISO 8601 or absent}]}'
        )
    ids: list[Json] = []
    for record in records:
        cells = record.get("fields") if isinstance(record, dict) else None
        if not isinstance(record, dict) or not isinstance(cells, dict):
            raise errors.invalid_request("every record has its fields")
        created = record.get("createdTime")
        ids.append(standin.seed(cells, table=table, created=None if created is None else str(created)))
    return {"ids": ids}


def _expire_listings(standin: Standin, _: Request) -> dict[str, Json]:
    standin.expire_listings()
    return {}


_ACTIONS: dict[tuple[str, tuple[str, ...]], Callable[[Standin, Request], dict[str, Json]]] = {
    ("GET", ("requests",)): _requests,
    ("DELETE", ("requests",)): _forget_requests,
    ("GET", ("faults",)): _faults,
    ("POST", ("faults",)): _add_fault,
    ("DELETE", ("faults",)): _drop_faults,
    ("PUT", ("rate-limit",)): _set_rate_limit,
    ("POST", ("records",)): _seed,
    ("DELETE", ("listings",)): _expire_listings,
}
