"""A queue's messages, held for a while so that each is seen once, and put back."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripts.dead_letters.letter import Letter
from scripts.interruption import postponed, uninterruptible

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

COUNTS: list[QueueAttributeNameType] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]
MOST_AT_ONCE = 10


def depth(sqs: SQSClient, url: str) -> int:
    """How many messages a queue holds, visible or not; on AWS the count may lag by a minute."""
    attributes: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)["Attributes"]
    return sum(int(attributes.get(name, 0)) for name in COUNTS)


def retention(sqs: SQSClient, url: str) -> float:
    """Seconds after which a queue deletes a message by itself."""
    attributes: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["MessageRetentionPeriod"])["Attributes"]
    return float(attributes["MessageRetentionPeriod"])


@dataclass(kw_only=True, slots=True)
class Hold:
    """Messages taken from a queue: nobody else gets them for `seconds`, nor others of their message groups.

    A FIFO queue hands out at most ten messages of a group, then none of it until those are deleted or put back. So
    whatever of a group lies behind its first ten is not seen.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
    """

    sqs: SQSClient = field(repr=False)
    url: str
    seconds: int
    clock: Callable[[], float] = time.time
    letters: dict[str, Letter] = field(default_factory=dict[str, Letter])

    def take(self) -> list[Letter]:
        """Take up to ten more, in the order of their groups; [] when no more can be had now."""
        with postponed():  # what is received but not noted would stay hidden until its time is over
            answer = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=MOST_AT_ONCE,
                VisibilityTimeout=self.seconds,
                WaitTimeSeconds=1,  # asks every server of the queue, where a short poll may miss what is there
                MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId", "MessageDeduplicationId"],
                MessageAttributeNames=["reason", "detail"],
            )
            now = self.clock()
            taken = [Letter.of(message, now) for message in answer.get("Messages", [])]
            self.letters |= {letter.id: letter for letter in taken}
        return taken

    def keep(self, letters: Iterable[Letter], seconds: int) -> None:
        """Hold these for `seconds` from now on."""
        self._show(letters, seconds)

    def delete(self, letters: Sequence[Letter]) -> dict[str, str]:
        """Delete them; those that stay, by id, with SQS's word for why."""
        stayed: dict[str, str] = {}
        for chunk in _tens(letters):
            entries: Any = [{"Id": str(at), "ReceiptHandle": letter.receipt} for at, letter in enumerate(chunk)]
            answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
            failed = {chunk[int(entry["Id"])].id: entry["Code"] for entry in answer.get("Failed", [])}
            stayed |= failed
            for letter in chunk:
                if letter.id not in failed:
                    del self.letters[letter.id]
        return stayed

    def put_back(self) -> None:
        """Let everybody see again what is held."""
        self._show(list(self.letters.values()), 0)
        self.letters.clear()

    def _show(self, letters: Iterable[Letter], seconds: int) -> None:
        """A message whose time was over already is visible, which SQS answers among the failed: that is well."""
        for chunk in _tens(letters):
            entries: Any = [
                {"Id": str(at), "ReceiptHandle": letter.receipt, "VisibilityTimeout": seconds}
                for at, letter in enumerate(chunk)
            ]
            self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)


@contextmanager
def held(sqs: SQSClient, url: str, seconds: int) -> Generator[Hold]:
    """A hold that is empty yet; at the end of the block everything in it is put back, whatever happens."""
    hold = Hold(sqs=sqs, url=url, seconds=seconds)
    try:
        yield hold
    finally:
        with uninterruptible():
            hold.put_back()


def _tens(letters: Iterable[Letter]) -> Generator[list[Letter]]:
    whole = list(letters)
    for start in range(0, len(whole), MOST_AT_ONCE):
        yield whole[start : start + MOST_AT_ONCE]
