"""The alarms: they are there, they tell the topic, and the topic tells somebody."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from scripts.deployment import Deployment
from scripts.verify.hop import Failed, Hop, Warned
from scripts.verify.probe import mend

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef
    from mypy_boto3_sns import SNSClient

EXIST, SUBSCRIPTION = "alarms.exist", "alarms.subscription"
# What stands where the ARN will be: https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
PENDING = frozenset({"PendingConfirmation", "pending confirmation"})
AT_ONCE = 100


def hops(deployment: Deployment) -> list[Hop]:
    """Two hops; what rings, and that nobody is told, is for the practice to look at, and no failure."""
    outputs, aws = deployment.outputs, deployment.aws
    there = partial(
        exist, aws.client("cloudwatch"), outputs.alarms, topic=outputs.alarm_topic_arn, mending=mend(deployment)
    )
    told = partial(subscription, aws.client("sns"), outputs.alarm_topic_arn, stack=deployment.stack)
    return [
        Hop(id=EXIST, title="alarms are set", probe=there),
        Hop(id=SUBSCRIPTION, title="somebody is told when one rings", probe=told),
    ]


def exist(client: CloudWatchClient, names: Sequence[str], *, topic: str, mending: str) -> str:
    """Every alarm is there, switched on, and tells the topic; Warned when one rings now."""
    found: dict[str, MetricAlarmTypeDef] = {}
    for start in range(0, len(names), AT_ONCE):
        answer = client.describe_alarms(AlarmNames=list(names[start : start + AT_ONCE]), MaxRecords=AT_ONCE)
        found |= {alarm.get("AlarmName", ""): alarm for alarm in answer["MetricAlarms"]}
    gone = [name for name in names if name not in found]
    mute = [
        name
        for name, alarm in found.items()
        if not alarm.get("ActionsEnabled") or topic not in alarm.get("AlarmActions", [])
    ]
    if gone or mute:
        parts = [f"{words}: {', '.join(those)}" for words, those in (("missing", gone), ("mute", mute)) if those]
        raise Failed("; ".join(parts), cause="somebody deleted or switched off alarms", mend=mending)
    ringing = [name for name, alarm in found.items() if alarm.get("StateValue") == "ALARM"]
    if ringing:
        raise Warned(f"{len(found)} alarms; ringing now: {', '.join(ringing)}; each one's description says what to do")
    return f"{len(found)} alarms, none rings"


def subscription(client: SNSClient, topic: str, *, stack: str) -> str:
    """Somebody has confirmed; Warned when nobody is to be told, or somebody has not confirmed yet."""
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    told = [one for page in pages for one in page["Subscriptions"]]
    if not told:
        raise Warned(f"nobody is told: pulumi config set alarmEmail front-desk@example.org --stack {stack}")
    pending = [one.get("Endpoint", "?") for one in told if one.get("SubscriptionArn") in PENDING]
    if pending:
        raise Warned(
            f"not confirmed yet: {', '.join(pending)}; the link is in AWS's mail, or gone after two days: "
            f"pulumi up --refresh --stack {stack} sends another"
        )
    return f"{len(told)} confirmed"
