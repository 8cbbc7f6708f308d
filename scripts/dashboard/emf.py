"""CloudWatch's embedded metric format, read as CloudWatch reads it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Datapoint:
    """One value of one metric; `at` in unix seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    at: float
    value: float


def datapoints(line: str) -> Generator[Datapoint]:
    """What a line of a log counts: each metric once for each set of dimensions; nothing when it is no metric."""
    try:
        read: Any = json.loads(line)
        directives: Any = read["_aws"]["CloudWatchMetrics"]
        at = float(read["_aws"]["Timestamp"]) / 1000
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                yield Datapoint(
                    namespace=directive["Namespace"],
                    name=metric["Name"],
                    dimensions={name: str(read[name]) for name in names},
                    at=at,
                    value=float(read[metric["Name"]]),
                )
