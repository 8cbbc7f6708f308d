"""Queue messages: read a batch, and tell the queue what became of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import DeliveryError, PermanentError, WaitError
from .log import Metric, fault, log, metric
from .matching import behind

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

FIRST_DELAY, LONGEST_DELAY = 30, 900
#: How long after the moment at which all that it needs should be there a message may still wait for its next try.
LATE_SECONDS = LONGEST_DELAY
#: Somebody's Retry-After may exceed LONGEST_DELAY; SQS allows 12 h in all.
MOST_DELAY = 40_000
#: How long a message may wait for what is missing.
PATIENCE_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a batch. `sent_at` in unix seconds."""

    id: str
    receipt: str = field(repr=False)
    group: str
    body: str = field(repr=False)
    receive_count: int
    sent_at: float

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Message:
        """Read one record of Lambda's SQS event."""
        attributes = record["attributes"]
        return cls(
            id=record["messageId"],
            receipt=record["receiptHandle"],
            group=attributes["MessageGroupId"],
            body=record["body"],
            receive_count=int(attributes["ApproximateReceiveCount"]),
            sent_at=int(attributes["SentTimestamp"]) / 1000,
        )


class Batch:
    """The messages of one invocation, in the queue's order, and the verdict on each."""

    def __init__(self, messages: Sequence[Message]) -> None:
        """No verdict yet."""
        self.messages = messages
        self._errors: dict[str, DeliveryError] = {}
        self._done: set[str] = set()

    def fail(self, message: Message, error: DeliveryError) -> None:
        """The message failed."""
        self._errors[message.id] = error

    def done(self, message: Message) -> None:
        """Nothing more is to be done for the message."""
        self._done.add(message.id)

    def open(self) -> list[Message]:
        """What still is to be worked on: no verdict yet, and nothing of its group waits before it."""
        stuck: set[str] = set()
        found: list[Message] = []
        for message in self.messages:
            error = self._errors.get(message.id)
            if isinstance(error, WaitError):
                stuck.add(message.group)
            elif error is None and message.group not in stuck and message.id not in self._done:
                found.append(message)
        return found

    def verdicts(self) -> list[tuple[Message, DeliveryError | None]]:
        """Each message's error, None when all went well; one that nobody decided on was never looked at."""
        return [(message, self._verdict(message)) for message in self.messages]

    def _verdict(self, message: Message) -> DeliveryError | None:
        error = self._errors.get(message.id)
        return behind() if error is None and message.id not in self._done else error


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The queue, its dead-letter queue, and the name of the function for metrics.

    `settle_seconds`: how long some messages wait on purpose.
    """

    sqs: SQSClient
    url: str
    dead_letter_url: str
    function: str
    settle_seconds: int

    def conclude(self, batch: Batch, now: float) -> dict[str, Any]:
        """Bury what is dead, delay what waits, and return Lambda's partial batch response.

        A FIFO queue keeps its order just if everything of a group behind a failed message fails too.
        """
        delays: dict[str, int] = {}
        returned: list[tuple[Message, int]] = []
        counts: Counter[tuple[Metric, str]] = Counter()
        for message, verdict in batch.verdicts():
            error = behind() if message.group in delays else verdict
            if error is None:
                log("info", "verdict", message=message.id, outcome="done")
                continue
            if self._dies(message, error, now):
                unburied = self._bury(message, error)
                if unburied is None:
                    counts["dead", error.reason] += 1
                    continue
                error = unburied
            log("info", "verdict", message=message.id, outcome="waiting", reason=error.reason)
            delays.setdefault(message.group, delay(message, error))
            returned.append((message, delays[message.group]))
            counts["waiting", error.reason] += 1
            if now - message.sent_at >= self.settle_seconds + LATE_SECONDS:
                counts["delivery_late", error.reason] += 1
        self._postpone(returned)
        for (name, reason), count in counts.items():
            metric(self.function, name, count, reason=reason)
        return failures(message for message, _ in returned)

    @staticmethod
    def _dies(message: Message, error: DeliveryError, now: float) -> bool:
        if error.reason == behind().reason:
            return False
        return isinstance(error, PermanentError) or now - message.sent_at >= PATIENCE_SECONDS

    def _bury(self, message: Message, error: DeliveryError) -> WaitError | None:
        """To the dead-letter queue, with the reason; the error to wait with when even that fails.

        The deduplication id is the message's own id, not the event's: an event that dies again after a redrive must
        not be taken for a repetition and vanish.
        """
        attributes: Any = {
            "reason": {"DataType": "String", "StringValue": error.reason},
            "detail": {"DataType": "String", "StringValue": error.text},
        }
        try:
            self.sqs.send_message(
                QueueUrl=self.dead_letter_url,
                MessageBody=message.body,
                MessageGroupId=message.group,
                MessageDeduplicationId=message.id,
                MessageAttributes=attributes,
            )
        except Exception as problem:  # noqa: BLE001  # the message must not be lost, whatever the problem is
            log("error", "bury_failed", error=fault(problem), message=message.id)
            return WaitError("dead_letter_unavailable", "the dead-letter queue did not take the message")
        log("error", "verdict", message=message.id, outcome="dead", reason=error.reason)
        return None

    def _postpone(self, returned: Sequence[tuple[Message, int]]) -> None:
        """Delay each message; where that fails, the queue's own visibility time-out does."""
        entries: Any = [
            {"Id": str(index), "ReceiptHandle": message.receipt, "VisibilityTimeout": seconds}
            for index, (message, seconds) in enumerate(returned)
        ]
        try:
            for start in range(0, len(entries), 10):
                chunk = entries[start : start + 10]
                answer = self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=chunk)
                if answer.get("Failed"):
                    log("warning", "postpone_failed", count=len(answer["Failed"]))
        except Exception as problem:  # noqa: BLE001
            log("warning", "postpone_failed", error=fault(problem), count=len(entries))


def delay(message: Message, error: DeliveryError) -> int:
    """Seconds until the next try: 30 doubling to 900 by the number of tries, or as long as somebody asked for."""
    doublings = min(max(message.receive_count, 1) - 1, 10)
    own = min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)
    asked = error.delay if isinstance(error, WaitError) and error.delay else 0.0
    return min(max(own, math.ceil(asked)), MOST_DELAY)


def failures(messages: Any) -> dict[str, Any]:
    """Lambda's partial batch response."""
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in messages]}
