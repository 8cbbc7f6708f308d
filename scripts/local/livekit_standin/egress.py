"""An egress that LiveKit knows: what it shows of it, and what only the egress service has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from livekit import api

from . import errors
from .filenames import manifest_key, object_key
from .ids import new_id
from .redaction import redacted
from .rooms import Room
from .storage import location

Status = api.EgressStatus
#: Statuses of an egress that is not over.
RUNNING = frozenset({Status.EGRESS_STARTING, Status.EGRESS_ACTIVE, Status.EGRESS_ENDING})
STOPPED = "StopEgress API"
SOURCE_CLOSED = "Source closed"
DEFAULT_KBITS = 128


@dataclass(kw_only=True, slots=True)
class Egress:
    """`info` as listed, without credentials; `output` with them, None for one that was planted.

    `dead`: its host is gone, and it stays as it is for ever. `alive`: its life is being played; `awaits` is what it
    waits for, None while it does something.
    """

    info: api.EgressInfo
    output: api.EncodedFileOutput | None = field(default=None, repr=False)
    dead: bool = False
    alive: bool = False
    awaits: Callable[[], bool] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        """Whether it is not over."""
        return self.info.status in RUNNING

    def copy(self) -> api.EgressInfo:
        """The info as it is now."""
        copy = api.EgressInfo()
        copy.CopyFrom(self.info)
        return copy


def begun(request: api.RoomCompositeEgressRequest, room: Room, now_ns: int) -> Egress:
    """An egress that has just been asked for; 400 for a request that the egress service would refuse."""
    if len(request.file_outputs) != 1 or any((request.stream_outputs, request.segment_outputs, request.image_outputs)):
        raise errors.service("invalid_argument", "request has missing or invalid field: output")
    if request.audio_only and request.video_only:
        raise errors.service("invalid_argument", "request has missing or invalid field: audio_only and video_only")
    output = request.file_outputs[0]
    key = object_key(
        output,
        audio_only=request.audio_only,
        room_name=request.room_name,
        room_id=room.info.sid,
        at=datetime.fromtimestamp(now_ns / 1e9, UTC),
    )
    info = api.EgressInfo(
        egress_id=new_id("EG_"),
        room_id=room.info.sid,
        room_name=request.room_name,
        source_type=_source(request),
        status=Status.EGRESS_STARTING,
        started_at=now_ns,
        updated_at=now_ns,
        room_composite=redacted(request),
    )
    info.file_results.add(filename=key)
    info.file.filename = key
    return Egress(info=info, output=output)


def _source(request: api.RoomCompositeEgressRequest) -> api.EgressSourceType:
    """Sound alone needs no browser, unless a layout or a page of one's own asks for it."""
    browser = not request.audio_only or request.layout or request.custom_base_url
    return api.EgressSourceType.EGRESS_SOURCE_TYPE_WEB if browser else api.EgressSourceType.EGRESS_SOURCE_TYPE_SDK


def active(egress: Egress, now_ns: int) -> None:
    """It records from now on."""
    _file(egress, lambda file: setattr(file, "started_at", now_ns))
    _status(egress, Status.EGRESS_ACTIVE, now_ns)


def ending(egress: Egress, reason: str, now_ns: int) -> None:
    """It was told to stop, and finishes its file."""
    egress.info.details = f"End reason: {reason}"
    _status(egress, Status.EGRESS_ENDING, now_ns)


def aborted(egress: Egress, reason: str, now_ns: int) -> None:
    """It was told to stop before anything was there to record."""
    egress.info.details = f"End reason: {reason}"
    egress.info.error, egress.info.error_code = "Start signal not received", 412
    _ended(egress, Status.EGRESS_ABORTED, now_ns)


def recorded(egress: Egress, seconds: float) -> None:
    """Its file has this length, from when it became active."""
    duration = int(seconds * 1e9)

    def change(file: api.FileInfo) -> None:
        file.ended_at, file.duration = file.started_at + duration, duration

    _file(egress, change)


def complete(egress: Egress, *, size: int, now_ns: int) -> None:
    """Its file of this many bytes is stored."""
    output, key = _shown(egress), key_of(egress)

    def change(file: api.FileInfo) -> None:
        file.size = size
        if output is not None:
            file.location = location(output.s3, key)

    _file(egress, change)
    if output is not None and not output.disable_manifest:
        egress.info.manifest_location = location(output.s3, manifest_of(egress))
    _ended(egress, Status.EGRESS_COMPLETE, now_ns)


def failed(egress: Egress, error: str, code: int, now_ns: int) -> None:
    """Its file is lost."""
    egress.info.error, egress.info.error_code = error, code
    _ended(egress, Status.EGRESS_FAILED, now_ns)


def key_of(egress: Egress) -> str:
    """The key of its file, "" for a planted one without."""
    results = egress.info.file_results
    return results[0].filename if results else ""


def manifest_of(egress: Egress) -> str:
    """The key of its manifest."""
    return manifest_key(key_of(egress), egress.info.egress_id)


def manifest(egress: Egress) -> bytes:
    """The manifest that egress writes beside a recording."""
    info, output = egress.info, _shown(egress)
    place = {} if output is None else {"location": location(output.s3, key_of(egress))}
    content: Mapping[str, Any] = {
        "egress_id": info.egress_id,
        "room_id": info.room_id,
        "room_name": info.room_name,
        "started_at": info.started_at,
        "ended_at": info.updated_at,
        "files": [{"filename": key_of(egress), **place}],
    }
    return (json.dumps(content, separators=(",", ":")) + "\n").encode()


def seconds_active(egress: Egress, now_ns: int) -> float:
    """How long it has recorded; never nothing."""
    results = egress.info.file_results
    begin = (results[0].started_at if results else 0) or egress.info.started_at or now_ns
    return max((now_ns - begin) / 1e9, 0.001)


def size_of(egress: Egress, seconds: float) -> int:
    """The bytes that a recording of this length would have at the bitrate that was asked for."""
    return max(int(seconds * (egress.info.room_composite.advanced.audio_bitrate or DEFAULT_KBITS) * 125), 1)


def _shown(egress: Egress) -> api.EncodedFileOutput | None:
    """The file output of its request, without credentials; None when it has none on S3."""
    outputs = egress.info.room_composite.file_outputs
    return outputs[0] if outputs and outputs[0].HasField("s3") else None


def _file(egress: Egress, change: Callable[[api.FileInfo], None]) -> None:
    """Change the result, and the deprecated field that repeats it."""
    change(egress.info.file_results[0] if egress.info.file_results else egress.info.file_results.add())
    egress.info.file.CopyFrom(egress.info.file_results[0])


def _status(egress: Egress, status: api.EgressStatus, now_ns: int) -> None:
    egress.info.status, egress.info.updated_at = status, now_ns


def _ended(egress: Egress, status: api.EgressStatus, now_ns: int) -> None:
    _status(egress, status, now_ns)
    egress.info.ended_at = now_ns
