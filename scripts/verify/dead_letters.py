"""The queues: nothing given up, and none of our own probes left in them."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.deployment import Deployment
from scripts.verify.hop import Failed, Hop, code_of
from scripts.verify.probe import MARK, mend

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

COUNTS: list[QueueAttributeNameType] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]
ROUNDS = 20
# Long enough that one look through the queue meets each message once.
HOLD_SECONDS = 30


def hops(deployment: Deployment) -> list[Hop]:
    """One hop."""
    url, sqs = deployment.outputs.dead_letter_queue_url, deployment.aws.client("sqs")
    probe = partial(empty, sqs, url, mend(deployment))
    return [Hop(id="queue.dead_letters", title="dead-letter queue is empty", probe=probe)]


def empty(sqs: SQSClient, url: str, mending: str) -> str:
    """No message there; else how many, how old, and why."""
    try:
        count = depth(sqs, url)
    except ClientError as error:
        if not code_of(error).endswith(("NonExistentQueue", "QueueDoesNotExist")):
            raise
        raise Failed("there is no such queue", cause="somebody deleted it", mend=mending) from None
    if count == 0:
        return "empty"
    letters = peek(sqs, url)
    oldest = max((letter.age for letter in letters), default=0.0)
    reasons = ", ".join(f"{number} {reason}" for reason, number in Counter(letter.reason for letter in letters).items())
    raise Failed(
        f"{count} given up, the oldest {_ago(oldest)} ago: {reasons or 'reason not readable now'}",
        cause="recordings could not be delivered: the reasons say why",
        mend=f"aws sqs receive-message --message-attribute-names reason --queue-url {url}",
    )


def depth(sqs: SQSClient, url: str) -> int:
    """How many messages a queue holds, visible or not."""
    attributes: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)["Attributes"]
    return sum(int(attributes.get(name, 0)) for name in COUNTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One message, without what it says. `age` in seconds; `ours` for a probe's."""

    receipt: str
    reason: str
    age: float
    ours: bool


def peek(sqs: SQSClient, url: str) -> list[Letter]:
    """Look at the messages that can be had now, and put them back at once."""
    letters = _hold(sqs, url)
    _release(sqs, url, letters)
    return letters


def sweep(sqs: SQSClient, url: str) -> int:
    """Delete the probes' messages, put the others back at once; how many were deleted."""
    letters = _hold(sqs, url)
    ours = [letter for letter in letters if letter.ours]
    try:
        for letter in ours:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=letter.receipt)
    finally:
        _release(sqs, url, [letter for letter in letters if not letter.ours])
    return len(ours)


def _hold(sqs: SQSClient, url: str, clock: Callable[[], float] = time.time) -> list[Letter]:
    found: list[Letter] = []
    for _ in range(ROUNDS):
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HOLD_SECONDS,
            WaitTimeSeconds=1,  # asks every server of the queue, where a short poll may miss what is there
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["reason"],
        )
        messages: Any = answer.get("Messages", [])
        if not messages:
            break
        found += [_letter(message, clock()) for message in messages]
    return found


def _letter(message: Any, now: float) -> Letter:
    sent = int(message.get("Attributes", {}).get("SentTimestamp", now * 1000)) / 1000
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "tried too often")
    return Letter(
        receipt=message["ReceiptHandle"], reason=reason, age=max(now - sent, 0.0), ours=_is_ours(message["Body"])
    )


def _is_ours(body: str) -> bool:
    try:
        room = json.loads(body)["room"]["name"]
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(room, str) and room.startswith(f"{MARK}-")


def _release(sqs: SQSClient, url: str, letters: list[Letter]) -> None:
    """Newest first, so that a FIFO queue hands them out in their order again."""
    for letter in reversed(letters):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)


def _ago(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
