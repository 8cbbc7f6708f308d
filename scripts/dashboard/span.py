"""A stretch of time, cut into equal periods (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.watched import Metric
from scripts.dashboard.emf import Datapoint

#: A figure is about so many columns wide.
COLUMNS = 24
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From `start` (unix seconds, a multiple of `period`) on, `count` periods of `period` seconds."""

    start: int
    period: int
    count: int

    @classmethod
    def of(cls, length: int, now: float) -> Span:
        """The last `length` seconds, the period that is going on included.

        CloudWatch keeps minutes for 15 days, five minutes for 63:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
        """
        finest = MINUTE if length <= 15 * DAY else 5 * MINUTE
        period = math.ceil(length / COLUMNS / finest) * finest
        end = (int(now) // period + 1) * period
        count = math.ceil(length / period)
        return cls(start=end - count * period, period=period, count=count)

    @property
    def end(self) -> int:
        """Unix seconds of the first moment after it."""
        return self.start + self.count * self.period

    def place(self, at: float) -> int | None:
        """In which period a moment lies; None: in none."""
        index = int((at - self.start) // self.period)
        return index if 0 <= index < self.count else None

    def gather(self, metric: Metric, points: Sequence[Datapoint]) -> list[float | None]:
        """The metric's value in each period, by its statistic; None: no value."""
        values: list[float | None] = [None] * self.count
        for point in points:
            index = self.place(point.at)
            if index is None or not same(metric, point):
                continue
            so_far = values[index]
            if so_far is None:
                values[index] = point.value
            else:
                values[index] = so_far + point.value if metric.statistic == "Sum" else max(so_far, point.value)
        return values


def moment(at: float) -> datetime:
    """Unix seconds as a date and time, UTC."""
    return datetime.fromtimestamp(at, UTC)


def same(metric: Metric, point: Datapoint) -> bool:
    """Whether the value is the metric's: namespace, name and every dimension, no more and no fewer."""
    return (point.namespace, point.name, dict(point.dimensions)) == (
        metric.namespace,
        metric.name,
        dict(metric.dimensions),
    )
