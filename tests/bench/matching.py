"""Rows about matching: `deliver`'s own work for a batch while the table holds 100,000 conversations.

Airtable filters: what reaches `deliver` are the candidates of its batch, however large the table is. What the work
would be if everything came back is shown beside it.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

from infra.functions.matching import Conversation, Decision, Rules, assign, time_span
from infra.functions.recording import Recording
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
    table = [_conversation(call) for call in calls]
    wanted = [(call.room_id, _recording(call)) for call in calls[:: CONVERSATIONS // BATCH]]
    candidates = [one for one in table if any(_asked_for(recording, one) for _, recording in wanted)]
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


def _conversation(call: Call) -> Conversation:
    return Conversation(
        record_id=f"rec{call.number:014}", room_name=ROOM, started_at=call.began + timedelta(seconds=2), own_start=True
    )


def _recording(call: Call) -> Recording:
    made = Recording.from_payload(payload(call))
    if made is None:
        raise RuntimeError("the event announces no recording")
    return made


def _asked_for(recording: Recording, conversation: Conversation) -> bool:
    """What the formula of airtable.py asks Airtable for, of conversations without ids."""
    span = time_span(recording, _WINDOW)
    return span is not None and span[0] <= conversation.started_at <= span[1]


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
