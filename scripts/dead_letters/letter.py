"""One message of a queue as the operator sees it: why and when it was given up, and which call it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.functions import protojson
from infra.functions.errors import BadEventError, PermanentError
from infra.functions.livekit_webhook import Event, parse_event
from infra.functions.recording import Recording
from scripts.dead_letters.reasons import RECEIVES_EXHAUSTED

#: What both commands say after SIGINT and SIGTERM.
INTERRUPTED = "interrupted. No letter is lost: run it again"
# A message says when it was sent in milliseconds.
MS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What a body tells of its call; None where it does not. `happened_at`: when the recording ended, else the event.

    The room's name is personal data: for the operator's eyes, never for a log.
    """

    event: str | None = None
    egress_id: str | None = None
    room_id: str | None = None
    room_name: str | None = field(default=None, repr=False)
    happened_at: datetime | None = None

    @classmethod
    def of(cls, body: str) -> About:
        """Read a body of whatever kind; one that is no event of LiveKit's tells nothing."""
        try:
            event = parse_event(body.encode("utf-8"))
        except (BadEventError, UnicodeEncodeError):
            return cls()
        names = [
            protojson.text(protojson.child(event.payload, "egressInfo"), "roomName"),
            protojson.text(protojson.child(event.payload, "room"), "name"),
        ]
        return cls(
            event=event.event,
            egress_id=event.egress_id,
            room_id=event.room_id,
            room_name=next(filter(None, names), None),
            happened_at=_recording_ended(event) or _created(event),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One message. `given_up_at` (since when it lies in its queue) in unix seconds."""

    id: str
    receipt: str = field(repr=False)
    group: str
    deduplication_id: str
    reason: str
    detail: str | None
    given_up_at: float
    body: str = field(repr=False)
    about: About

    @classmethod
    def of(cls, message: Mapping[str, Any], now: float) -> Letter:
        """Read one message of ReceiveMessage's answer."""
        system, own = message.get("Attributes", {}), message.get("MessageAttributes", {})
        return cls(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            group=system.get("MessageGroupId", ""),
            deduplication_id=system.get("MessageDeduplicationId", ""),
            reason=own.get("reason", {}).get("StringValue", RECEIVES_EXHAUSTED),
            detail=own.get("detail", {}).get("StringValue"),
            given_up_at=int(system.get("SentTimestamp", now * MS)) / MS,
            body=message["Body"],
            about=About.of(message["Body"]),
        )

    def age(self, now: float) -> float:
        """Seconds since it was given up."""
        return max(now - self.given_up_at, 0.0)


def ago(seconds: float) -> str:
    """A time span in its two largest units."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _recording_ended(event: Event) -> datetime | None:
    try:
        recording = Recording.from_payload(event.payload)
    except PermanentError:
        return None
    return recording.ended_at if recording else None


def _created(event: Event) -> datetime | None:
    try:
        return datetime.fromtimestamp(event.created_at, UTC) if event.created_at else None
    except (ValueError, OverflowError, OSError):
        return None
