"""Rows about `deliver`: recordings a second and Airtable requests for each, at the pace it keeps in production.

The stand-in for Airtable answers in 100 ms; its rate limit is off, so that what is asked in the busiest second can be
seen. The queue is played by this process, which hands the next batch to a runtime as soon as it is free, as Lambda's
event source mapping does.
"""

from __future__ import annotations

import bisect
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.airtable import DELIVERS_AT_ONCE
from scripts.local.airtable.exchange import Request
from scripts.local.airtable.standin import Delivery
from scripts.local.airtable_server import AirtableServer, Fault, Outcome
from tests.bench.aws_stub import AwsStub
from tests.bench.environment import AIRTABLE_TOKEN, DELIVER, SECRET
from tests.bench.function import Function, function
from tests.bench.libraries import Libraries
from tests.bench.recordings import batches, conversation, message
from tests.bench.row import Row, Target, ratio

#: Airtable's own. https://airtable.com/developers/web/api/rate-limits
CEILING = 5
ANSWER_SECONDS = 0.1
RUNTIMES = DELIVERS_AT_ONCE
REQUESTS_TARGET = Target(bound=0.2)
CEILING_TARGET = Target(bound=0.9, above=True)
#: Seconds that each size of batch is delivered for.
SECONDS = 30.0
_WHY_SHARE = (
    "a sixth request within any one second locks the base out for 30 s, and runtimes that do not know of each other may"
    " choose the same second: two of each fit, and `reconcile`'s one; `deliver` also rests before it gives up its place"
)
_WHY_BUSIEST = "where the requests of runtimes that do not know of each other fall together, too many fit into a second"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one size of batch came to. `rate`: Airtable requests a second; `cpu_ms` is for one recording."""

    recordings: int
    requests: int
    per_second: float
    rate: float
    busiest: int
    cpu_ms: float


class _Airtable(AirtableServer):
    """The stand-in; notes when each request arrives, before the 100 ms that its answer takes."""

    def __init__(self) -> None:
        super().__init__(token=AIRTABLE_TOKEN)
        self.arrivals: list[float] = []

    def handle(self, request: Request) -> Delivery:
        self.arrivals.append(time.monotonic())
        return super().handle(request)


def rows(libraries: Libraries) -> list[Row]:
    """Batches of one and of ten."""
    made: list[Row] = []
    for size in (1, 10):
        run = _run(libraries, size)
        what = f"deliver: batches of {size}, {RUNTIMES} runtimes at once"
        made += [
            Row(
                what=what,
                figure=f"{run.per_second:.1f} recordings/s",
                against=f"{run.recordings} recordings, {run.cpu_ms:.1f} ms CPU each",
            ),
            Row(
                what=f"{what}: Airtable requests for a recording",
                figure=f"{run.requests} for {run.recordings}",
                against="one list and one PATCH a batch; besides, one for the fields in ten minutes",
                value=ratio(run.requests, run.recordings),
                target=REQUESTS_TARGET if size == 10 else None,
            ),
            Row(
                what=f"{what}: share of Airtable's ceiling",
                figure=f"{run.rate:.2f} requests/s",
                against=f"{CEILING} requests/s",
                value=ratio(run.rate, CEILING),
                target=CEILING_TARGET if size == 10 else None,
                why=_WHY_SHARE,
            ),
            Row(
                what=f"{what}: the busiest second",
                figure=f"{run.busiest} requests",
                against=f"{CEILING} requests",
                value=ratio(run.busiest, CEILING),
                target=Target(bound=1),
                why=_WHY_BUSIEST,
            ),
        ]
    return made


def _run(libraries: Libraries, size: int) -> Run:
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    with contextlib.ExitStack() as stack:
        airtable = stack.enter_context(_Airtable())
        airtable.faults.add(Fault(outcome=Outcome.ANSWER, delay_seconds=ANSWER_SECONDS, times=None))
        aws = stack.enter_context(AwsStub(secret=SECRET, modified=ended.isoformat().replace("+00:00", "Z")))
        environment = aws.environment | DELIVER | {
            "CALLREC_AIRTABLE_URL": airtable.url,
            "CALLREC_AIRTABLE_BASE": airtable.base_id,
            "CALLREC_AIRTABLE_TABLE": airtable.table,
        }  # fmt: skip
        runtimes = [
            stack.enter_context(function("functions.deliver.handler", libraries.path, environment))
            for _ in range(RUNTIMES)
        ]
        return _deliver(airtable, runtimes, size, ended)


def _deliver(airtable: _Airtable, runtimes: list[Function], size: int, ended: datetime) -> Run:
    queue = _Queue(airtable, size, ended)
    for one in runtimes:  # the first batch of each asks for the table's fields as well
        queue.deliver(one)
    airtable.arrivals.clear()
    cpu = [one.cpu_s() for one in runtimes]
    end = time.monotonic() + SECONDS

    def work(one: Function) -> int:
        count = 0
        while time.monotonic() < end:
            count += queue.deliver(one)
        return count

    with ThreadPoolExecutor(len(runtimes)) as threads:
        done = sum(threads.map(work, runtimes))
    times = airtable.arrivals
    rate = (len(times) - 1) / (times[-1] - times[0])
    spent = sum(one.cpu_s() for one in runtimes) - sum(cpu)
    return Run(
        recordings=done,
        requests=len(times),
        per_second=rate * done / len(times),
        rate=rate,
        busiest=busiest(times),
        cpu_ms=1000 * spent / done,
    )


class _Queue:
    """Batches of recordings whose conversations stand in the table just as long: its search is not what is measured."""

    def __init__(self, airtable: _Airtable, size: int, ended: datetime) -> None:
        self._airtable = airtable
        self._batches = batches(size, ended)
        self._lock = threading.Lock()

    def deliver(self, one: Function) -> int:
        """Hand over the next batch; how many of its recordings were delivered (all, or it is no measurement)."""
        with self._lock:
            calls = next(self._batches)
        seeded = [self._airtable.seed(conversation(call)) for call in calls]
        answer = one.invoke({"Records": [message(call) for call in calls]})
        linked = [self._airtable.read(record_id) for record_id in seeded]
        if answer["batchItemFailures"] or not all("audio_recording_url" in record for record in linked):
            raise RuntimeError("a recording was not delivered")
        with self._airtable.store.lock:
            for record_id in seeded:
                del self._airtable.base.tables[0].records[record_id]
        return len(calls)


def busiest(times: list[float]) -> int:
    """The most requests within any one second, wherever it begins."""
    ordered = sorted(times)
    return max(bisect.bisect_left(ordered, begin + 1) - index for index, begin in enumerate(ordered))
