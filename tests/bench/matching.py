"""Rows about matching: `deliver`'s own work for a batch while the table holds 100,000 conversations.

Airtable filters: what reaches `deliver` are the candidates of its batch, however large the table is. What the work
would be if everything came back is shown beside it.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

from pyairtable import Api

from infra.functions.airtable import Airtable
from infra.functions.conversations import Conversations
from infra.functions.matching import Conversation, Decision, Rules, assign
from infra.functions.recording import Recording
from infra.functions.settings import DEFAULT_FIELDS, AirtableSettings
from scripts.local.airtable_server import AirtableServer, conversations_table
from tests.bench.recordings import APART, ROOM, Call, payload
from tests.bench.row import Row

CONVERSATIONS = 100_000
BATCH = 10
ROUNDS = 5
_WINDOW = timedelta(seconds=120)
_NOW = datetime(2026, 11, 24, tzinfo=UTC)


def rows() -> list[Row]:
    """With the candidates of a batch, and with the whole table as candidates; the verdicts must be the same."""
    calls = [Call(number=number, ended=_NOW - APART * number) for number in range(1, CONVERSATIONS + 1)]
    wanted = [(call.room_id, _recording(call)) for call in calls[:: CONVERSATIONS // BATCH]]
    with AirtableServer(tables=[conversations_table(without=("room_id", "egress_id"))]) as airtable:
        table = [_conversation(call, airtable) for call in calls]
        candidates = _candidates(airtable, [recording for _, recording in wanted])
    few, verdicts = _cpu_ms(wanted, candidates)
    many, same = _cpu_ms(wanted, table)
    if verdicts != same or not all(isinstance(verdict, Decision) for verdict in verdicts):
        raise RuntimeError("the filter leaves out what matching would find")
    what = f"matching: a batch of {BATCH} by room name, {CONVERSATIONS:,} conversations in the table"
    return [
        Row(
            what=what,
            figure=f"{few:.2f} ms CPU",
            against=f"{len(candidates)} candidates come back",
        ),
        Row(
            what=f"{what}, if nothing filtered",
            figure=f"{many:,.0f} ms CPU",
            against=f"{CONVERSATIONS:,} candidates",
        ),
    ]


def _conversation(call: Call, airtable: AirtableServer) -> Conversation:
    """Puts it into the table, too."""
    started = call.began + timedelta(seconds=2)
    record = airtable.seed({"room_name": ROOM, "started_at": started.isoformat(timespec="milliseconds")})
    return Conversation(record_id=record, room_name=ROOM, started_at=started, own_start=True)


def _recording(call: Call) -> Recording:
    made = Recording.from_payload(payload(call))
    if made is None:
        raise RuntimeError("the event announces no recording")
    return made


def _candidates(airtable: AirtableServer, recordings: list[Recording]) -> list[Conversation]:
    """What Airtable's stand-in answers to `deliver`'s own question."""
    settings = AirtableSettings(
        url=airtable.url, base=airtable.base_id, table=airtable.table, fields=DEFAULT_FIELDS, interval_s=0.0
    )
    table = Airtable(Api(airtable.token, endpoint_url=airtable.url, timeout=None), settings)
    return Conversations(table).candidates(recordings, _WINDOW, lambda _: None)


def _cpu_ms(
    wanted: list[tuple[str, Recording]], conversations: list[Conversation]
) -> tuple[float, list[Decision | Exception]]:
    rules = Rules(window=_WINDOW, settle=timedelta(0), now=_NOW.timestamp())
    spent: list[float] = []
    verdicts: list[Decision | Exception] = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        verdicts = [*assign(wanted, conversations, rules)]
        spent.append((time.process_time_ns() - began) / 1e6)
    return statistics.median(spent), verdicts
