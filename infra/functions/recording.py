"""What an `egress_ended` event says about a recording (pure).

Reads real protojson (camelCase, int64 as strings of nanoseconds, zero values absent) and the setup guide's sample
(snake_case, float seconds, milliseconds), also mixed. Never reads `location` or `download_url`: they can name a host
that does not exist, and the bucket is private anyway.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from . import protojson
from .errors import PermanentError
from .protojson import Object

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_2000, _YEAR_2200 = 946_684_800, 7_258_118_400
_SCALES = (1, 10**3, 10**6, 10**9)
#: No call lasts a week: a larger duration is not in seconds.
_LONGEST_SECONDS = 7 * 86_400
#: What is shorter, zero included, says nothing.
_SHORTEST_SECONDS = 1e-9
_MAX_KEY_BYTES = 1024


class Status(StrEnum):
    """How an egress can end."""

    COMPLETE = "EGRESS_COMPLETE"
    FAILED = "EGRESS_FAILED"
    ABORTED = "EGRESS_ABORTED"
    LIMIT_REACHED = "EGRESS_LIMIT_REACHED"


_BY_NUMBER = {3: Status.COMPLETE, 4: Status.FAILED, 5: Status.ABORTED, 6: Status.LIMIT_REACHED}

#: LiveKit's errorCode → our reason class.
_REASONS = {400: "upload_refused", 412: "nobody_joined", 413: "limit", 500: "recorder_failed"}

#: Where egresses without a file report what they made instead.
_OTHER_RESULTS = ("streamResults", "segmentResults", "imageResults", "stream", "segments")

#: What a receptionist reads in the conversation, by reason class; see Recording.status_text.
_NOT_RECORDED = {
    "upload_refused": "Not recorded: the recording could not be stored",
    "nobody_joined": "Not recorded: there was no sound from anybody",
    "recorder_failed": "Not recorded: the recorder stopped unexpectedly",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One ended egress. Times are aware UTC; its repr shows no names and no key (they may hold phone numbers)."""

    egress_id: str
    room_id: str | None
    room_name: str | None = field(repr=False)
    key: str | None = field(repr=False)
    buckets: tuple[str, ...]
    size_bytes: int | None
    duration_s: float | None
    started_at: datetime | None
    ended_at: datetime | None
    status: Status
    backup_storage_used: bool
    reason: str | None

    @property
    def has_file(self) -> bool:
        """Whether a file of it should be in our bucket: then, and only then, it gets a link."""
        if self.key is None or self.backup_storage_used:
            return False
        return self.status in (Status.COMPLETE, Status.LIMIT_REACHED) or self.size_bytes is not None

    @property
    def truncated(self) -> bool:
        """Whether the recorder's limit cut it short."""
        return self.status is Status.LIMIT_REACHED

    @property
    def partial(self) -> bool:
        """Whether it broke off, and what there was until then is in the bucket."""
        return self.has_file and self.status in (Status.FAILED, Status.ABORTED)

    @property
    def alert(self) -> str | None:
        """Why somebody should look at this recording; None when all is well."""
        if self.backup_storage_used:
            return "backup_storage"
        if self.partial:
            return "partial"
        if self.truncated and self.has_file:
            return "truncated"
        return None if self.has_file else self.reason or "unknown"

    @property
    def status_text(self) -> str:
        """What became of the recording, in words for a receptionist. A single-select field needs these as choices."""
        if self.backup_storage_used:
            return "Recorded, but not in your own storage"
        if self.partial:
            return "Partly recorded: the recording broke off"
        if self.has_file:
            return "Recorded, but cut off at the time limit" if self.truncated else "Recorded"
        if self.status is Status.ABORTED and self.reason != "nobody_joined":
            return "Not recorded: stopped before it began"
        return _NOT_RECORDED.get(self.reason or "", "Not recorded: the recorder failed")

    @classmethod
    def from_payload(cls, payload: Object) -> Recording | None:
        """Read an `egress_ended` event; None when that egress made no file (a stream, images).

        PermanentError when the event lacks what every recording has.
        """
        info = protojson.child(payload, "egressInfo")
        file = next(iter(protojson.children(info, "fileResults")), None) or protojson.child(info, "file")
        status = _status(protojson.get(info, "status"))
        egress_id = protojson.text(info, "egressId")
        if egress_id is None or status is None:
            raise PermanentError("bad_recording", "the event has no egress id, or a status this version does not know")
        key = protojson.text(file, "filename")
        if key is None and any(protojson.get(info, name) for name in _OTHER_RESULTS):
            return None
        if key is None and status in (Status.COMPLETE, Status.LIMIT_REACHED):
            raise PermanentError("bad_recording", "the event names no file though the recording ended well")
        room = protojson.child(payload, "room")
        room_id = protojson.text(info, "roomId") or protojson.text(room, "sid")
        room_name = protojson.text(info, "roomName") or protojson.text(room, "name")
        if any(map(protojson.lone_surrogate, (egress_id, room_id, room_name))):
            raise PermanentError("bad_recording", "a name or an id in the event is no text")
        started = _instant(info, "startedAt") or _instant(file, "startedAt")
        ended = _instant(info, "endedAt") or _instant(file, "endedAt") or _instant(payload, "createdAt")
        if started and ended and started > ended:
            started = None
        return cls(
            egress_id=egress_id,
            room_id=room_id,
            room_name=room_name,
            key=key,
            buckets=_buckets(info),
            size_bytes=_size(file),
            duration_s=_duration(file, started, ended),
            started_at=started,
            ended_at=ended,
            status=status,
            backup_storage_used=protojson.get(info, "backupStorageUsed") is True,
            reason=_reason(info, status),
        )


def check_place(recording: Recording, bucket: str, prefix: str) -> None:
    """PermanentError unless the recording lies, or would lie, where our recordings lie."""
    if recording.buckets and bucket not in recording.buckets:
        raise PermanentError("wrong_bucket", "the recording was made for another bucket")
    key = recording.key
    if key is None:
        return
    parts = key.split("/")
    inside = key.startswith(prefix) and len(key) > len(prefix)
    if not inside or ".." in parts or "." in parts or len(key.encode("utf-8", "surrogatepass")) > _MAX_KEY_BYTES:
        raise PermanentError("wrong_key", "the recording lies outside the recordings' prefix")
    if protojson.lone_surrogate(key):
        raise PermanentError("wrong_key", "the recording's key is no text")


def _status(value: object) -> Status | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return _BY_NUMBER.get(value)
    return next((status for status in Status if status.value == value), None)


def _reason(info: Object, status: Status) -> str | None:
    if status is Status.COMPLETE:
        return None
    code = protojson.number(info, "errorCode")
    return "limit" if status is Status.LIMIT_REACHED else _REASONS.get(int(code or 0), "unknown")


def _buckets(info: Object) -> tuple[str, ...]:
    """Every S3 bucket the egress was asked to write to, wherever the request or its outputs name one."""
    found: set[str] = set()
    pending: list[object] = [info]
    while pending:
        value = pending.pop()
        fields = protojson.as_object(value)
        bucket = protojson.text(protojson.child(fields, "s3"), "bucket")
        found.update([bucket] if bucket else [])
        pending.extend([*fields.values(), *protojson.as_list(value)])
    return tuple(sorted(found))


def _size(file: Object) -> int | None:
    """Bytes; None when unknown or zero, as zero is absent in protojson."""
    value = protojson.number(file, "size")
    if value is None or value != int(value):
        return None
    return int(value) or None


def _instant(source: Object, camel: str) -> datetime | None:
    """A moment written in s, ms, µs or ns since 1970: only one of the units puts it between 2000 and 2200."""
    value = protojson.number(source, camel)
    if value is None:
        return None
    for scale in _SCALES:
        if _YEAR_2000 * scale <= value < _YEAR_2200 * scale:
            microseconds = value * 10**6 // scale if isinstance(value, int) else int(value / scale * 10**6)
            return _EPOCH + timedelta(microseconds=microseconds)
    return None


def _duration(file: Object, started: datetime | None, ended: datetime | None) -> float | None:
    """Seconds. The unit is the one that comes nearest to the time between start and end.

    Without those: a string of digits is protojson's nanoseconds; of the rest, what no call lasts in seconds is.
    """
    value = protojson.number(file, "duration")
    begin, end = _instant(file, "startedAt") or started, _instant(file, "endedAt") or ended
    span = (end - begin).total_seconds() if begin and end else 0.0
    if value is None or value < _SHORTEST_SECONDS:
        return span if span > 0 else None
    if value > _LONGEST_SECONDS * 10**9:
        return None
    if span > 0:
        possible = [value / scale for scale in _SCALES if value <= _LONGEST_SECONDS * scale]
        return min(possible, key=lambda seconds: abs(math.log(seconds / span)))
    whole_text = isinstance(value, int) and isinstance(protojson.get(file, "duration"), str)
    return value / 10**9 if whole_text or value > _LONGEST_SECONDS else float(value)
