"""Sending back: nothing lost and nothing twice, wherever it is cut off; the order of a room is kept."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from scripts.dead_letters.letter import Letter
from scripts.dead_letters.listing import HOLD_SECONDS
from scripts.dead_letters.resend import SENDING_SECONDS, Redrive, Sent
from scripts.interruption import Interrupted, interruptible
from tests.unit.dead_letters_support import FakeQueue, ended
from tests.unit.verify_support import FakeClient, refusal


class Queues(FakeClient):
    """SQS with both queues; `before_send` and `after_send` may cut a run off, like a signal or a crash would."""

    def __init__(self, page: int = 10) -> None:
        super().__init__()
        self.dead, self.live = FakeQueue(page=page), FakeQueue(page=page)
        self.before_send: Callable[[str], None] = lambda _: None
        self.after_send: Callable[[str], None] = lambda _: None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            queue = self.dead if arguments["QueueUrl"] == "dead" else self.live
            if name != "send_message":
                return getattr(queue, name)(**arguments)
            self.before_send(arguments["MessageBody"])
            answer = queue.send_message(**arguments)
            self.after_send(arguments["MessageBody"])
            return answer

        return call

    def redrive(
        self,
        chosen: Callable[[Letter], bool] = lambda _: True,
        sent: Sent | None = None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> Sent:
        found = Sent() if sent is None else sent
        fake: Any = self
        Redrive(sqs=fake, dead_letter_url="dead", url="live", chosen=chosen, clock=clock).run(found, 0, lambda _: None)
        return found


def test_each_letter_goes_back_as_it_was() -> None:
    queues = Queues()
    name = queues.dead.add(ended("camille"), group="RM_1", reason="ambiguous")
    sent = queues.redrive()
    [copy] = queues.live.messages.values()
    assert copy["Body"] == ended("camille")
    assert copy["Attributes"]["MessageGroupId"] == "RM_1"
    assert copy["Attributes"]["MessageDeduplicationId"] == f"redrive-{name}"
    assert "MessageAttributes" not in copy
    assert queues.dead.messages == {}
    assert sent.copies == {name: "copy-0"}
    assert (sent.stopped, sent.stayed, sent.passed_over) == (None, {}, set())


def test_the_order_of_each_room_is_kept_also_beyond_ten() -> None:
    queues = Queues(page=4)
    for number in range(36):
        queues.dead.add(f"{number}", group=f"RM_{number % 2}")
    sent = queues.redrive()
    assert len(sent.copies) == 36
    for room in (0, 1):
        mine = [int(body) for body in queues.live.bodies() if int(body) % 2 == room]
        assert mine == list(range(room, 36, 2))
    assert queues.dead.messages == {}


def test_what_is_not_chosen_stays_and_is_visible_again() -> None:
    queues = Queues(page=3)
    for number in range(20):
        queues.dead.add(f"{number}", reason="ambiguous" if number % 3 else "fault")
    sent = queues.redrive(lambda letter: letter.reason == "fault")
    assert queues.live.bodies() == [f"{number}" for number in range(0, 20, 3)]
    assert queues.dead.bodies() == [f"{number}" for number in range(20) if number % 3]
    assert len(sent.passed_over) == 13
    assert queues.dead.held == []


def test_a_letter_being_sent_is_hidden_for_less_than_sqs_remembers_its_copy_and_the_others_for_the_whole_run() -> None:
    queues = Queues()
    queues.dead.add("a", reason="fault")
    queues.dead.add("b", reason="ambiguous")
    queues.redrive(lambda letter: letter.reason == "fault")
    assert set(queues.dead.holds) == {SENDING_SECONDS}
    assert SENDING_SECONDS <= 300 / 2
    kept, back = [call["Entries"] for call in queues.dead.called("change_message_visibility_batch")]
    assert [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in kept] == [("receipt-1", HOLD_SECONDS)]
    assert [entry["VisibilityTimeout"] for entry in back] == [0]


def test_a_letter_that_dies_again_meanwhile_is_not_sent_for_ever() -> None:
    queues = Queues()
    queues.dead.add("poison", group="RM_1", reason="wrong_key")

    def die(body: str) -> None:
        sends = len(queues.live.messages)
        assert sends < 5, "sent over and over"
        queues.dead.add(body, group="RM_1", reason="wrong_key", deduplication=f"copy-{sends - 1}")

    queues.after_send = die
    sent = queues.redrive()
    assert len(sent.copies) == 1
    assert len(sent.again) == 1
    assert sent.passed_over == set()
    assert len(queues.dead.messages) == 1
    assert queues.dead.held == []


class KilledError(BaseException):
    """The end of the process: nothing more is done."""


def test_killed_between_sending_and_deleting_the_next_run_sends_no_second_copy() -> None:
    queues = Queues()
    for body in ("a", "b", "c"):
        queues.dead.add(body)

    def kill(body: str = "b", **_: Any) -> None:
        if body == "b":
            raise KilledError

    queues.after_send = kill
    queues.dead.answers["delete_message_batch"] = kill
    queues.dead.answers["change_message_visibility_batch"] = kill
    with pytest.raises(KilledError):
        queues.redrive()
    assert queues.live.bodies() == ["a", "b"]
    assert queues.dead.bodies() == ["a", "b", "c"]

    whole = Queues()
    whole.dead.messages, whole.dead._made, whole.live = queues.dead.messages, 3, queues.live  # the hiding is over
    sent = whole.redrive()
    assert whole.live.bodies() == ["a", "b", "c"]
    assert whole.dead.bodies() == []
    assert sent.copies["0"] == "copy-0"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_sending_leaves_each_letter_in_exactly_one_place(number: signal.Signals) -> None:
    queues = Queues()
    for body in ("a", "b", "c"):
        queues.dead.add(body)
    queues.after_send = lambda body: signal.raise_signal(number) if body == "b" else None
    with interruptible():
        sent = queues.redrive()
    assert sent.stopped == "interrupted"
    assert set(sent.copies) == {"0", "1"}
    assert (queues.live.bodies(), queues.dead.bodies()) == (["a", "b"], ["c"])
    assert queues.dead.held == []


def test_a_signal_before_anything_is_sent_is_an_interruption() -> None:
    queues = Queues()
    queues.dead.add("a")
    receive = queues.dead.answers["receive_message"]

    def signalled(**call: Any) -> Any:
        answer = receive(**call)
        signal.raise_signal(signal.SIGINT)  # SQS hides the letters already, and the answer is not here yet
        return answer

    queues.dead.answers["receive_message"] = signalled
    with pytest.raises(Interrupted), interruptible():
        queues.redrive()
    assert queues.dead.held == []
    assert queues.live.bodies() == []


def test_a_refusal_ends_it_with_what_was_sent_gone_and_the_rest_there() -> None:
    queues = Queues()
    for body in ("a", "b", "c"):
        queues.dead.add(body, group="RM_1")

    def refuse(body: str) -> None:
        if body == "b":
            raise refusal("OverLimit", "SendMessage")

    queues.before_send = refuse
    sent = queues.redrive()
    assert sent.stopped == "AWS refused SendMessage (OverLimit)"
    assert (queues.live.bodies(), queues.dead.bodies()) == (["a"], ["b", "c"])
    assert queues.dead.held == []


@pytest.mark.parametrize("error", [refusal("AccessDenied", "SendMessage"), EndpointConnectionError(endpoint_url="x")])
def test_a_refusal_of_the_first_is_an_error(error: Exception) -> None:
    queues = Queues()
    queues.dead.add("a")

    def refuse(_: str) -> None:
        raise error

    queues.before_send = refuse
    with pytest.raises(type(error)):
        queues.redrive()
    assert queues.dead.bodies() == ["a"]
    assert queues.dead.held == []


def test_a_letter_that_was_sent_but_stays_is_told() -> None:
    queues = Queues()
    queues.dead.add("a")
    queues.dead.add("b")
    failed = {"Failed": [{"Id": "0", "Code": "ReceiptHandleIsInvalid"}]}
    queues.dead.answers["delete_message_batch"] = failed
    sent = queues.redrive()
    assert sent.stayed == {"0": "ReceiptHandleIsInvalid"}
    assert "0" not in queues.dead.held


def test_a_refused_deletion_is_told_too() -> None:
    queues = Queues()
    queues.dead.add("a")
    queues.dead.answers["delete_message_batch"] = refusal("AccessDenied", "DeleteMessageBatch")
    sent = queues.redrive()
    assert sent.stopped == "AWS refused DeleteMessageBatch (AccessDenied)"
    assert list(sent.stayed) == ["0"]
    assert queues.dead.held == []


def test_it_ends_after_a_time_and_leaves_the_rest() -> None:
    queues = Queues(page=1)
    for number in range(20):
        queues.dead.add(str(number))
    ticks = iter(range(0, 10_000, 100))
    sent = queues.redrive(clock=lambda: next(ticks))
    assert sent.stopped == "it took too long"
    assert len(sent.copies) + len(queues.dead.messages) == 20
    assert 0 < len(sent.copies) < 20


def test_what_could_not_be_put_back_after_nothing_was_sent_is_an_error() -> None:
    queues = Queues()
    queues.dead.add("a")
    queues.dead.answers["change_message_visibility_batch"] = refusal("AccessDenied")
    with pytest.raises(ClientError):
        queues.redrive(lambda _: False)
