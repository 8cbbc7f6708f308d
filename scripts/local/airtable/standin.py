"""The stand-in as one object: data, tokens, rate limit, faults and journal; still without sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from . import instants
from .access import ALL_SCOPES, Scope, Token, Tokens
from .admin import PREFIX, administer
from .api import AirtableApi
from .exchange import Answer, Request
from .faults import Fault, Faults, Outcome
from .ids import new_id
from .journal import Entry, Journal
from .json_value import Json
from .rate_limit import RateLimit
from .routes import route_of
from .store import Base, Store
from .table import Record, Table, merged


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """How an answer reaches the client: whole, only half of it, or (None) as a closed connection."""

    answer: Answer | None
    half: bool = False


class Standin:
    """An Airtable with one base and one token to begin with; the first table given is the default one."""

    def __init__(
        self,
        *,
        token: str,
        admin_token: str,
        base_id: str,
        tables: Iterable[Table],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = Store(now=now)
        self.tokens = Tokens()
        self.rate_limit = RateLimit(clock=clock)
        self.faults = Faults()
        self.journal = Journal()
        self.stopping = threading.Event()
        self.base: Base = self.store.add_base(base_id, name="callrec")
        self.base.tables.extend(tables)
        self._admin_token = admin_token
        self._clock = clock
        self._api = AirtableApi(store=self.store, tokens=self.tokens, rate_limit=self.rate_limit)
        self.tokens.add(Token(value=token, bases=frozenset({base_id})))

    def add_token(self, *, scopes: Iterable[Scope] = ALL_SCOPES, bases: Iterable[str] | None = None) -> str:
        """Another valid token, by default with every scope on the first base."""
        named = {self.base.id} if bases is None else bases
        token = Token(value=f"pat{new_id('')}.{new_id('')}", scopes=frozenset(scopes), bases=frozenset(named))
        self.tokens.add(token)
        return token.value

    def seed(
        self, cells: Mapping[str, Json], *, table: str | None = None, created: datetime | str | None = None
    ) -> str:
        """A record put in behind the API's back; its id. `created` is aware or ISO 8601, by default now."""
        instant = instants.from_text(created) if isinstance(created, str) else created or self.store.now()
        if instant is None or instant.tzinfo is None:
            raise ValueError(f"created is a time with its zone, not {created!r}")
        with self.store.lock:
            target = self._table(table)
            record = Record(created=instant, cells=merged({}, target.accepted(cells, typecast=False)))
            target.save([record])
            return record.id

    def read(self, record_id: str, *, table: str | None = None) -> dict[str, Json]:
        """A record's cells by field name, empty ones absent; KeyError for a record that is not there."""
        with self.store.lock:
            target = self._table(table)
            record = target.records[record_id]
            values = {column.name: target.cell(record, column) for column in target.columns.values()}
            return {name: value for name, value in values.items() if value is not None}

    def rename_field(self, old: str, new: str, *, table: str | None = None) -> None:
        """What happens when someone renames a column in Airtable: its id and cells stay."""
        with self.store.lock:
            target = self._table(table)
            column = target.column(old)
            target.columns[column.id] = replace(column, name=new)

    def expire_listings(self) -> None:
        """Forget every unfinished listing."""
        with self.store.lock:
            self._api.listings.expire()

    def handle(self, request: Request) -> Delivery:
        """One request from its arrival to what is sent back; waits out the delay of a fault."""
        if request.segments[0] == PREFIX:
            return Delivery(answer=administer(self, request, self._admin_token))
        kind = route_of(request.method, request.segments).kind
        fault = self.faults.take(request.method, kind, request.path)
        delivery = Delivery(answer=self._api.answer(request)) if fault is None else self._faulty(request, fault)
        entry = Entry(
            at=self._clock(),
            method=request.method,
            path=request.path,
            kind=kind,
            status=None if delivery.answer is None else delivery.answer.status,
            fault=None if fault is None else fault.outcome.value,
        )
        self.journal.add(entry)
        return delivery

    def _faulty(self, request: Request, fault: Fault) -> Delivery:
        answer = self._api.answer(request) if fault.carries_out else None
        if fault.delay_seconds:
            self.stopping.wait(fault.delay_seconds)
        match fault.outcome:
            case Outcome.ANSWER:
                return Delivery(answer=answer)
            case Outcome.STATUS:
                return Delivery(answer=fault.error())
            case Outcome.CLOSE:
                return Delivery(answer=None)
            case Outcome.HALF:
                return Delivery(answer=answer or Answer(status=200, body={"records": []}), half=True)

    def _table(self, name: str | None) -> Table:
        return self.base.tables[0] if name is None else self.base.table(name)
