"""What waits in a queue that goes is counted; a queue that is gone already holds nothing."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from scripts.teardown.queues import QUEUE, waiting
from scripts.teardown.state import Resource


class _Sqs:
    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Any) -> Any:  # noqa: N803 -- boto3's names
        if QueueUrl.endswith("gone"):
            raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "GetQueueAttributes")
        return {"Attributes": dict.fromkeys(AttributeNames, "2")}


def resource(kind: str, physical: str) -> Resource:
    return Resource(urn=physical, type=kind, id=physical, parent="")


def test_messages_are_counted_by_queue() -> None:
    there = [
        resource(QUEUE, "https://sqs/1/events.fifo"),
        resource(QUEUE, "https://sqs/1/gone"),
        resource(QUEUE, ""),
        resource("aws:iam/user:User", "uploader"),
    ]
    counted: Any = waiting(_Sqs(), there)  # pyright: ignore[reportArgumentType]
    assert list(counted) == ["events.fifo"]
    assert counted["events.fifo"] >= 2
