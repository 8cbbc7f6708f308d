"""What CloudWatch would say of an alarm (pure): the local AWS knows neither dimensions nor missing data.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scripts.dashboard.emf import Datapoint

STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
MISSING = {"breaching": True, "notBreaching": False}


def rings(alarm: Mapping[str, Any], points: Sequence[Datapoint], now: float) -> bool:
    """Whether an alarm, as DescribeAlarms tells it, is in ALARM at `now` (unix seconds); the period going on counts."""
    period, count = alarm["Period"], alarm["EvaluationPeriods"]
    end = (int(now) // period + 1) * period
    wrong = [_breaches(alarm, points, end - (index + 1) * period, period) for index in range(count)]
    return sum(wrong) >= alarm.get("DatapointsToAlarm", count)


def _breaches(alarm: Mapping[str, Any], points: Sequence[Datapoint], start: int, period: int) -> bool:
    values = [point.value for point in points if start <= point.at < start + period and is_about(alarm, point)]
    if not values:
        return MISSING[alarm["TreatMissingData"]]
    return COMPARISONS[alarm["ComparisonOperator"]](STATISTICS[alarm["Statistic"]](values), alarm["Threshold"])


def is_about(alarm: Mapping[str, Any], point: Datapoint) -> bool:
    """Whether the value is of the alarm's metric: each dimension counts, and there may be no other."""
    dimensions = {pair["Name"]: pair["Value"] for pair in alarm["Dimensions"]}
    return (alarm["Namespace"], alarm["MetricName"], dimensions) == (
        point.namespace,
        point.name,
        dict(point.dimensions),
    )
