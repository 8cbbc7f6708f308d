"""The tests' own evaluation of alarms: what rings for it rings for CloudWatch, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.dashboard.emf import Datapoint
from tests.alarm_state import rings

NOW = 1_800_000_000.0


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "Namespace": "callrec",
        "MetricName": "dead",
        "Dimensions": [{"Name": "function", "Value": "f"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 3.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    } | changes


def point(value: float = 1, age: float = 0, **changes: Any) -> Datapoint:
    made: dict[str, Any] = {"namespace": "callrec", "name": "dead", "dimensions": {"function": "f"}} | changes
    return Datapoint(at=NOW - age, value=value, **made)


def test_a_sum_reaches_its_threshold() -> None:
    assert rings(alarm(), [point(), point(2)], NOW)
    assert not rings(alarm(), [point(), point(1)], NOW)
    assert not rings(alarm(Statistic="Maximum"), [point(), point(2)], NOW)


@pytest.mark.parametrize(
    "other",
    [
        {"namespace": "AWS/SQS"},
        {"name": "waiting"},
        {"dimensions": {"function": "g"}},
        {"dimensions": {"function": "f", "reason": "r"}},
        {"dimensions": {}},
        {"age": 300},
    ],
)
def test_what_is_of_another_metric_or_time_counts_nothing(other: dict[str, Any]) -> None:
    assert not rings(alarm(), [point(9, **other)], NOW)


def test_every_period_must_breach() -> None:
    twice = alarm(EvaluationPeriods=2)
    assert rings(twice, [point(3), point(3, age=300)], NOW)
    assert not rings(twice, [point(6)], NOW)


def test_silence_rings_where_it_is_told_to() -> None:
    silent = alarm(
        TreatMissingData="breaching", ComparisonOperator="LessThanThreshold", Threshold=1.0, EvaluationPeriods=4
    )
    assert rings(silent, [], NOW)
    assert rings(silent, [point(age=1300)], NOW)
    assert not rings(silent, [point(age=800)], NOW)
    assert not rings(alarm(), [], NOW)
