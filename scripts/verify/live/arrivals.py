"""Which webhooks `receive` took, and refused, since a call began: by its own log lines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrivals:
    """The log of `receive` from a moment on; `since` in unix seconds."""

    logs: CloudWatchLogsClient = field(repr=False)
    group: str
    since: float

    def accepted(self, kind: str, egress_id: str) -> bool:
        """Whether an event of this kind, of this egress, was taken."""
        wanted = {"event": "accepted", "type": kind, "egress": egress_id}
        return any(wanted.items() <= line.items() for line in self._lines())

    def refused(self) -> tuple[str, ...]:
        """The reasons of refusals, each once."""
        found = [str(line.get("reason")) for line in self._lines() if line.get("event") == "refused"]
        return tuple(sorted(set(found)))

    def _lines(self) -> list[dict[str, Any]]:
        start = int(self.since * 1000)
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.group, startTime=start)
        return [
            line for page in pages for event in page.get("events", []) if (line := _parsed(event.get("message", "")))
        ]


def _parsed(text: str) -> dict[str, Any]:
    try:
        line: Any = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", line) if isinstance(line, dict) else {}
