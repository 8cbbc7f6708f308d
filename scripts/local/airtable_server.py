"""The stand-in for api.airtable.com: real HTTP on 127.0.0.1, for the local stack and tests only.

with AirtableServer() as airtable:
    record_id = airtable.seed({"room_name": "camille"}, created="2026-11-24T00:00:35.000Z")
    table = pyairtable.Api(airtable.token, endpoint_url=airtable.url).table(airtable.base_id, airtable.table)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from .airtable.access import ALL_SCOPES, Scope
from .airtable.conversations import conversations_table
from .airtable.exchange import Request
from .airtable.faults import Fault, Outcome
from .airtable.ids import new_id
from .airtable.schema import Field, field_of
from .airtable.standin import Standin
from .airtable.table import Table
from .http_front import Call, HttpFront, Reply

__all__ = [
    "ALL_SCOPES",
    "AirtableServer",
    "Fault",
    "Field",
    "Outcome",
    "Scope",
    "Table",
    "conversations_table",
    "field_of",
]


class AirtableServer(Standin):
    """A stand-in that listens: `start()` and `stop()`, or a `with` block."""

    def __init__(
        self,
        *,
        token: str | None = None,
        admin_token: str | None = None,
        base_id: str | None = None,
        tables: Iterable[Table] | None = None,
        port: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = token or f"pat{new_id('')}.{new_id('')}"
        self.admin_token = admin_token or new_id("adm")
        super().__init__(
            token=self.token,
            admin_token=self.admin_token,
            base_id=base_id or new_id("app"),
            tables=[conversations_table()] if tables is None else tables,
            now=now,
            clock=clock,
        )
        self._front = HttpFront("Airtable", port, self._reply)
        self._thread = threading.Thread(target=self._front.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """What pyairtable takes as `endpoint_url`."""
        return f"http://127.0.0.1:{self._front.port}"

    @property
    def base_id(self) -> str:
        """The id of the first base."""
        return self.base.id

    @property
    def table(self) -> str:
        """The name of the first table."""
        return self.base.tables[0].name

    @property
    def table_id(self) -> str:
        """The id of the first table."""
        return self.base.tables[0].id

    def start(self) -> Self:
        """Answer from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, end delays and connections; harmless when repeated."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._front.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _reply(self, call: Call) -> Reply | None:
        request = Request(method=call.method, target=call.target, headers=call.headers, body=call.body)
        delivery = self.handle(request)
        if delivery.answer is None:
            return None
        return Reply(
            status=delivery.answer.status,
            content_type="application/json; charset=utf-8",
            body=delivery.answer.encoded(),
            half=delivery.half,
        )
