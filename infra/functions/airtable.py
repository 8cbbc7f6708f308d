"""Airtable, asked at a pace: one table's fields, a page of its records, one PATCH.

The queue does the waiting, so nothing is retried here. Airtable allows 5 requests a second for a base, over everybody:
each process waits its interval before every request, its first one included, and `deliver` after its last one before
another instance may take its place, so that no change of instances adds to the rate. The interval begins with the last
answer: when its request arrived nobody here knows. How many processes there are at once, and their intervals, is set
where they are deployed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import requests
from pyairtable import Api

from . import protojson
from .errors import DeliveryError, PermanentError, WaitError
from .fields import Field, table_fields
from .settings import REQUIRED_ROLES, AirtableSettings

T = TypeVar("T")

SCHEMA_SECONDS = 600
#: Airtable locks a base out for this long after a 429.
LOCKOUT_SECONDS = 30.0
MAX_RETRY_AFTER = 900.0
#: A refusal within this time of reading the schema is not the schema's fault.
SCHEMA_FRESH_SECONDS = 30
_TIMEOUT = (3, 10)


class Trying(Protocol):
    """How often something is tried before its failure counts."""

    def __call__(self, request: Callable[[], T], /) -> T:
        """What the request returned; raises what its last try raised."""
        ...


def once(request: Callable[[], T], /) -> T:
    """As the functions ask: what failed comes again from the queue."""
    return request()


def connect(settings: AirtableSettings) -> Api:
    """A client without retries; its token is set by Airtable.use_token."""
    return Api("", endpoint_url=settings.url, retry_strategy=None, timeout=_TIMEOUT)


class Airtable:
    """One table of one base. `clock` in seconds; `sleep` keeps the pace."""

    def __init__(
        self,
        api: Api,
        settings: AirtableSettings,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        trying: Trying = once,
    ) -> None:
        """No request is made."""
        self._api = api
        self._base, self._name, self._roles = settings.base, settings.table, settings.fields
        self._table = api.table(settings.base, settings.table)
        self._interval = settings.interval_s
        self._clock, self._sleep, self._trying = clock, sleep, trying
        self._fields: dict[str, Field] = {}
        self._fields_at: float | None = None
        self._answered_at = clock()
        self._locked_until = float("-inf")
        #: How many requests were made, those that failed included.
        self.requests = 0

    def rest(self) -> None:
        """Wait until the next request may be made, by whatever process takes this one's place."""
        since = self._clock() - self._answered_at
        if 0 <= since < self._interval:  # negative: the clock was set back
            self._sleep(self._interval - since)

    def use_token(self, token: str) -> None:
        """Use this personal access token from now on."""
        self._api.api_key = token

    def fields(self) -> Mapping[str, Field]:
        """Role → field, for the fields the table has; asked for every ten minutes."""
        now = self._clock()
        if self._fields_at is None or not 0 <= now - self._fields_at < SCHEMA_SECONDS:
            url = self._api.build_url("meta", "bases", self._base, "tables")
            found = table_fields(protojson.as_object(self._call(lambda: self._api.get(url))), self._name, self._roles)
            if found is None or any(role not in found for role in REQUIRED_ROLES):
                raise WaitError("airtable_fields", "the table, or a field it must have, is not there")
            self._fields, self._fields_at = found, now
        return self._fields

    def page(self, options: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        """One page of records, and where the next one begins. Not Table.all: its pages come faster than the pace."""

        def get() -> tuple[list[dict[str, Any]], str | None]:
            urls = self._table.urls
            answer = self._api.request("get", urls.records, fallback=("post", urls.records_post), options=dict(options))
            return answer["records"], answer.get("offset")

        return self._call(get, by_schema=True)

    def patch(self, updates: Mapping[str, Mapping[str, object]]) -> None:
        """Write fields by record id, all or none; after a refusal the schema is read anew."""
        records: Any = [{"id": record_id, "fields": dict(fields)} for record_id, fields in updates.items()]
        try:
            self._call(lambda: self._table.batch_update(records, typecast=False), by_schema=True)
        except PermanentError:
            self._fields_at = None  # the table may have changed under us
            raise

    def _call(self, request: Callable[[], T], *, by_schema: bool = False) -> T:
        return self._trying(lambda: self._try(request, by_schema=by_schema))

    def _try(self, request: Callable[[], T], *, by_schema: bool) -> T:
        """One request at the pace, its failures as ours; Airtable's texts stay out, they quote the request.

        What is refused was maybe made for a table that has changed since: with `by_schema` it is tried again, later,
        by the table as it is then. While Airtable locks the base out it is not asked at all.
        """
        locked = self._locked_until - self._clock()
        if 0 < locked <= MAX_RETRY_AFTER:  # more: the clock was set back
            raise WaitError("airtable_throttled", "Airtable asks to wait", delay=locked)
        self.rest()
        self.requests += 1
        try:
            return request()
        except (requests.RequestException, ValueError, KeyError) as error:
            answer = error.response if isinstance(error, requests.HTTPError) else None
            if answer is not None:
                refusal = from_status(answer.status_code, answer.headers.get("Retry-After"))
                if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS and isinstance(refusal, WaitError):
                    self._locked_until = self._clock() + (refusal.delay or 0.0)
                if by_schema and isinstance(refusal, PermanentError) and self._schema_is_old():
                    self._fields_at = None
                    refusal = WaitError("airtable_fields", "the table may have changed")
                raise refusal from None
            raise WaitError("airtable_unavailable", "Airtable did not answer, or not fully") from None
        finally:
            self._answered_at = self._clock()

    def _schema_is_old(self) -> bool:
        return self._fields_at is not None and not 0 <= self._clock() - self._fields_at < SCHEMA_FRESH_SECONDS


def from_status(status: int, retry_after: str | None) -> DeliveryError:
    """What an HTTP status of Airtable means for a message."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        asked = float(retry_after) if retry_after and retry_after.isdecimal() else LOCKOUT_SECONDS
        return WaitError("airtable_throttled", "Airtable asks to wait", delay=min(asked, MAX_RETRY_AFTER))
    if status in (401, 403, 404):
        return WaitError("airtable_refused", "Airtable refuses the token, or does not know the base, table or record")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return WaitError("airtable_unavailable", f"Airtable answered {status}")
    return PermanentError("airtable_rejected", f"Airtable rejected the request ({status})")
