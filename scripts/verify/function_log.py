"""What a function last complained of, by its own log lines."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

LOOK_BACK_SECONDS = 300
# Metrics name the reason of a wait, lines of level error that of a fault.
WORDS = ("reason", "error")


def last_reason(logs: CloudWatchLogsClient, group: str) -> str | None:
    """The newest reason or error code that a function logged within five minutes; None when there is none.

    Only those codes are taken from a line: they hold no names and no secrets, whatever else stands there.
    """
    start = int((time.time() - LOOK_BACK_SECONDS) * 1000)
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start)
        events: Any = [event for page in pages for event in page.get("events", [])]
    except ClientError:
        return None
    for event in sorted(events, key=lambda event: event.get("timestamp", 0), reverse=True):
        found = _reason(event.get("message", ""))
        if found:
            return found
    return None


def _reason(line: str) -> str | None:
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return "the function ended with an error" if "errorMessage" in line or "Traceback" in line else None
    if not isinstance(entry, dict):
        return None
    return next((str(entry[word]) for word in WORDS if entry.get(word)), None)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
