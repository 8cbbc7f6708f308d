"""Calls that ended, the batches in which the queue hands them to `deliver`, and their conversations."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.unit.functions_support import ended as ended_event

#: All calls share one room name, as an agent's do; each begins so long after the one before.
ROOM = "camille"
APART = timedelta(minutes=10)
LASTS = timedelta(minutes=5)
SIZE_BYTES = 100


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call. Times are aware UTC."""

    number: int
    ended: datetime

    @property
    def room_id(self) -> str:
        return f"RM_{self.number:012}"

    @property
    def began(self) -> datetime:
        return self.ended - LASTS


def conversation(call: Call) -> dict[str, Any]:
    """The record that the agent made of a call."""
    return {"room_name": ROOM, "room_id": call.room_id, "started_at": call.began.isoformat()}


def payload(call: Call) -> dict[str, Any]:
    """LiveKit's event of a call's recording: the captured one with other ids and times."""
    began, ended = (str(int(moment.timestamp()) * 10**9) for moment in (call.began, call.ended))
    file = {
        "filename": f"calls/{ROOM}-{call.number}.mp4",
        "size": str(SIZE_BYTES),
        "duration": str(int(LASTS.total_seconds()) * 10**9),
        "startedAt": began,
        "endedAt": ended,
    }
    event = ended_event(
        egressId=f"EG_{call.number:012}",
        roomId=call.room_id,
        roomName=ROOM,
        startedAt=began,
        endedAt=ended,
        fileResults=[file],
        file=None,
    )
    return event | {"id": f"EV_{call.number:012}"}


def batches(size: int, first: datetime) -> Iterator[list[Call]]:
    """Calls, without end, so many at a time; they end at `first` and ever earlier, so that none lies in the future."""
    numbers = itertools.count(1)
    while True:
        yield [Call(number=number, ended=first - APART * number) for number in itertools.islice(numbers, size)]


def message(call: Call) -> dict[str, Any]:
    """One record of Lambda's SQS event."""
    return {
        "messageId": f"m-{call.number}",
        "receiptHandle": f"r-{call.number}",
        "body": json.dumps(payload(call)),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(int(time.time() * 1000)),
            "MessageGroupId": call.room_id,
            "MessageDeduplicationId": f"EV_{call.number:012}",
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:events.fifo",
        "awsRegion": "us-east-1",
    }
