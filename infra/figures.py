"""The figures that tell how a stack is doing (pure).

CloudWatch's dashboard and `callrec dashboard` both show just these.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.alarm_rules import HOUR, late
from infra.watched import PARTS, Metric, Watched, of_lambda, of_queue, own


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One line of a figure. `bad`: anything but zero wants a person."""

    label: str
    metric: Metric
    bad: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One widget: what is counted, and the command to begin with where it looks wrong.

    `limit` is where an alarm rings, `period` (seconds) what one value stands for.
    """

    id: str
    title: str
    series: tuple[Series, ...]
    do: str
    unit: str = ""
    limit: float | None = None
    period: int = HOUR


def figures(watched: Watched) -> list[Figure]:
    """In the order in which they are shown: the work done first, then what hinders it."""

    def deliver(label: str, name: str, *, bad: bool = False) -> Series:
        return Series(label=label, metric=own(watched, "deliver", name), bad=bad)

    def reconcile(label: str, name: str, *, bad: bool = False) -> Series:
        return Series(label=label, metric=own(watched, "reconcile", name), bad=bad)

    def door(label: str, metric: Metric) -> Series:
        return Series(label=label, metric=metric, bad=True)

    queue, dead = watched.queue, watched.dead_letters
    visible, hidden = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
    return [
        Figure(
            id="delivered",
            title="Recordings delivered",
            series=(deliver("linked or noted in Airtable", "delivered"), deliver("begun by us", "recording_started")),
            do="callrec status",
        ),
        Figure(
            id="waiting",
            title="Waiting for a conversation",
            series=(
                Series(label="to do", metric=of_queue(queue, visible)),
                Series(label="being done, or until the next try", metric=of_queue(queue, hidden)),
                deliver("tries put off", "waiting"),
                deliver("of those too late", "delivery_late", bad=True),
            ),
            do="callrec status",
        ),
        Figure(
            id="given-up",
            title="Given up",
            series=(
                Series(label="dead letters", metric=of_queue(dead, visible), bad=True),
                deliver("given up", "dead", bad=True),
            ),
            do="callrec dlq",
        ),
        Figure(
            id="plays",
            title="Plays",
            series=(
                Series(label="played", metric=own(watched, "play", "played")),
                Series(label="not played (expired, erased, …)", metric=own(watched, "play", "not_played")),
            ),
            do="callrec verify",
        ),
        Figure(
            id="failures",
            title="Recordings lost or harmed",
            series=(
                deliver("failed or cut off", "recording_failed", bad=True),
                deliver("not begun", "start_missed", bad=True),
                reconcile("never ended", "egress_stuck", bad=True),
                deliver("nobody spoke", "nobody_spoke"),
            ),
            do="callrec status",
        ),
        Figure(
            id="reconcile",
            title="Reconcile",
            series=(
                reconcile("runs", "reconcile_run"),
                reconcile("repaired", "repaired", bad=True),
                reconcile("files that nobody wants", "unwanted", bad=True),
                reconcile("conversations without a recording", "without_recording"),
                reconcile("problems", "reconcile_problem", bad=True),
            ),
            do="callrec reconcile --dry-run",
        ),
        Figure(
            id="queue-age",
            title="Age of the oldest event",
            series=(Series(label="seconds", metric=of_queue(queue, "ApproximateAgeOfOldestMessage")),),
            unit="s",
            limit=late(watched),
            do="callrec status",
            period=300,
        ),
        Figure(
            id="door",
            title="Refused at the door",
            series=(
                door("not signed by LiveKit", own(watched, "receive", "signature_failed")),
                door("receive 5xx", of_lambda(watched, "receive", "Url5xxCount")),
                door("receive throttled", of_lambda(watched, "receive", "Throttles")),
                door("play 5xx", of_lambda(watched, "play", "Url5xxCount")),
            ),
            do="callrec verify",
        ),
        Figure(
            id="errors",
            title="Functions that crashed",
            series=tuple(Series(label=part, metric=of_lambda(watched, part, "Errors"), bad=True) for part in PARTS),
            do="callrec verify",
        ),
    ]
