"""What became of each message, by the verdicts in deliver's log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.dead_letters.fate import UNTRIED, Fate, Outcome, Watch, counted
from tests.unit.verify_support import FakeClient, refusal

DELIVERED = Fate(outcome=Outcome.DELIVERED)


def waiting(reason: str = "no_conversation") -> Fate:
    return Fate(outcome=Outcome.WAITING, reason=reason)


def line(message: str, outcome: str, reason: str | None = None, at: int = 0) -> dict[str, Any]:
    verdict = {"level": "info", "event": "verdict", "message": message, "outcome": outcome}
    return {"timestamp": at, "message": json.dumps(verdict | ({"reason": reason} if reason else {}))}


class Clock:
    """Time that passes by waiting alone."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def watched(log: Any, seconds: float = 120, ids: tuple[str, ...] = ("a",)) -> tuple[dict[str, Fate], Clock, FakeClient]:
    """What `Watch` makes of a log: its pages, or one list of pages for each time it is asked."""
    client, clock = FakeClient(filter_log_events=log), Clock()
    fates = dict.fromkeys(ids, UNTRIED)
    fake: Any = client
    watch = Watch(logs=fake, group="/aws/lambda/deliver", since=1_000.0, wait=clock.wait, clock=lambda: clock.now)
    watch.watch(fates, seconds, lambda _: None)
    return fates, clock, client


def turns(*pages: list[dict[str, Any]]) -> Any:
    left = list(pages)
    return lambda **_: [{"events": left.pop(0) if len(left) > 1 else left[0]}]


@pytest.mark.parametrize(
    ("outcome", "reason", "fate"),
    [
        ("done", None, DELIVERED),
        ("dead", "wrong_key", Fate(outcome=Outcome.DEAD, reason="wrong_key")),
    ],
)
def test_a_last_verdict_ends_the_watching(outcome: str, reason: str | None, fate: Fate) -> None:
    fates, clock, client = watched({"events": [line("a", outcome, reason)]})
    assert fates == {"a": fate}
    assert clock.pauses == []
    [call] = client.called("filter_log_events")
    assert call["logGroupName"] == "/aws/lambda/deliver"
    assert call["startTime"] == (1_000 - 360) * 1_000  # a dropped copy stands for one of up to 5 minutes before


def test_what_waits_is_watched_until_it_is_delivered() -> None:
    first, second = [line("a", "waiting", "no_conversation", 1)], line("a", "done", at=2)
    fates, clock, _ = watched(turns([], first, [*first, second]))
    assert fates == {"a": DELIVERED}
    assert clock.pauses == [1.0, 1.5]


def test_the_latest_verdict_counts_whatever_the_order_of_the_lines() -> None:
    lines = [line("a", "done", at=9), line("a", "waiting", "settling", 3)]
    assert watched({"events": lines})[0] == {"a": DELIVERED}


def test_when_the_time_is_over_what_waits_is_told_with_its_reason_and_the_rest_is_unknown() -> None:
    fates, clock, _ = watched({"events": [line("a", "waiting", "ambiguous")]}, 20, ("a", "b"))
    assert fates == {"a": waiting("ambiguous"), "b": UNTRIED}
    assert sum(clock.pauses) == 20
    assert max(clock.pauses) <= 5


def test_pages_are_read_to_the_end_and_other_lines_and_messages_are_nothing() -> None:
    strange = [
        {"message": "START RequestId: verdict"},
        {"message": '"verdict"'},
        {"message": '{"event": "dead", "message": "a", "outcome": "done"}'},
        {"message": '{"event": "verdict", "message": "a", "outcome": "exploded"}'},
        {"message": '{"event": "verdict", "message": ["a"], "outcome": "done"}'},
        {},
        line("somebody else's", "done"),
    ]
    fates, _, _ = watched([{"events": strange}, {"events": []}, {}, {"events": [line("b", "done")]}], 0, ("a", "b"))
    assert fates == {"a": UNTRIED, "b": DELIVERED}


def test_a_busy_log_is_asked_again() -> None:
    answers: list[Any] = [refusal("ThrottlingException"), {"events": [line("a", "done")]}]

    def answer(**_: Any) -> Any:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    assert watched(answer)[0] == {"a": DELIVERED}


def test_a_log_that_may_not_be_read_is_an_error() -> None:
    with pytest.raises(ClientError):
        watched(refusal("AccessDeniedException"))


def test_outcomes_are_counted_in_words() -> None:
    fates = [DELIVERED, waiting(), waiting(), waiting("ambiguous"), Fate(outcome=Outcome.DEAD, reason="x"), UNTRIED]
    assert counted(fates) == (
        "1 delivered, 2 waiting (no_conversation), 1 waiting (ambiguous), 1 given up again (x), 1 not tried yet"
    )
