"""What a run of `reconcile` found and did: the answer to who asked, a line in the log, and metrics.

Keys and rooms' names stand in the answer, never in the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .arrivals import Arrival
from .egress_info import Ended
from .log import Metric, log, metric
from .matching import Conversation
from .timetable import Timetable

_COUNTED = (
    *("arrivals", "resolved", "conversations", "told", "waiting", "missing", "enqueued"),
    *("running", "stuck", "unwanted", "without_recording", "foreign", "unreadable"),
)
#: Of each list so much is told, lest the answer exceed what Lambda gives back (6 MB); `counts` counts them all.
MOST_LISTED = 1000


@dataclass(slots=True)
class Report:
    """Filled while the run goes on."""

    timetable: Timetable
    dry_run: bool
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))
    requests: dict[str, int] = field(default_factory=dict[str, int])
    missing: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    stuck: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    unwanted: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    without_recording: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    problems: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])

    def problem(self, code: str | None) -> None:
        """Something went wrong, as a short code; None: it did not."""
        if code is not None and code not in self.problems:
            self.problems.append(code)

    def found_missing(self, ended: Iterable[Ended], sent: set[str]) -> None:
        """Recordings that no conversation tells of; `sent`: egresses that are on the queue again."""
        self._fill("missing", self.missing, [_recording(one, sent) for one in ended])

    def found_stuck(self, ended: Iterable[Ended], sent: set[str]) -> None:
        """Egresses whose recorder is gone."""
        self._fill("stuck", self.stuck, [_recording(one, sent) for one in ended])

    def found_unwanted(self, arrivals: Iterable[Arrival]) -> None:
        """Objects that no conversation wants."""
        found = [
            {"key": one.key, "version": one.version, "size": one.size, "arrived": one.at.isoformat()}
            for one in sorted(arrivals, key=lambda item: item.at)
        ]
        self._fill("unwanted", self.unwanted, found)

    def found_without_recording(self, conversations: Iterable[Conversation]) -> None:
        """Conversations whose recording is nowhere."""
        found = [{"record": one.record_id, "started": one.started_at.isoformat()} for one in conversations]
        self._fill("without_recording", self.without_recording, found)

    def answer(self) -> dict[str, Any]:
        """The run as JSON."""
        return {
            "dry_run": self.dry_run,
            "by_hand": self.timetable.by_hand,
            "since": self.timetable.since.isoformat(),
            "until": self.timetable.end.isoformat(),
            "counts": dict(self.counts),
            "requests": dict(self.requests),
            "missing": self.missing,
            "stuck": self.stuck,
            "unwanted": self.unwanted,
            "without_recording": self.without_recording,
            "problems": self.problems,
            "skipped": self.skipped,
        }

    def tell(self, function: str) -> None:
        """One line in the log; metrics when the run was no mere look."""
        asked = {f"{service}_requests": count for service, count in self.requests.items()}
        level, problems = ("warning" if self.problems else "info"), ",".join(self.problems)
        by_hand = self.timetable.by_hand
        log(level, "reconciled", dry_run=self.dry_run, by_hand=by_hand, problems=problems, **self.counts, **asked)
        if self.dry_run:
            return
        metric(function, "reconcile_run")
        for code in self.problems:
            metric(function, "reconcile_problem", reason=code)
        found: tuple[tuple[Metric, int], ...] = (
            ("repaired", self.counts["enqueued"]),
            ("egress_stuck", self.counts["stuck"]),
            ("unwanted", self.counts["unwanted"]),
            ("without_recording", self.counts["without_recording"]),
        )
        for name, count in found:
            if count:
                metric(function, name, count)

    def _fill(self, name: str, where: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
        self.counts[name] = len(found)
        where.extend(found[:MOST_LISTED])


def _recording(one: Ended, sent: set[str]) -> dict[str, Any]:
    recording = one.recording
    return {
        "egress": recording.egress_id,
        "room": recording.room_name or recording.room_id,
        "ended": one.at.isoformat(),
        "status": recording.status.value,
        "enqueued": recording.egress_id in sent,
    }
