"""The audit lines of one recording, out of `play`'s log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scripts.status.log_lines import Log

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

EVENT = "play"
_PSEUDONYM = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One request. `at`, and when its link was `issued`, in unix seconds; `source`: the address, as a pseudonym."""

    at: float
    outcome: str
    issued: int | None
    source: str | None


def trail(logs: CloudWatchLogsClient, group: str, egress_id: str, since: float, now: float) -> list[Play]:
    """Every request to play the egress's recording from `since` (unix seconds) on, oldest first. Raises ClientError."""
    lines = Log(logs=logs, group=group, word=egress_id, since=since).fresh(now)
    return [_play(line.at, line.fields) for line in lines if _is_one(line.fields, egress_id)]


def sources(plays: Sequence[Play]) -> Mapping[str, int]:
    """How often each address played it, the busiest first."""
    return dict(Counter(play.source or "unknown" for play in plays if play.outcome == "played").most_common())


def iso(moment: float) -> str:
    """ISO 8601 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(moment), UTC).isoformat().replace("+00:00", "Z")


def _is_one(fields: Mapping[str, Any], egress_id: str) -> bool:
    return fields.get("event") == EVENT and fields.get("egress") == egress_id


def _play(at: float, fields: Mapping[str, Any]) -> Play:
    source, issued = fields.get("source"), fields.get("issued")
    return Play(
        at=at,
        outcome=str(fields.get("outcome")),
        issued=issued if isinstance(issued, int) else None,
        source=source if isinstance(source, str) and _PSEUDONYM.fullmatch(source) else None,
    )
