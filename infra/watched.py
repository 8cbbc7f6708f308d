"""What the alarms and the dashboard look at in one stack: names, without Pulumi, so that the commands know them too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The namespace of the functions' own metrics; functions/log.py holds the same, and a test compares them.
CALLREC, LAMBDA, SQS = "callrec", "AWS/Lambda", "AWS/SQS"
PARTS = ("receive", "deliver", "play", "reconcile")


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """Physical names of the functions by part (receive, …) and of both queues; times that decide what is late."""

    stack: str
    functions: Mapping[str, str]
    queue: str
    dead_letters: str
    reconcile_minutes: int
    settle_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric of CloudWatch, and how its values of one period become one: Sum, Maximum."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"


def own(watched: Watched, part: str, name: str, reason: str = "") -> Metric:
    """A metric that a function of ours counts (functions/log.py), of one reason or of all."""
    dimensions = {"function": watched.functions[part], **({"reason": reason} if reason else {})}
    return Metric(namespace=CALLREC, name=name, dimensions=dimensions)


def of_lambda(watched: Watched, part: str, name: str) -> Metric:
    """A metric of Lambda's about one function.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html, for those that begin with Url
    https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
    """
    return Metric(namespace=LAMBDA, name=name, dimensions={"FunctionName": watched.functions[part]})


def of_queue(queue: str, name: str) -> Metric:
    """A metric of SQS's about one queue, the largest value of a period.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    return Metric(namespace=SQS, name=name, dimensions={"QueueName": queue}, statistic="Maximum")
