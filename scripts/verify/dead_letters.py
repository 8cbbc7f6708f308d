"""The queues: nothing given up, and none of our own probes left in them."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from scripts.dead_letters.letter import Letter, ago
from scripts.dead_letters.queue import Hold, depth, held
from scripts.deployment import Deployment
from scripts.verify.hop import Failed, Hop, code_of
from scripts.verify.probe import MARK, mend

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ROUNDS = 20
# Long enough that one look through the queue meets each message once.
HOLD_SECONDS = 30


class StubbornError(Exception):
    """S3 or SQS kept some of what it was asked to delete."""


def hops(deployment: Deployment) -> list[Hop]:
    """One hop."""
    url, sqs = deployment.outputs.dead_letter_queue_url, deployment.aws.client("sqs")
    probe = partial(empty, sqs, url, stack=deployment.stack, mending=mend(deployment))
    return [Hop(id="queue.dead_letters", title="dead-letter queue is empty", probe=probe)]


def empty(sqs: SQSClient, url: str, *, stack: str, mending: str) -> str:
    """No message there; else how many, how old, and why."""
    try:
        count = depth(sqs, url)
    except ClientError as error:
        if not code_of(error).endswith(("NonExistentQueue", "QueueDoesNotExist")):
            raise
        raise Failed("there is no such queue", cause="somebody deleted it", mend=mending) from None
    if count == 0:
        return "empty"
    letters, now = peek(sqs, url), time.time()
    oldest = max((letter.age(now) for letter in letters), default=0.0)
    reasons = ", ".join(f"{number} {reason}" for reason, number in Counter(letter.reason for letter in letters).items())
    raise Failed(
        f"{count} given up, the oldest {ago(oldest)} ago: {reasons or 'reason not readable now'}",
        cause="recordings could not be delivered: the reasons say why",
        mend=f"callrec dlq --stack {stack}, and once that is mended: callrec redrive --stack {stack}",
    )


def peek(sqs: SQSClient, url: str) -> list[Letter]:
    """Look at the messages that can be had now, and put them back at once."""
    with held(sqs, url, HOLD_SECONDS) as hold:
        return _look(hold)


def sweep(sqs: SQSClient, url: str) -> int:
    """Delete the probes' messages, put the others back at once; how many were deleted.

    Raises StubbornError when one of the probes' stays.
    """
    with held(sqs, url, HOLD_SECONDS) as hold:
        ours = [letter for letter in _look(hold) if (letter.about.room_name or "").startswith(f"{MARK}-")]
        stayed = hold.delete(ours)
    if stayed:
        raise StubbornError(f"{len(stayed)} of {len(ours)} stayed: {', '.join(sorted(set(stayed.values())))}")
    return len(ours)


def _look(hold: Hold) -> list[Letter]:
    for _ in range(ROUNDS):
        if not hold.take():
            break
    return list(hold.letters.values())
