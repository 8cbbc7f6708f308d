"""What became of messages that were sent back, by the verdicts that `deliver` logs."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.dead_letters.letter import MS
from scripts.dead_letters.listing import Say

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
# A copy that SQS dropped as a repetition stands for the one sent up to 5 minutes before; and clocks differ a little.
LOOK_BACK_SECONDS = 360
BUSY = ("ThrottlingException", "LimitExceededException", "ServiceUnavailableException")


class Outcome(StrEnum):
    """What became of a message. UNKNOWN: `deliver` has logged no verdict on it."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    DEAD = "dead"
    UNKNOWN = "unknown"


VERDICTS = {"done": Outcome.DELIVERED, "waiting": Outcome.WAITING, "dead": Outcome.DEAD}
LAST = (Outcome.DELIVERED, Outcome.DEAD)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """The latest verdict on a message; `reason` is a code, None for what was delivered."""

    outcome: Outcome
    reason: str | None = None


UNTRIED = Fate(outcome=Outcome.UNKNOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """`deliver`'s log group, and since when (unix seconds) its verdicts count."""

    logs: CloudWatchLogsClient = field(repr=False)
    group: str
    since: float
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def watch(self, fates: dict[str, Fate], seconds: float, say: Say) -> None:
        """Fill in what became of each message in `fates`, until all is told or the time is over.

        Raises ClientError when the log cannot be read.
        """
        until, pause = self.clock() + seconds, FIRST_PAUSE
        while True:
            fates |= self._read(fates.keys())
            say(counted(fates.values()))
            left = until - self.clock()
            if all(fate.outcome in LAST for fate in fates.values()) or left <= 0:
                return
            self.wait(min(pause, left))
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _read(self, ids: Collection[str]) -> dict[str, Fate]:
        start = int((self.since - LOOK_BACK_SECONDS) * MS)
        try:
            pages = self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=self.group, startTime=start, filterPattern='"verdict"'
            )
            events: Any = [event for page in pages for event in page.get("events", [])]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in BUSY:
                return {}
            raise
        found: dict[str, Fate] = {}
        for event in sorted(events, key=lambda event: event.get("timestamp", 0)):
            verdict = _verdict(event.get("message", ""))
            if verdict is not None and verdict[0] in ids:
                found[verdict[0]] = verdict[1]
        return found


def counted(fates: Collection[Fate]) -> str:
    """How many of each outcome, e.g. `2 delivered, 1 waiting (no_conversation)`."""
    counts = Counter((fate.outcome, fate.reason) for fate in fates)
    order = list(Outcome)
    words = {Outcome.DEAD: "given up again", Outcome.UNKNOWN: "not tried yet"}
    parts = [
        f"{count} {words.get(outcome, outcome.value)}" + (f" ({reason})" if reason else "")
        for (outcome, reason), count in sorted(counts.items(), key=lambda item: (order.index(item[0][0]), -item[1]))
    ]
    return ", ".join(parts) or "none"


def _verdict(line: str) -> tuple[str, Fate] | None:
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, Mapping) or entry.get("event") != "verdict":  # pyright: ignore[reportUnknownMemberType]
        return None
    fields: Mapping[str, Any] = entry  # pyright: ignore[reportUnknownVariableType]
    outcome = VERDICTS.get(str(fields.get("outcome")))
    if outcome is None:
        return None
    reason = fields.get("reason")
    return str(fields.get("message")), Fate(outcome=outcome, reason=None if reason is None else str(reason))
