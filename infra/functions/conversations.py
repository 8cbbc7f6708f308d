"""The conversations in Airtable: find candidates with one list, write with one PATCH."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pyairtable import formulas as f

from . import protojson
from .airtable import Airtable
from .deadline import MayGoOn, out_of_time
from .errors import DeliveryError, PermanentError, WaitError
from .fields import MOMENT_TYPES, Field, Value, convert
from .matching import Carried, Conversation, time_span
from .recording import Recording

_READ_ROLES = ("recording_url", "room_name", "started", "egress_id", "room_id", "recordings", "status")
_SECOND = timedelta(seconds=1)


class Conversations:
    """The table of conversations, read and written through `airtable`."""

    def __init__(self, airtable: Airtable) -> None:
        """No request is made."""
        self.airtable = airtable

    def fields(self) -> Mapping[str, Field]:
        """Role → field, for the fields the table has."""
        return self.airtable.fields()

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
            records, offset = self.airtable.page(options)
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
            self.airtable.patch(updates)
        except PermanentError as error:
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
                self.airtable.patch({record_id: fields})
            except WaitError as error:
                errors[record_id] = waiting = error
            except PermanentError as error:
                errors[record_id] = error
        return errors

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


def _moment(value: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
