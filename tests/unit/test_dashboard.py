"""`callrec dashboard`: the figures of infra/, whether CloudWatch answers or the logs must be counted."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infra.figures import figures
from infra.watched import CALLREC
from scripts.dashboard import command, report
from scripts.dashboard.command import dashboard, watched
from scripts.dashboard.emf import datapoints
from scripts.dashboard.readings import read
from scripts.dashboard.span import Span
from scripts.interruption import Interrupted
from tests.unit.stack_support import World, world
from tests.unit.test_alarm_rules import watched as names
from tests.unit.verify_support import FakeAws, FakeClient, deployment

HOUR = 3600
NOW = 1_800_000_000.0
SPAN = Span.of(24 * HOUR, NOW)


def line(name: str, value: float, at: float = NOW, *, part: str = "deliver", **more: str) -> str:
    dimensions = [["function"], ["function", *more]] if more else [["function"]]
    directive = {"Namespace": CALLREC, "Dimensions": dimensions, "Metrics": [{"Name": name, "Unit": "Count"}]}
    stamp = {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": stamp, "function": f"callrec-unit-{part}", name: value, **more})


def clients(
    values: dict[str, float] | None = None, lines: tuple[str, ...] = (), state: str = "OK", depth: int = 0
) -> dict[str, FakeClient]:
    """AWS with these metrics (by name, all dimensions alike) in the period that is going on, and these lines of log."""
    known = values or {}

    def answer(**asked: Any) -> dict[str, Any]:
        results = [
            {"Id": query["Id"], "Timestamps": [datetime.fromtimestamp(NOW, UTC)], "Values": [known[name]]}
            for query in asked["MetricDataQueries"]
            if (name := query["MetricStat"]["Metric"]["MetricName"]) in known
        ]
        return {"MetricDataResults": results}

    def logged(**asked: Any) -> dict[str, Any]:
        mine = [one for one in lines if json.loads(one)["function"] == asked["logGroupName"].rpartition("/")[2]]
        return {"events": [{"message": one} for one in ("no JSON", *mine)]}

    return {
        "cloudwatch": FakeClient(
            get_metric_data=answer,
            describe_alarms={"MetricAlarms": [{"AlarmName": "callrec-unit-dead-letters", "StateValue": state}]},
        ),
        "logs": FakeClient(filter_log_events=logged),
        "sqs": FakeClient(get_queue_attributes={"Attributes": {"ApproximateNumberOfMessages": str(depth)}}),
    }


def page(**given: Any) -> Any:
    made = deployment(FakeAws(clients(**given)), alarms=("callrec-unit-dead-letters",))
    return report.document(read(made, SPAN))


def series(document: Any, figure: str, label: str) -> Any:
    [found] = [one for one in document["figures"] if one["id"] == figure]
    return next(one for one in found["series"] if one["label"] == label)


def test_the_figures_are_those_of_the_dashboard_on_aws() -> None:
    shown = page()["figures"]
    wanted = figures(names(settle_seconds=0))
    assert [(one["id"], one["title"], one["limit"]) for one in shown] == [(f.id, f.title, f.limit) for f in wanted]
    assert [len(one["series"]) for one in shown] == [len(figure.series) for figure in wanted]


def test_cloudwatch_answers() -> None:
    found = page(values={"delivered": 3.0, "ApproximateNumberOfMessagesVisible": 2.0}, lines=(line("delivered", 9),))
    assert found["source"] == "cloudwatch"
    delivered = series(found, "delivered", "linked or noted in Airtable")
    assert (delivered["whole"], delivered["values"]) == (3.0, [None] * 23 + [3.0])
    assert series(found, "given-up", "dead letters")["whole"] == 2.0


def test_the_logs_are_counted_where_cloudwatch_knows_nothing_of_ours() -> None:
    lines = (
        line("delivered", 2),
        line("delivered", 1, NOW - 2 * HOUR),
        line("delivered", 50, NOW - 48 * HOUR),
        line("not_played", 1, part="play", reason="expired"),
        line("reconcile_run", 1, part="reconcile"),
    )
    found = page(values={"Errors": 1.0}, lines=lines, depth=4)
    assert found["source"] == "logs"
    delivered = series(found, "delivered", "linked or noted in Airtable")
    assert (delivered["whole"], delivered["values"][-3:]) == (3.0, [1.0, None, 2.0])
    assert series(found, "plays", "not played (expired, erased, …)")["whole"] == 1.0
    assert series(found, "waiting", "to do")["whole"] == 4.0
    assert series(found, "errors", "deliver")["whole"] == 1.0


def test_what_is_no_metric_counts_nothing() -> None:
    for text in ("", "{}", "[]", '{"_aws": 5}', '{"_aws": {}}', "START RequestId"):
        assert list(datapoints(text)) == []


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"recording_failed": 1.0}, {"failures"}),
        ({"ApproximateAgeOfOldestMessage": 900.0}, {"queue-age"}),
        ({"ApproximateAgeOfOldestMessage": 899.0}, set()),
        ({"delivered": 5.0, "not_played": 2.0}, set()),
    ],
)
def test_what_wants_a_person_is_named(values: dict[str, float], wrong: set[str]) -> None:
    assert {one["id"] for one in page(values=values)["figures"] if one["attention"]} == wrong


@pytest.mark.parametrize("length", [60, 90 * 60, 24 * HOUR, 7 * 24 * HOUR, 30 * 24 * HOUR])
def test_a_span_holds_its_length_and_now_in_periods_that_cloudwatch_takes(length: int) -> None:
    span = Span.of(length, NOW)
    assert span.place(NOW) == span.count - 1
    assert span.count * span.period >= length
    assert span.count <= 24
    assert span.period % (60 if length <= 15 * 24 * HOUR else 300) == 0
    assert span.start % span.period == 0
    assert span.place(span.start - 1) is None
    assert span.place(span.end) is None


def test_a_bar_is_as_high_as_its_value() -> None:
    assert report.spark([None, 0.0, 1.0, 4.0, 8.0]) == "··▁▄█"
    assert report.spark([1.0, 9.0], blocks=False) == "19"
    assert report.spark([]) == ""


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(command.time, "time", lambda: NOW)
    made = world(tmp_path, monkeypatch, alarms=("callrec-unit-dead-letters",))
    made.aws.clients |= clients(lines=(line("dead", 2, reason="no_conversation"),), state="ALARM")
    return made


def test_the_command_shows_what_rings_and_what_to_do(stack: World) -> None:
    done = stack.run(dashboard)
    assert done.code == 0
    assert "! alarm rings: callrec-unit-dead-letters" in done.said
    assert "callrec dlq --stack unit" in done.said
    assert "counted from the logs" in done.said


def test_the_command_in_json(stack: World) -> None:
    done = stack.run(dashboard, "--since", "90m", "--json")
    assert (done.code, done.document["source"]) == (0, "logs")
    assert done.document["alarms"] == {"callrec-unit-dead-letters": "ALARM"}
    assert series(done.document, "given-up", "given up")["whole"] == 2.0


@pytest.mark.parametrize("words", [("--since", "soon"), ("--watch", "--json")])
def test_what_cannot_be_asked_for(stack: World, words: tuple[str, ...]) -> None:
    done = stack.run(dashboard, *words)
    assert done.code == 2
    assert "callrec dashboard" in done.told


def test_watching_ends_with_an_interruption() -> None:
    looked: list[int] = []

    def wait(_: float) -> None:
        if len(looked) == 2:
            raise Interrupted

    def look() -> Any:
        looked.append(1)
        return read(deployment(FakeAws(clients())), SPAN)

    for terminal in (True, False):
        looked.clear()
        out = io.StringIO()
        assert watched(look, Console(file=out, force_terminal=terminal, width=120), wait) == 0
        assert "Recordings delivered" in out.getvalue()
