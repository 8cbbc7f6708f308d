"""The rows: what must hold, how it is tried, and how large, short for every test run and full for the soak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.faults import row_airtable, row_burst, row_kills, row_outage, row_poison, row_reuse, row_services
from tests.faults.figures import Figures, shown
from tests.faults.seed import chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. `run` takes a size, random numbers and a broken build's name; NotHeldError when it does not hold."""

    title: str
    must_hold: str
    run: Callable[..., Figures]
    short: Any
    full: Any


ROWS = {
    "burst": Row(
        title="10,000 events of 2,000 recordings, each sent 1-5 times, shuffled, 20 % forged",
        must_hold="every recording on its own conversation, no other field touched, 0 forged enqueued",
        run=row_burst.run,
        short=row_burst.Size(factor=20, events=400, recordings=80, seconds=120),
        full=row_burst.Size(factor=4, events=10_000, recordings=2_000, seconds=600),
    ),
    "reuse": Row(
        title="`camille` reused by 500 overlapping and back-to-back calls, agents write the room id",
        must_hold="0 wrong, every call linked",
        run=partial(row_reuse.run, room_ids=True),
        short=row_reuse.Size(factor=600, calls=20, seconds=80),
        full=row_reuse.Size(factor=400, calls=500, seconds=60),
    ),
    "reuse-by-name": Row(
        title="the same by the room's name alone, in a table without a field for the room id",
        must_hold="0 wrong; ambiguous ones reported, not guessed",
        run=partial(row_reuse.run, room_ids=False),
        short=row_reuse.Size(factor=600, calls=20, seconds=80),
        full=row_reuse.Size(factor=400, calls=500, seconds=60),
    ),
    "outage": Row(
        title="our side down 0/10/20/120 s, LiveKit's own retries and 30 s age limit",
        must_hold="0 lost after one reconcile",
        run=row_outage.run,
        short=row_outage.Size(factor=20, calls=10, seconds=120),
        full=row_outage.Size(factor=5, calls=100, seconds=120),
    ),
    "kills": Row(
        title="deliver killed (SIGKILL) before, in and after each step, 500 times",
        must_hold="converges, no duplicates",
        run=row_kills.run,
        short=row_kills.Size(factor=360, kills=27, seconds=120),
        full=row_kills.Size(factor=360, kills=500, seconds=120),
    ),
    "airtable": Row(
        title="Airtable: lock-outs of 30 s throughout, 500s, time-outs, half answers, an hour's outage",
        must_hold="0 lost, dead-letter queue empty when it is over; at most 5 requests in any second",
        run=row_airtable.run,
        short=row_airtable.Size(factor=480, recordings=12, steady=50, seconds=120),
        full=row_airtable.Size(factor=120, recordings=200, steady=500, seconds=300),
    ),
    "poison": Row(
        title="one poison message in each batch",
        must_hold="its 9 neighbours done once, it in the dead-letter queue with its reason",
        run=row_poison.run,
        short=row_poison.Size(factor=20, batches=9, seconds=120),
        full=row_poison.Size(factor=20, batches=100, seconds=120),
    ),
    "services": Row(
        title="Secrets Manager or SQS failing inside receive; S3, which only deliver asks",
        must_hold="5xx within LiveKit's 10 s, and the retry succeeds",
        run=row_services.run,
        short=row_services.Size(rounds=1, seconds=120),
        full=row_services.Size(rounds=10, seconds=60),
    ),
}


def check(name: str, size: Any = None, *, broken: str = "") -> Figures:
    """Run a row, at its short size unless told otherwise; its figures, which are printed too."""
    row = ROWS[name]
    figures = row.run(size or row.short, chance(name), broken)
    print(f"{name}: {shown(figures)}")  # noqa: T201
    return figures
