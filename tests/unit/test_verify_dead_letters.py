"""The dead-letter row, and taking just our own messages out of a queue."""

from __future__ import annotations

import json

import pytest

from scripts.verify import dead_letters
from scripts.verify.hop import Outcome, Result
from tests.unit.dead_letters_support import FakeQueue, event
from tests.unit.verify_support import FakeAws, FakeClient, assert_failed, deployment, refusal, tried

URL = "https://sqs/events-dlq.fifo"


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
    assert "callrec dlq --stack unit" in result.mend
    assert "callrec redrive --stack unit" in result.mend


def test_a_message_that_the_queue_itself_gave_up_has_no_reason() -> None:
    assert_failed(row(FakeQueue(event("x"), reason=None, age=3_661.0)), "1 h 1 min ago: 1 receives_exhausted")


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
    assert queue.bodies() == [bodies[0], bodies[1], bodies[2], bodies[4]]
    assert queue.held == []


def test_others_are_released_even_when_ours_cannot_be_deleted() -> None:
    queue = FakeQueue(event("callrec-verify-1"), event("camille"))
    queue.answers["delete_message_batch"] = refusal("AccessDenied")
    with pytest.raises(type(refusal("x"))):
        dead_letters.sweep(queue, URL)  # pyright: ignore[reportArgumentType]
    assert queue.held == []


def test_a_probe_that_stays_is_said_with_sqs_word_for_why() -> None:
    queue = FakeQueue(event("callrec-verify-1"), event("callrec-verify-2"))
    queue.answers["delete_message_batch"] = {"Failed": [{"Id": "1", "Code": "ReceiptHandleIsInvalid"}]}
    with pytest.raises(dead_letters.StubbornError, match="1 of 2 stayed: ReceiptHandleIsInvalid"):
        dead_letters.sweep(queue, URL)  # pyright: ignore[reportArgumentType]


def test_a_look_at_an_endless_queue_ends() -> None:
    queue = FakeQueue(*[event(str(number)) for number in range(300)], page=1)
    assert len(dead_letters.peek(queue, URL)) == dead_letters.ROUNDS  # pyright: ignore[reportArgumentType]
    assert queue.held == []
