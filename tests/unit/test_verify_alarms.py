"""The alarms' hops: what is missing or mute is named, and whoever has not confirmed yet."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.verify.alarms import EXIST, SUBSCRIPTION, hops
from scripts.verify.hop import Outcome, Result
from tests.unit.verify_support import FakeAws, FakeClient, assert_failed, deployment, tried

TOPIC = "arn:aws:sns:us-east-1:1:callrec-unit-alarms"
NAMES = ("callrec-unit-dead-letters", "callrec-unit-queue-age")


def alarm(name: str, **changes: Any) -> dict[str, Any]:
    return {"AlarmName": name, "ActionsEnabled": True, "AlarmActions": [TOPIC], "StateValue": "OK"} | changes


def verdict(name: str, alarms: list[dict[str, Any]], told: list[dict[str, str]] | None = None) -> Result:
    clients = {
        "cloudwatch": FakeClient(describe_alarms={"MetricAlarms": alarms}),
        "sns": FakeClient(list_subscriptions_by_topic={"Subscriptions": told or []}),
    }
    made = deployment(FakeAws(clients), alarm_topic_arn=TOPIC, alarms=NAMES)
    return tried(hops(made), name)


def test_all_are_there() -> None:
    result = verdict(EXIST, [alarm(name) for name in NAMES])
    assert (result.outcome, result.seen) == (Outcome.OK, "2 alarms, none rings")


def test_what_rings_is_said() -> None:
    result = verdict(EXIST, [alarm(NAMES[0], StateValue="ALARM"), alarm(NAMES[1])])
    assert result.outcome is Outcome.WARNING
    assert f"ringing now: {NAMES[0]};" in result.seen


@pytest.mark.parametrize(
    ("alarms", "words"),
    [
        ([alarm(NAMES[0])], f"missing: {NAMES[1]}"),
        ([alarm(NAMES[0]), alarm(NAMES[1], ActionsEnabled=False)], f"mute: {NAMES[1]}"),
        ([alarm(NAMES[0], AlarmActions=["arn:other"]), alarm(NAMES[1])], f"mute: {NAMES[0]}"),
    ],
)
def test_an_alarm_that_can_tell_nobody_fails(alarms: list[dict[str, Any]], words: str) -> None:
    assert_failed(verdict(EXIST, alarms), words)


@pytest.mark.parametrize(
    ("told", "outcome", "words"),
    [
        ([], Outcome.WARNING, "pulumi config set alarmEmail"),
        (
            [{"Endpoint": "a@b.org", "SubscriptionArn": "PendingConfirmation"}],
            Outcome.WARNING,
            "not confirmed yet: a@b.org",
        ),
        ([{"Endpoint": "a@b.org", "SubscriptionArn": f"{TOPIC}:1"}], Outcome.OK, "1 confirmed"),
    ],
)
def test_who_is_told(told: list[dict[str, str]], outcome: Outcome, words: str) -> None:
    result = verdict(SUBSCRIPTION, [], told)
    assert result.outcome is outcome
    assert words in result.seen
