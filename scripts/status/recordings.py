"""What LiveKit says of the stack's recordings: those that run, and the last that ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from livekit import api

from scripts.configure.redaction import uploads
from scripts.livekit_access import LiveKit

NS = 1_000_000_000
ENDED = (
    api.EgressStatus.EGRESS_COMPLETE,
    api.EgressStatus.EGRESS_FAILED,
    api.EgressStatus.EGRESS_ABORTED,
    api.EgressStatus.EGRESS_LIMIT_REACHED,
)
# A project of LiveKit Cloud has a long past: so many pages of it are looked at.
PAGES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """One egress. `started_at`, `ended_at` in unix seconds, None while unknown; the room's name is personal data.

    `size` in bytes, `duration` in seconds, of its file; None without one.
    """

    egress_id: str
    room_name: str = field(repr=False)
    room_id: str
    status: str
    started_at: float | None
    ended_at: float | None
    error_code: int
    size: int | None
    duration: float | None

    @classmethod
    def of(cls, info: api.EgressInfo) -> Recording:
        """Read one of LiveKit's."""
        file = next(iter(info.file_results), None)
        stored = file is not None and file.size > 0
        return cls(
            egress_id=info.egress_id,
            room_name=info.room_name,
            room_id=info.room_id,
            status=_status(info.status),
            started_at=_seconds(info.started_at),
            ended_at=_seconds(info.ended_at) or (_seconds(info.updated_at) if info.status in ENDED else None),
            error_code=info.error_code,
            size=file.size if file is not None and stored else None,
            duration=file.duration / NS if file is not None and stored else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Recordings:
    """Those that run, the oldest first, and the last that ended, the newest first."""

    running: tuple[Recording, ...] = ()
    ended: tuple[Recording, ...] = ()

    @classmethod
    def read(cls, livekit: LiveKit, bucket: str, most: int) -> Recordings:
        """Ask LiveKit; only what goes to the bucket counts, or what does not say where it goes. Raises LiveKitError."""
        running = [Recording.of(info) for info in _ours(livekit.egresses(active=True), bucket)]
        past = [info for info in livekit.egresses(active=False, pages=PAGES) if info.status in ENDED]
        ended = [Recording.of(info) for info in _ours(past, bucket)]
        return cls(
            running=tuple(sorted(running, key=lambda one: one.started_at or 0)),
            ended=tuple(sorted(ended, key=lambda one: one.ended_at or 0, reverse=True)[:most]),
        )


def _ours(infos: Iterable[api.EgressInfo], bucket: str) -> list[api.EgressInfo]:
    return [info for info in infos if bucket in (places := _buckets(info)) or not places]


def _buckets(info: api.EgressInfo) -> set[str]:
    found: list[Any] = list(uploads(info))
    return {str(getattr(upload, "bucket", "")) for upload in found}


def _status(value: int) -> str:
    names: dict[int, str] = {number: name for name, number in api.EgressStatus.items()}
    return names.get(value, str(value)).removeprefix("EGRESS_")


def _seconds(nanoseconds: int) -> float | None:
    return nanoseconds / NS if nanoseconds else None
