"""What waits in the queues of a stack that is about to go, and would be lost with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from scripts.dead_letters.queue import depth
from scripts.teardown.state import Resource

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

QUEUE = "aws:sqs/queue:Queue"


def waiting(sqs: SQSClient, resources: Iterable[Resource]) -> dict[str, int]:
    """Queue's name → how many messages it holds; a queue that AWS does not have any more holds none."""
    counted: dict[str, int] = {}
    for resource in resources:
        if resource.type == QUEUE and resource.id:
            try:
                counted[resource.id.rpartition("/")[2]] = depth(sqs, resource.id)
            except ClientError:
                continue
    return counted
