"""The figures of a stack, read from CloudWatch, or from the logs where nobody makes metrics of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.figures import Figure, Series, figures
from infra.watched import CALLREC, SQS, Metric, Watched
from scripts.dashboard.emf import Datapoint, datapoints
from scripts.dashboard.span import Span, moment
from scripts.dashboard.watched import watched
from scripts.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

# One request takes 500: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
QUERIES_AT_ONCE = 500
ALARMS_AT_ONCE = 100
CLOUDWATCH, LOGS = "cloudwatch", "logs"
# What SQS says now, where CloudWatch has no history of it.
NOW = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One line of a figure: a value for each period, None where there is none."""

    series: Series
    values: Sequence[float | None]

    @property
    def whole(self) -> float | None:
        """Of counts their sum, of levels the highest; None when there was no value at all."""
        known = [value for value in self.values if value is not None]
        if not known:
            return None
        return sum(known) if self.series.metric.statistic == "Sum" else max(known)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One figure with its lines."""

    figure: Figure
    readings: Sequence[Reading]

    @property
    def wrong(self) -> bool:
        """Whether a person should look."""
        return any(self.is_wrong(one) for one in self.readings)

    def is_wrong(self, reading: Reading) -> bool:
        """Whether something bad was counted, or the limit reached."""
        whole, limit = reading.whole or 0, self.figure.limit
        return (reading.series.bad and whole > 0) or (limit is not None and whole >= limit)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """All of it; `source` is where the functions' own counts are from."""

    stack: str
    span: Span
    source: str
    figures: Sequence[Shown]
    alarms: Mapping[str, str]


def read(deployment: Deployment, span: Span) -> Page:
    """Everything that the dashboard shows, of this stretch of time. Raises ClientError, BotoCoreError."""
    names, aws = watched(deployment), deployment.aws
    wanted = figures(names)
    metrics = [series.metric for figure in wanted for series in figure.series]
    found = from_cloudwatch(aws.client("cloudwatch"), metrics, span)
    source = CLOUDWATCH
    if not any(_has_values(found[index]) for index, metric in enumerate(metrics) if metric.namespace == CALLREC):
        points = from_logs(aws.client("logs"), deployment.outputs.log_groups, span)
        if points:
            source = LOGS
            found |= {i: span.gather(one, points) for i, one in enumerate(metrics) if one.namespace == CALLREC}
    if not any(_has_values(found[index]) for index, metric in enumerate(metrics) if metric.namespace == SQS):
        found |= depths(aws.client("sqs"), deployment, names, metrics, span)
    values = iter(found[index] for index in range(len(metrics)))
    shown = [
        Shown(figure=figure, readings=[Reading(series=series, values=next(values)) for series in figure.series])
        for figure in wanted
    ]
    alarms = states(aws.client("cloudwatch"), deployment.outputs.alarms)
    return Page(stack=deployment.stack, span=span, source=source, figures=shown, alarms=alarms)


def from_cloudwatch(client: CloudWatchClient, metrics: Sequence[Metric], span: Span) -> dict[int, list[float | None]]:
    """By each metric's place in `metrics`, its values."""
    found: dict[int, list[float | None]] = {index: [None] * span.count for index in range(len(metrics))}
    for start in range(0, len(metrics), QUERIES_AT_ONCE):
        chunk = metrics[start : start + QUERIES_AT_ONCE]
        queries: Any = [_query(start + index, metric, span) for index, metric in enumerate(chunk)]
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=moment(span.start), EndTime=moment(span.end)
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                index = int(result.get("Id", "m0")[1:])
                for at, value in zip(result.get("Timestamps", []), result.get("Values", []), strict=True):
                    place = span.place(at.timestamp())
                    if place is not None:
                        found[index][place] = value
    return found


def _query(index: int, metric: Metric, span: Span) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": f"m{index}", "MetricStat": {"Metric": named, "Period": span.period, "Stat": metric.statistic}}


def from_logs(client: CloudWatchLogsClient, groups: Mapping[str, str], span: Span) -> list[Datapoint]:
    """What the functions counted, from the lines that CloudWatch makes its metrics of."""
    found: list[Datapoint] = []
    for group in groups.values():
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=span.start * 1000, filterPattern='"CloudWatchMetrics"'
        )
        found += [
            point
            for page in pages
            for event in page.get("events", [])
            for point in datapoints(event.get("message", ""))
        ]
    return found


def depths(
    client: SQSClient, deployment: Deployment, names: Watched, metrics: Sequence[Metric], span: Span
) -> dict[int, list[float | None]]:
    """How full the queues are now, as the last of the values; their age SQS does not tell."""
    outputs = deployment.outputs
    urls = {names.queue: outputs.queue_url, names.dead_letters: outputs.dead_letter_queue_url}
    said: dict[str, Any] = {
        name: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for name, url in urls.items()
    }
    found: dict[int, list[float | None]] = {}
    for index, metric in enumerate(metrics):
        if metric.namespace == SQS and metric.name in NOW:
            value = said[metric.dimensions["QueueName"]].get(NOW[metric.name], "0")
            found[index] = [None] * (span.count - 1) + [float(value)]
    return found


def states(client: CloudWatchClient, names: Sequence[str]) -> dict[str, str]:
    """The state of each alarm: OK, ALARM, INSUFFICIENT_DATA."""
    found: dict[str, str] = {}
    for start in range(0, len(names), ALARMS_AT_ONCE):
        answer = client.describe_alarms(
            AlarmNames=list(names[start : start + ALARMS_AT_ONCE]), MaxRecords=ALARMS_AT_ONCE
        )
        found |= {one.get("AlarmName", ""): one.get("StateValue", "") for one in answer["MetricAlarms"]}
    return found


def _has_values(values: Sequence[float | None]) -> bool:
    return any(value is not None for value in values)
