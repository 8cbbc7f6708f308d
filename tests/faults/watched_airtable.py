"""The Airtable stand-in, with its real limit and on the test's clock, and everything that was written to it."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import Any

from scripts.local.airtable.errors import AirtableRefusal
from scripts.local.airtable.exchange import Kind, Request
from scripts.local.airtable.faults import Fault, Faults
from scripts.local.airtable.rate_limit import PER_BASE
from scripts.local.airtable.routes import route_of
from scripts.local.airtable.standin import Delivery
from scripts.local.airtable_server import AirtableServer, Table
from tests.faults.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in. `at` in unix seconds of the test's clock, `kind` as in the stand-in's journal."""

    at: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What somebody wanted to write into a record, whether or not it was carried out."""

    record_id: str
    cells: Mapping[str, Any]


class ChanceFaults(Faults):
    """Faults that befall a `share` of the requests, each by chance one of `choices`; besides those that were added."""

    def __init__(self) -> None:
        super().__init__()
        self._drawing = threading.Lock()
        self._rng, self._share, self._choices = Random(0), 0.0, tuple[Fault, ...]()  # noqa: S311 - no secret is drawn

    def strew(self, rng: Random, share: float, choices: Sequence[Fault]) -> None:
        """From now on; a share of 0 ends it."""
        with self._drawing:
            self._rng, self._share, self._choices = rng, share, tuple(choices)

    def take(self, method: str, kind: Kind, path: str) -> Fault | None:
        """The fault that befalls this request."""
        with self._drawing:
            if self._share and self._rng.random() < self._share:
                return self._rng.choice(self._choices)
        return super().take(method, kind, path)


class WatchedAirtable(AirtableServer):
    """Five requests a second, then a lock-out of 30 s; remembers who asked when, and what for."""

    def __init__(self, clock: Clock, tables: Iterable[Table] | None = None) -> None:
        super().__init__(tables=tables, now=clock.now, clock=clock)
        self.rate_limit.enabled = True
        self.faults = self.chance = ChanceFaults()
        self.asked: list[Asked] = []
        self.writes: list[Write] = []
        self._at = clock
        self._noting = threading.Lock()
        self._crowds_next = threading.Event()

    def handle(self, request: Request) -> Delivery:
        """Note the request, then answer it."""
        kind = route_of(request.method, request.segments).kind
        with self._noting:
            self.asked.append(Asked(at=self._at(), kind=kind.value))
            if kind is Kind.UPDATE:
                self.writes += _writes(request.body)
            if self._crowds_next.is_set():
                self._crowds_next.clear()
                self.crowd_out()
        return super().handle(request)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Every cell of every record of the first table, by record id."""
        with self.store.lock:
            return {record_id: dict(self.read(record_id)) for record_id in self.base.tables[0].records}

    def crowd_out(self) -> None:
        """Somebody else uses up the base's requests of this second and more: 429 for everybody, for 30 s."""
        with self.store.lock:
            for _ in range(PER_BASE + 1):
                try:
                    self.rate_limit.admit(owner="somebody else", base_id=self.base_id)
                except AirtableRefusal:
                    return

    def crowd_out_next(self) -> None:
        """As `crowd_out`, at the very moment at which the next request comes, which is the first to be refused."""
        self._crowds_next.set()

    def refusals(self) -> int:
        """How often it answered 429."""
        return sum(entry.status == HTTPStatus.TOO_MANY_REQUESTS for entry in self.journal.entries)

    def busiest_second(self) -> int:
        """The most requests that came in within any one second."""
        return busiest([asked.at for asked in self.asked])


def _writes(body: bytes) -> list[Write]:
    """What a PATCH of several records writes; nothing when whoever sent it died in the middle."""
    try:
        records = json.loads(body)["records"]
    except ValueError:
        return []
    return [Write(record_id=record["id"], cells=record["fields"]) for record in records]


def busiest(moments: Iterable[float]) -> int:
    """The most moments in [t, t + 1) for any t."""
    ordered = sorted(moments)
    return max((bisect_left(ordered, first + 1.0) - index for index, first in enumerate(ordered)), default=0)
