"""A stopped schedule, a bucket that tells nobody: found and named, each by what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from scripts.verify import reconcile
from scripts.verify.hop import Outcome, Result
from tests.unit.verify_support import (
    BUCKET,
    PREFIX,
    REGION,
    FakeAws,
    FakeClient,
    assert_failed,
    deployment,
    refusal,
    tried,
)

NAME = "callrec-unit-reconcile"
RULE = f"arn:aws:events:{REGION}:123456789012:rule/{NAME}"
QUEUE = f"arn:aws:sqs:{REGION}:123456789012:callrec-unit-arrivals"
CALLS = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Condition": {"ArnLike": {"AWS:SourceArn": RULE}},
}
TELLS = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
    "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"}},
}
GOOD: dict[str, dict[str, Any]] = {
    "events": {
        "describe_rule": {"Arn": RULE, "State": "ENABLED", "ScheduleExpression": "rate(15 minutes)"},
        "list_targets_by_rule": {"Targets": [{"Arn": f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}"}]},
    },
    "lambda": {"get_policy": {"Policy": json.dumps({"Statement": [CALLS]})}},
    "s3": {
        "get_bucket_notification_configuration": {
            "QueueConfigurations": [
                {
                    "QueueArn": QUEUE,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": PREFIX}]}},
                }
            ]
        }
    },
    "sqs": {"get_queue_attributes": {"Attributes": {"QueueArn": QUEUE, "Policy": json.dumps({"Statement": TELLS})}}},
}
Change = Callable[[dict[str, dict[str, Any]]], object]


def row(name: str, change: Change = lambda _: None) -> Result:
    answers = deepcopy(GOOD)
    change(answers)
    aws = FakeAws(clients={service: FakeClient(**answers[service]) for service in answers})
    return tried(reconcile.hops(deployment(aws)), f"reconcile.{name}")


def answering(service: str, call: str, answer: Any) -> Change:
    return lambda answers: answers[service].update({call: answer})


def rule(**changes: Any) -> Change:
    return lambda answers: answers["events"]["describe_rule"].update(changes)


def told(**changes: Any) -> Change:
    def change(answers: dict[str, dict[str, Any]]) -> None:
        answers["s3"]["get_bucket_notification_configuration"]["QueueConfigurations"][0].update(changes)

    return change


def permission(**changes: Any) -> Change:
    return answering("lambda", "get_policy", {"Policy": json.dumps({"Statement": [CALLS | changes]})})


def letting(**changes: Any) -> Change:
    policy = json.dumps({"Statement": [TELLS | changes]})
    return answering("sqs", "get_queue_attributes", {"Attributes": {"QueueArn": QUEUE, "Policy": policy}})


def test_a_working_schedule_holds_and_says_how_often() -> None:
    result = row("schedule")
    assert (result.outcome, result.seen) == (Outcome.OK, "rate(15 minutes)")


def test_a_bucket_that_announces_holds_and_says_what() -> None:
    result = row("arrivals")
    assert (result.outcome, result.seen) == (Outcome.OK, f"s3:ObjectCreated:* under {PREFIX}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (answering("events", "describe_rule", refusal("ResourceNotFoundException")), f"there is no rule {NAME}"),
        (rule(State="DISABLED"), f"the rule {NAME} is DISABLED"),
        (rule(ScheduleExpression="rate(365 days)"), "rate(365 days) instead of rate(15 minutes)"),
        (answering("events", "list_targets_by_rule", {"Targets": []}), "calls something else, or nothing"),
        (
            answering("events", "list_targets_by_rule", {"Targets": [{"Arn": f"{QUEUE}:function:other"}]}),
            "calls something else, or nothing",
        ),
        (answering("lambda", "get_policy", refusal("ResourceNotFoundException")), f"the rule may not call {NAME}"),
        (permission(Effect="Deny"), "may not call"),
        (permission(Principal={"Service": "sns.amazonaws.com"}), "may not call"),
        (permission(Action="lambda:InvokeFunctionUrl"), "may not call"),
        (permission(Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:events:x"}}), "may not call"),
        (permission(Condition={}), "may not call"),
        (permission(Condition={"ArnLike": {"aws:PrincipalArn": RULE}}), "may not call"),
    ],
)
def test_a_schedule_that_does_not_run_it_is_named(change: Change, said: str) -> None:
    assert_failed(row("schedule", change), said)


def test_a_stopped_rule_is_mended_by_starting_it() -> None:
    assert row("schedule", rule(State="DISABLED")).mend == f"aws events enable-rule --name {NAME}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (answering("s3", "get_bucket_notification_configuration", {}), "tells the queue of nothing"),
        (answering("s3", "get_bucket_notification_configuration", refusal("NoSuchBucket")), "of nothing"),
        (told(QueueArn=f"{QUEUE}-other"), "of nothing"),
        (told(Events=["s3:ObjectCreated:Put"]), "of something else"),
        (told(Filter={"Key": {"FilterRules": [{"Name": "prefix", "Value": "other/"}]}}), "of something else"),
        (
            told(
                Filter={
                    "Key": {"FilterRules": [{"Name": "prefix", "Value": PREFIX}, {"Name": "suffix", "Value": ".ogg"}]}
                }
            ),
            "of something else",
        ),
        (answering("sqs", "get_queue_attributes", refusal("AWS.SimpleQueueService.NonExistentQueue")), "no queue"),
        (answering("sqs", "get_queue_attributes", {"Attributes": {"QueueArn": QUEUE}}), "does not let S3"),
        (letting(Effect="Deny"), "does not let S3"),
        (letting(Principal={"Service": "sns.amazonaws.com"}), "does not let S3"),
        (letting(Action="sqs:ReceiveMessage"), "does not let S3"),
        (letting(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::other"}}), "does not let S3"),
    ],
)
def test_a_bucket_that_does_not_announce_is_named(change: Change, said: str) -> None:
    assert_failed(row("arrivals", change), said)


@pytest.mark.parametrize(
    ("name", "service", "call"),
    [("schedule", "events", "describe_rule"), ("arrivals", "sqs", "get_queue_attributes")],
)
def test_a_refusal_of_the_operators_credentials_is_told_as_that(name: str, service: str, call: str) -> None:
    assert_failed(row(name, answering(service, call, refusal("AccessDenied", "Asked"))), "Asked: AccessDenied")
