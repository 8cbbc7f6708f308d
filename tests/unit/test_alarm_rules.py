"""The alarms' rules: about metrics that exist, within CloudWatch's limits, ringing when they should and only then."""

from __future__ import annotations

import ast
from typing import get_args

import pytest

from infra.alarm_rules import Rule, late, rules, silence
from infra.figures import figures
from infra.functions import log, messages
from infra.keys import KEYS
from infra.package import SOURCES
from infra.watched import CALLREC, LAMBDA, PARTS, SQS, Metric, Watched

# AWS's own, where its documentation lists them; the addresses stand in infra/watched.py.
AWS_METRICS = {
    LAMBDA: {"Errors", "Throttles", "Url5xxCount"},
    SQS: {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
    },
}


def watched(reconcile_minutes: int = 15, settle_seconds: int = 900) -> Watched:
    return Watched(
        stack="unit",
        functions={part: f"callrec-unit-{part}" for part in PARTS},
        queue="callrec-unit-events.fifo",
        dead_letters="callrec-unit-events-dlq.fifo",
        reconcile_minutes=reconcile_minutes,
        settle_seconds=settle_seconds,
    )


def named(name: str, **changes: int) -> Rule:
    [found] = [rule for rule in rules(watched(**changes)) if rule.name == name]
    return found


def used() -> list[Metric]:
    """Every metric that an alarm or a figure is about."""
    shown = [series.metric for figure in figures(watched()) for series in figure.series]
    return [rule.metric for rule in rules(watched())] + shown


def counted() -> set[str]:
    """Words that stand in the functions' code, without the list of them."""
    trees = [ast.parse(path.read_text()) for path in SOURCES.glob("*.py") if path.name != "log.py"]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_namespace_is_the_functions() -> None:
    assert CALLREC == log.NAMESPACE


def test_what_is_declared_is_counted() -> None:
    declared = set(get_args(log.Metric))
    assert len(declared) > 10
    assert declared <= counted()


def test_alarms_and_figures_are_about_what_is_counted() -> None:
    declared = {CALLREC: set(get_args(log.Metric)), **AWS_METRICS}
    for metric in used():
        assert metric.name in declared[metric.namespace], metric


def test_dimensions_are_those_that_are_written() -> None:
    names = {CALLREC: ({"function"}, {"function", "reason"}), LAMBDA: ({"FunctionName"},), SQS: ({"QueueName"},)}
    for metric in used():
        assert set(metric.dimensions) in names[metric.namespace], metric
        assert all("unit" in value or name == "reason" for name, value in metric.dimensions.items())


def test_every_count_of_something_lost_has_an_alarm() -> None:
    alarmed = {rule.metric.name for rule in rules(watched()) if rule.metric.namespace == CALLREC}
    calm = {"dead", "waiting"}  # by dead-letters and delivery-late
    good = {"delivered", "played", "recording_started", "nobody_spoke"}
    shown_only = {"unwanted", "without_recording"}  # by `callrec reconcile`: calls that nobody wants to have recorded
    assert set(get_args(log.Metric)) == alarmed | calm | good | shown_only


@pytest.mark.parametrize("minutes", [15, 30, 60, 240, 712, 713, 1440])
def test_limits_of_cloudwatch_are_kept(minutes: int) -> None:
    for rule in rules(watched(reconcile_minutes=minutes)):
        whole = rule.period * rule.periods
        assert rule.period % 60 == 0
        assert whole <= (86_400 if rule.period < 3600 else 604_800), rule.name
        assert len(rule.description("unit")) <= 1024
    assert len({rule.name for rule in rules(watched())}) == len(rules(watched()))


@pytest.mark.parametrize("minutes", [15, 60, 240, 480, 481, 720, 1440])
def test_a_problem_of_every_run_rings(minutes: int) -> None:
    [rule] = [rule for rule in rules(watched(reconcile_minutes=minutes)) if rule.name == "reconcile-problems"]
    assert rule.period // (minutes * 60) >= rule.threshold >= 1


@pytest.mark.parametrize("minutes", [15, 60, 240, 1440])
def test_a_single_lost_run_of_reconcile_rings_nothing_and_two_do(minutes: int) -> None:
    period, periods = silence(minutes)
    assert period * periods >= 3600
    assert period * periods > 2 * minutes * 60 + 14 * 60
    assert period * periods <= max(3600, 2 * minutes * 60 + 900 + period)


def test_an_hour_without_reconcile_rings_by_default() -> None:
    assert silence(15) == (900, 4)
    rule = named("reconcile-late")
    assert (rule.below, rule.silent_rings, rule.threshold) == (True, True, 1)


def test_a_message_that_settles_on_purpose_is_not_late() -> None:
    assert late(watched(settle_seconds=0)) == 15 * 60
    assert named("queue-age", settle_seconds=900).threshold == 30 * 60
    assert [figure.limit for figure in figures(watched(settle_seconds=0)) if figure.id == "queue-age"] == [900]


def test_deliver_and_the_queue_agree_on_what_is_late() -> None:
    assert late(watched(settle_seconds=900)) == 900 + messages.LATE_SECONDS


def test_what_is_late_rings_without_a_pause_though_it_is_tried_but_every_quarter_of_an_hour() -> None:
    assert named("delivery-late").period >= 2 * messages.LONGEST_DELAY


@pytest.mark.parametrize("good", ["a@b.org", "front-desk@example.org,it@example.org", "a@b.org, c@d.org"])
def test_addresses_that_are_told(good: str) -> None:
    [key] = [key for key in KEYS if key.name == "alarmEmail"]
    assert key.check(good)


@pytest.mark.parametrize("bad", ["a", "a@b", "a@b.org,", "a@b.org;c@d.org", "a b@c.org", ",a@b.org", "a@b.org\n"])
def test_addresses_that_are_none(bad: str) -> None:
    [key] = [key for key in KEYS if key.name == "alarmEmail"]
    assert not key.check(bad)
