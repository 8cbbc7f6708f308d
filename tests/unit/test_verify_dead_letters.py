"""The dead-letter row, and taking just our own messages out of a queue."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from scripts.verify import dead_letters
from scripts.verify.hop import Outcome, Result
from tests.unit.verify_support import FakeAws, FakeClient, assert_failed, deployment, refusal, tried

URL = "https://sqs/events-dlq.fifo"


class FakeQueue(FakeClient):
    """A queue that hands out what is visible, `page` at a time."""

    def __init__(self, *bodies: str, page: int = 10, reason: str | None = "ambiguous", age: float = 7_260.0) -> None:
        self.held: list[str] = []
        self.messages = {
            str(number): {
                "ReceiptHandle": str(number),
                "Body": body,
                "Attributes": {"SentTimestamp": str(int((time.time() - age) * 1000))},
                **({"MessageAttributes": {"reason": {"StringValue": reason}}} if reason else {}),
            }
            for number, body in enumerate(bodies)
        }
        self.page = page
        super().__init__(
            receive_message=self._receive,
            delete_message=lambda **call: self.messages.pop(call["ReceiptHandle"]),
            change_message_visibility=lambda **call: self.held.remove(call["ReceiptHandle"]),
            get_queue_attributes=lambda **_: {"Attributes": {"ApproximateNumberOfMessages": str(len(self.messages))}},
        )

    def _receive(self, **_: Any) -> Any:
        visible = [receipt for receipt in self.messages if receipt not in self.held][: self.page]
        self.held += visible
        return {"Messages": [self.messages[receipt] for receipt in visible]} if visible else {}


def event(room: str) -> str:
    return json.dumps({"event": "egress_ended", "room": {"name": room}})


def row(sqs: FakeClient) -> Result:
    return tried(dead_letters.hops(deployment(FakeAws(clients={"sqs": sqs}))), "queue.dead_letters")


def test_an_empty_queue_holds() -> None:
    assert row(FakeQueue()).outcome is Outcome.OK


def test_given_up_messages_are_counted_with_age_and_reasons() -> None:
    queue = FakeQueue(event("camille"), event("camille"))
    result = row(queue)
    assert_failed(result, "2 given up, the oldest 2 h 1 min ago: 2 ambiguous")
    assert "camille" not in result.seen
    assert queue.held == []


def test_a_message_that_the_queue_itself_gave_up_has_no_reason() -> None:
    assert_failed(row(FakeQueue(event("x"), reason=None, age=61.0)), "1 min 1 s ago: 1 tried too often")


def test_messages_in_flight_are_counted_too() -> None:
    queue = FakeQueue()
    queue.answers["get_queue_attributes"] = {"Attributes": {"ApproximateNumberOfMessagesNotVisible": "3"}}
    assert_failed(row(queue), "3 given up, the oldest 0 min 0 s ago: reason not readable")


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
def test_a_missing_queue_is_named(code: str) -> None:
    assert_failed(row(FakeClient(get_queue_attributes=refusal(code))), "no such queue")


def test_a_refusal_is_not_a_missing_queue() -> None:
    assert_failed(row(FakeClient(get_queue_attributes=refusal("AccessDenied", "Get"))), "Get: AccessDenied")


def test_sweeping_takes_our_messages_and_releases_the_others() -> None:
    bodies = [
        "no json",
        "[]",
        json.dumps({"room": {"name": 5}}),
        event("callrec-verify-1"),
        event("camille"),
        event("callrec-verify-2"),
    ]
    queue = FakeQueue(*bodies, page=2)
    assert dead_letters.sweep(queue, URL) == 2  # pyright: ignore[reportArgumentType]
    assert [message["Body"] for message in queue.messages.values()] == [bodies[0], bodies[1], bodies[2], bodies[4]]
    assert queue.held == ["3", "5"]  # ours, which are deleted


def test_others_are_released_even_when_ours_cannot_be_deleted() -> None:
    queue = FakeQueue(event("callrec-verify-1"), event("camille"))
    queue.answers["delete_message"] = refusal("AccessDenied")
    with pytest.raises(type(refusal("x"))):
        dead_letters.sweep(queue, URL)  # pyright: ignore[reportArgumentType]
    assert queue.held == ["0"]


def test_a_look_at_an_endless_queue_ends() -> None:
    queue = FakeQueue(*[event(str(number)) for number in range(300)], page=1)
    assert len(dead_letters.peek(queue, URL)) == dead_letters.ROUNDS  # pyright: ignore[reportArgumentType]
    assert queue.held == []
