"""Lines of a function's log, each read once however often one looks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

MS = 1000
# CloudWatch shows a line some seconds after it was written: what came late is looked for again.
LATE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line: when (unix seconds) and what."""

    at: float
    fields: Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class Log:
    """The lines of one group that hold `word`, from `since` (unix seconds) on."""

    logs: CloudWatchLogsClient = field(repr=False)
    group: str
    word: str
    since: float
    _seen: set[str] = field(default_factory=set[str])

    def fresh(self, now: float) -> list[Line]:
        """The lines that were not there the last time, oldest first. Raises ClientError."""
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=self.group, startTime=int(self.since * MS), filterPattern=f'"{self.word}"'
        )
        found: list[Line] = []
        seen: set[str] = set()
        for page in pages:
            for event in page.get("events", []):
                name = str(event.get("eventId") or f"{event.get('timestamp')}{event.get('message')}")
                seen.add(name)
                fields = _fields(event.get("message", ""))
                if name not in self._seen and fields:
                    found.append(Line(at=event.get("timestamp", 0) / MS, fields=fields))
        self._seen, self.since = seen, max(self.since, now - LATE_SECONDS)
        return sorted(found, key=lambda line: line.at)


def _fields(text: str) -> Mapping[str, Any]:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
