"""What runs answered, read and put together; what counts as left."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.functions.reconcile_report import Report
from infra.functions.timetable import Timetable
from scripts.errors import StackError
from scripts.reconcile.answer import LISTS, Answer, together
from scripts.reconcile.report import ROWS
from tests.unit.reconcile_support import MISSING, STUCK, UNWANTED, WITHOUT, answer


def read(**changes: Any) -> Answer:
    return Answer.of(answer(**changes))


def test_nothing_found_is_nothing_left() -> None:
    found = read()
    assert not found.left
    assert found.counts["told"] == 3
    assert found.requests == {"livekit": 2, "airtable": 3}


def test_what_was_put_on_the_queue_is_not_left() -> None:
    assert not read(missing=[MISSING]).left


@pytest.mark.parametrize(
    "changes",
    [
        {"missing": [MISSING | {"enqueued": False}]},
        {"missing": [MISSING], "counts": {"missing": 2}},
        {"stuck": [STUCK]},
        {"unwanted": [UNWANTED]},
        {"without_recording": [WITHOUT]},
        {"counts": {"unwanted": 1}},
        {"problems": ["out_of_time"]},
    ],
)
def test_what_a_person_should_see_to_is_left(changes: dict[str, Any]) -> None:
    assert read(**changes).left


@pytest.mark.parametrize("document", [None, [], "text", {}, {"missing": []}])
def test_an_answer_of_another_version_is_refused(document: object) -> None:
    with pytest.raises(StackError, match="another version"):
        Answer.of(document)


def test_a_function_that_could_not_run_says_why() -> None:
    with pytest.raises(StackError, match=r"could not run \(it says: fault\)"):
        Answer.of({"problems": ["fault"]})


def test_what_is_malformed_counts_for_nothing() -> None:
    found = Answer.of({"counts": {"told": "3", "stuck": 1}, "missing": "x", "unwanted": [1, {"key": "k"}]})
    assert found.counts == {"stuck": 1}
    assert found.lists["missing"] == []
    assert found.lists["unwanted"] == [{"key": "k"}]


def test_what_two_runs_found_is_there_once() -> None:
    first = answer(missing=[MISSING | {"enqueued": False}], stuck=[STUCK], unwanted=[UNWANTED], problems=["a"])
    second = answer(
        missing=[MISSING, MISSING | {"egress": "EG_other"}],
        stuck=[STUCK],
        unwanted=[UNWANTED, UNWANTED | {"version": "v2"}],
        without_recording=[WITHOUT],
        problems=["b", "a"],
        skipped=["livekit_not_configured"],
    )
    both = together([Answer.of(first), Answer.of(second)])
    assert {name: len(both.lists[name]) for name in LISTS} == {
        "missing": 2, "stuck": 1, "unwanted": 2, "without_recording": 1,
    }  # fmt: skip
    assert {name: both.counts[name] for name in LISTS} == {name: len(both.lists[name]) for name in LISTS}
    assert all(item["enqueued"] for item in both.lists["missing"])
    assert both.counts["told"] == 6
    assert (both.counts["arrivals"], both.counts["running"]) == (4, 1)
    assert both.requests == {"livekit": 4, "airtable": 6}
    assert both.problems == ("a", "b")
    assert both.skipped == ("livekit_not_configured",)


def test_what_tells_one_finding_from_another() -> None:
    both = together([Answer.of(answer(stuck=[STUCK], unwanted=[UNWANTED])), Answer.of(answer())])
    assert (both.lists["stuck"], both.lists["unwanted"]) == ([STUCK], [UNWANTED])
    others = answer(stuck=[STUCK | {"egress": "EG_other"}], unwanted=[UNWANTED | {"key": "calls/other.mp4"}])
    more = together([Answer.of(answer(stuck=[STUCK], unwanted=[UNWANTED])), Answer.of(others)])
    assert (len(more.lists["stuck"]), len(more.lists["unwanted"])) == (2, 2)


def test_what_livekit_lists_for_every_run_counts_once() -> None:
    one = Answer.of(answer(counts={"running": 1, "foreign": 2, "unreadable": 3, "told": 4}))
    seen = together([one, one]).counts
    assert {name: seen[name] for name in ("running", "foreign", "unreadable", "told")} == {
        "running": 1, "foreign": 2, "unreadable": 3, "told": 8,
    }  # fmt: skip


def test_what_a_long_list_leaves_out_is_counted() -> None:
    long = Answer.of(answer(unwanted=[UNWANTED], counts={"unwanted": 1500}))
    assert together([long, Answer.of(answer(unwanted=[UNWANTED]))]).counts["unwanted"] == 1500


def test_the_functions_own_answer_is_read() -> None:
    """The function's report and this command are written apart: here they meet."""
    day = timedelta(hours=24)
    times = Timetable(
        now=datetime(2026, 11, 24, tzinfo=UTC), interval=timedelta(minutes=15), lookback=day, by_hand=True
    )
    report = Report(timetable=times, dry_run=True)
    report.counts["told"] = 2
    report.requests["airtable"] = 3
    report.problem("out_of_time")
    report.found_missing([], set())
    found = Answer.of(json.loads(json.dumps(report.answer())))
    assert {name: count for name, count in found.counts.items() if count} == {"told": 2}
    assert found.requests == {"airtable": 3}
    assert found.problems == ("out_of_time",)
    assert set(report.answer()) >= {*LISTS, "counts", "requests", "problems", "skipped"}
    # What the command shows, the function counts.
    assert ROWS.keys() <= found.counts.keys()
