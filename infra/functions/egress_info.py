"""What LiveKit's list says of each egress: whether it is ours, ended or running, and the event it owes us (pure).

`info` is an EgressInfo as protojson has it: camelCase, int64 as strings, zero values absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from . import protojson
from .errors import PermanentError
from .probes import is_probe
from .protojson import Object
from .recording import Recording, Status, check_place

#: Zero is absent in protojson: an egress without a status is starting.
_RUNNING = (None, "EGRESS_STARTING", "EGRESS_ACTIVE", "EGRESS_ENDING")
#: Of what LiveKit lists, all that `deliver` needs: the request with its storage settings stays out of the queue.
_INFO = ("egressId", "roomId", "roomName", "status", "startedAt", "endedAt", "errorCode", "backupStorageUsed")
_FILE = ("filename", "startedAt", "endedAt", "duration", "size")
_RECORDER_FAILED = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A recording, when it ended as far as anybody knows, and the `egressInfo` to tell `deliver` of it."""

    recording: Recording
    at: datetime
    info: Object = field(repr=False)

    def event(self, event_id: str) -> str:
        """The body of an `egress_ended` event that says the same as LiveKit's own."""
        return json.dumps({"event": "egress_ended", "id": event_id, "egressInfo": self.info}, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An egress that has not ended, LiveKit says. `seen_at`: its last sign of life; `key`: where its file will be."""

    egress_id: str
    room_id: str | None
    room_name: str | None = field(repr=False)
    key: str | None = field(repr=False)
    buckets: tuple[str, ...]
    started_at: datetime
    seen_at: datetime

    def failed(self, *, size: int | None = None, until: datetime | None = None) -> Ended:
        """What to tell when its recorder is gone; with the size of its file and when that arrived, when it did.

        Without a file it ends when it began: by its name it then belongs to a conversation that began around then.
        """
        info: dict[str, object] = {
            "egressId": self.egress_id,
            "roomId": self.room_id,
            "roomName": self.room_name,
            "status": Status.FAILED.value,
            "errorCode": _RECORDER_FAILED,
            "startedAt": _nanoseconds(self.started_at),
            "endedAt": _nanoseconds(max(until or self.started_at, self.started_at)),
            "storage": _storage(self.buckets),
        }
        if size:
            info["fileResults"] = [{"filename": self.key, "size": str(size)}]
        return _ended({name: value for name, value in info.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Egresses:
    """LiveKit's list, sorted. `foreign`: how many are not ours, or a probe's; `unreadable`: how many say too little."""

    ended: tuple[Ended, ...] = ()
    running: tuple[Running, ...] = ()
    foreign: int = 0
    unreadable: int = 0


def sort(infos: Iterable[Object], bucket: str, prefix: str) -> Egresses:
    """Which of these make recordings of ours; of an egress that is told twice, what ended last."""
    ended: dict[str, Ended] = {}
    running: list[Running] = []
    foreign = unreadable = 0
    for info in infos:
        try:
            one = _running(info) if protojson.get(info, "status") in _RUNNING else _recording(info)
        except PermanentError:
            unreadable += 1
            continue
        if one is None or not _ours(one, info, bucket, prefix) or is_probe(protojson.text(info, "roomName")):
            foreign += 1
        elif isinstance(one, Running):
            running.append(one)
        else:
            other = ended.get(one.recording.egress_id)
            if other is None or one.at >= other.at:
                ended[one.recording.egress_id] = one
    return Egresses(ended=tuple(ended.values()), running=tuple(running), foreign=foreign, unreadable=unreadable)


def _recording(info: Object) -> Ended | None:
    """None when this egress made no file (a stream, images)."""
    found = Recording.from_payload({"egressInfo": info})
    if found is None:
        return None
    kept: dict[str, object] = {name: info[name] for name in _INFO if name in info}
    file = next(iter(protojson.children(info, "fileResults")), None) or protojson.child(info, "file")
    if file:
        kept["fileResults"] = [{name: file[name] for name in _FILE if name in file}]
    return _ended(kept | {"storage": _storage(found.buckets)})


def _ended(info: dict[str, object]) -> Ended:
    """Reads the recording from the very event that will be sent."""
    recording = Recording.from_payload({"egressInfo": info})
    at = recording and (recording.ended_at or recording.started_at)
    if recording is None or at is None:
        raise PermanentError("bad_recording", "the egress has no time")
    return Ended(recording=recording, at=at, info=info)


def _running(info: Object) -> Running | None:
    """None when it makes no file, or nobody can say how old it is."""
    seen_as = Recording.from_payload({"egressInfo": dict(info) | {"status": Status.FAILED.value}})
    if seen_as is None:
        return None
    times = [moment for moment in (seen_as.started_at, _moment(info, "updatedAt")) if moment is not None]
    if not times:
        return None
    return Running(
        egress_id=seen_as.egress_id,
        room_id=seen_as.room_id,
        room_name=seen_as.room_name,
        key=seen_as.key,
        buckets=seen_as.buckets,
        started_at=times[0],
        seen_at=max(times),
    )


def _ours(one: Ended | Running, info: Object, bucket: str, prefix: str) -> bool:
    """By its bucket; where LiveKit tells none, by its file's path, or the path that was asked for."""
    place = one.recording if isinstance(one, Ended) else one.failed(size=1 if one.key else None).recording
    try:
        check_place(place, bucket, prefix)
    except PermanentError:
        return False
    return bool(place.buckets) or place.key is not None or any(path.startswith(prefix) for path in _paths(info))


def _paths(info: Object) -> Iterator[str]:
    """Every file path that the egress was asked to write to."""
    pending: list[object] = [info]
    while pending:
        value = pending.pop()
        fields = protojson.as_object(value)
        if path := protojson.text(fields, "filepath"):
            yield path
        pending.extend([*fields.values(), *protojson.as_list(value)])


def _storage(buckets: tuple[str, ...]) -> list[object]:
    return [{"s3": {"bucket": bucket}} for bucket in buckets]


def _moment(info: Object, camel: str) -> datetime | None:
    nanoseconds = protojson.number(info, camel)
    return _EPOCH + timedelta(microseconds=int(nanoseconds) // 1000) if nanoseconds else None


def _nanoseconds(moment: datetime) -> str:
    return str((moment - _EPOCH) // timedelta(microseconds=1) * 1000)
