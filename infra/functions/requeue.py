"""Puts an `egress_ended` on the events' queue that LiveKit's webhook did not bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from .egress_info import Ended
from .log import fault, log
from .queue_id import queue_id
from .timetable import Timetable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_AT_ONCE = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_id(one: Ended, timetable: Timetable) -> str:
    """Equal for the same recording and the same look at it: what two runs send within five minutes arrives once."""
    microsecond = timedelta(microseconds=1)
    look = f"hand-{int(timetable.now.timestamp() // 60)}" if timetable.by_hand else str(timetable.turn(one.at))
    return queue_id(f"reconcile-{one.recording.egress_id}-{(one.at - _EPOCH) // microsecond}-{look}")


class Requeue:
    """The events' queue. `requests` counts what it was asked: one for ten events."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        """No request is made."""
        self._sqs, self._url = sqs, url
        self.requests = 0

    def send(self, ended: Sequence[Ended], name: Callable[[Ended], str]) -> set[str]:
        """Send these, each in its room session's group, as `receive` does; returns the ids of the egresses sent."""
        sent: set[str] = set()
        for start in range(0, len(ended), _AT_ONCE):
            chunk = ended[start : start + _AT_ONCE]
            failed = self._send(chunk, name)
            sent |= {one.recording.egress_id for index, one in enumerate(chunk) if index not in failed}
        return sent

    def _send(self, chunk: Sequence[Ended], name: Callable[[Ended], str]) -> set[int]:
        """The places in the chunk of those that did not arrive."""
        entries: Any = [
            {
                "Id": str(index),
                "MessageBody": one.event(name(one)),
                "MessageGroupId": queue_id(one.recording.room_id or one.recording.egress_id),
                "MessageDeduplicationId": name(one),
            }
            for index, one in enumerate(chunk)
        ]
        self.requests += 1
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            log("error", "requeue_failed", error=fault(error), count=len(chunk))
            return set(range(len(chunk)))
        failed = {int(one["Id"]) for one in answer.get("Failed", [])}
        if failed:
            log("error", "requeue_failed", count=len(failed))
        return failed
