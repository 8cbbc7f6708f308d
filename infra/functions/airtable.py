"""The conversations in Airtable: find candidates with one list, write with one PATCH.

The queue does the waiting, so nothing is retried here. Airtable allows 5 requests a second for a base, over everybody:
each process waits its interval before every request, its first one included, and `deliver` after its last one before
another instance may take its place, so that no change of instances adds to the rate. How many processes there are at
once, and their intervals, is set where they are deployed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar

import requests
from pyairtable import Api
from pyairtable import formulas as f

from . import protojson
from .errors import DeliveryError, PermanentError, WaitError
from .fields import MOMENT_TYPES, Field, Value, convert, table_fields
from .matching import Carried, Conversation, time_span
from .recording import Recording
from .settings import REQUIRED_ROLES, AirtableSettings

T = TypeVar("T")
MayGoOn: TypeAlias = Callable[[], bool]

SCHEMA_SECONDS = 600
#: Airtable locks a base out for this long after a 429.
LOCKOUT_SECONDS = 30.0
MAX_RETRY_AFTER = 900.0
#: A refusal within this time of reading the schema is not the schema's fault.
SCHEMA_FRESH_SECONDS = 30
_TIMEOUT = (3, 10)
_READ_ROLES = ("recording_url", "room_name", "started", "egress_id", "room_id", "recordings", "status")
_SECOND = timedelta(seconds=1)


def connect(settings: AirtableSettings) -> Api:
    """A client without retries; its token is set by Conversations.use_token."""
    return Api("", endpoint_url=settings.url, retry_strategy=None, timeout=_TIMEOUT)


class Conversations:
    """One table. `clock` in seconds; `sleep` keeps the pace."""

    def __init__(
        self,
        api: Api,
        settings: AirtableSettings,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """No request is made."""
        self._api = api
        self._base, self._name, self._roles = settings.base, settings.table, settings.fields
        self._table = api.table(settings.base, settings.table)
        self._interval = settings.interval_s
        self._clock, self._sleep = clock, sleep
        self._fields: dict[str, Field] = {}
        self._fields_at: float | None = None
        self._last_request = clock()
        self._locked_until = float("-inf")
        #: How many requests were made, those that failed included.
        self.requests = 0

    def rest(self) -> None:
        """Wait until the next request may be made, by whatever process takes this one's place."""
        since = self._clock() - self._last_request
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

    def candidates(
        self, recordings: Sequence[Recording], window: timedelta, carried: Callable[[str], Carried | None]
    ) -> list[Conversation]:
        """Every conversation that could belong to one of these recordings, by one list request for each hundred.

        `carried` reads a play link of ours; None when it is not ours.
        """
        conditions = [condition for item in recordings for condition in self._conditions(item, window)]
        if not conditions:
            return []
        return [conversation for page in self.pages(f.OR(*conditions), carried) for conversation in page]

    def between(
        self, start: datetime, end: datetime, carried: Callable[[str], Carried | None]
    ) -> Iterator[list[Conversation]]:
        """Every conversation whose time (its own start, else its creation) lies between these, a page at a time.

        A page holds up to a hundred and is one request; between pages the caller may stop.
        """
        yield from self.pages(self._within(start, end), carried)

    def pages(self, formula: f.Formula, carried: Callable[[str], Carried | None]) -> Iterator[list[Conversation]]:
        """Every conversation that a formula selects, up to a hundred for each request."""
        known = self.fields()
        names = [known[role].name for role in _READ_ROLES if role in known]
        options: dict[str, Any] = {"formula": str(formula), "fields": names, "page_size": 100}
        while True:
            records, offset = self._call(partial(self._list, dict(options)), by_schema=True)
            yield [self._conversation(record, carried) for record in records]
            if not offset:
                return
            options["offset"] = offset

    def update(
        self, updates: Mapping[str, Mapping[str, object]], may_go_on: MayGoOn = lambda: True
    ) -> dict[str, DeliveryError]:
        """Write fields by record id, with one PATCH for up to ten; returns the records that failed, with why.

        When Airtable refuses the whole, each record is tried once alone, so that the refused one fails alone; what
        there is no time for fails with `out_of_time`.
        """
        try:
            self._patch(updates)
        except PermanentError as error:
            self._fields_at = None  # the table may have changed under us
            return self._one_by_one(updates, may_go_on) if len(updates) > 1 else dict.fromkeys(updates, error)
        except WaitError as error:
            return dict.fromkeys(updates, error)
        return {}

    def listing(self, urls: Sequence[str]) -> dict[str, object]:
        """Field name → a link a line; empty when the table has no field for it, or one of a single line."""
        return self._cells({"recordings": tuple(urls)})

    def values(self, recording: Recording, url: str | None) -> dict[str, object]:
        """Field name → what to write there for this recording; just fields the table has, in their types."""
        wanted: dict[str, Value | None] = {
            "recording_url": url,
            "egress_id": recording.egress_id,
            "room_id": recording.room_id,
            "status": recording.status_text,
        }
        if url is not None:
            wanted |= {
                "duration": recording.duration_s,
                "size": recording.size_bytes,
                "recording_started": recording.started_at,
                "recording_ended": recording.ended_at,
            }
        return self._cells(wanted)

    def _cells(self, wanted: Mapping[str, Value | None]) -> dict[str, object]:
        known = self.fields()
        pairs = ((known[role], value) for role, value in wanted.items() if role in known and value is not None)
        converted = {field.name: convert(value, field) for field, value in pairs}
        return {name: value for name, value in converted.items() if value is not None}

    def _one_by_one(self, updates: Mapping[str, Mapping[str, object]], may_go_on: MayGoOn) -> dict[str, DeliveryError]:
        errors: dict[str, DeliveryError] = {}
        waiting: WaitError | None = None
        for record_id, fields in updates.items():
            if waiting is None and not may_go_on():
                waiting = out_of_time()
            if waiting is not None:
                errors[record_id] = waiting
                continue
            try:
                self._patch({record_id: fields})
            except WaitError as error:
                errors[record_id] = waiting = error
            except PermanentError as error:
                errors[record_id] = error
        return errors

    def _patch(self, updates: Mapping[str, Mapping[str, object]]) -> None:
        records: Any = [{"id": record_id, "fields": dict(fields)} for record_id, fields in updates.items()]
        self._call(lambda: self._table.batch_update(records, typecast=False), by_schema=True)

    def _conditions(self, recording: Recording, window: timedelta) -> Iterable[f.Formula]:
        known = self.fields()
        for role, value in (("egress_id", recording.egress_id), ("room_id", recording.room_id)):
            if role in known and value:
                yield f.EQ(f.Field(known[role].name), value)
        span = time_span(recording, window)
        if recording.room_name and span:
            yield f.AND(f.EQ(f.Field(known["room_name"].name), recording.room_name), self._within(*span))

    def _within(self, start: datetime, end: datetime) -> f.Formula:
        moment = self._moment_formula()
        return f.AND(f.IS_AFTER(moment, start - _SECOND), f.IS_BEFORE(moment, end + _SECOND))

    def _moment_formula(self) -> f.Formula:
        started = self.fields().get("started")
        if started is None or started.type not in MOMENT_TYPES:
            return f.CREATED_TIME()
        return f.IF(f.Field(started.name), f.Field(started.name), f.CREATED_TIME())

    def _list(self, options: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        """One page, and where the next one begins. Not Table.all: its pages would come faster than the pace."""
        urls = self._table.urls
        answer = self._api.request("get", urls.records, fallback=("post", urls.records_post), options=options)
        return answer["records"], answer.get("offset")

    def _conversation(self, record: Mapping[str, Any], carried: Callable[[str], Carried | None]) -> Conversation:
        cells = protojson.as_object(record["fields"])
        texts = {role: protojson.text(cells, name.name) for role, name in self.fields().items()}
        url = texts.get("recording_url")
        link = carried(url) if url else None
        started = self.fields().get("started")
        own = texts.get("started") if started and started.type in MOMENT_TYPES else None
        return Conversation(
            record_id=record["id"],
            room_name=texts.get("room_name"),
            own_start=_moment(own) is not None,
            started_at=_moment(own) or _moment(record["createdTime"]) or datetime.fromtimestamp(0, UTC),
            egress_id=texts.get("egress_id"),
            room_id=texts.get("room_id"),
            carries=link,
            listed=tuple(filter(None, map(carried, (texts.get("recordings") or "").split()))),
            foreign_link=bool(url) and link is None,
            status=texts.get("status"),
        )

    def _call(self, request: Callable[[], T], *, by_schema: bool = False) -> T:
        """One request at the pace, its failures as ours; Airtable's texts stay out, they quote the request.

        What is refused was maybe made for a table that has changed since: with `by_schema` it is tried again, later,
        by the table as it is then. While Airtable locks the base out it is not asked at all.
        """
        locked = self._locked_until - self._clock()
        if 0 < locked <= MAX_RETRY_AFTER:  # more: the clock was set back
            raise WaitError("airtable_throttled", "Airtable asks to wait", delay=locked)
        self.rest()
        self._last_request = self._clock()
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


def out_of_time() -> WaitError:
    """The verdict on what an invocation cannot finish."""
    return WaitError("out_of_time", "the function's time is over; the rest of the batch comes again")


def _moment(value: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
