"""Calls as a LiveKit project has them, and the events it sends about them (bodies as captured, other ids and times)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from tests.unit.functions_support import EVENTS

PREFIX = "recordings/"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One recorded call. Times in unix seconds."""

    egress_id: str
    room_id: str
    room_name: str
    began: float
    ended: float
    size: int

    @property
    def key(self) -> str:
        """The object key, new for every call."""
        return f"{PREFIX}{self.room_name}-{self.egress_id}.mp4"

    def again(self, later: float) -> Call:
        """The same egress completed a second time, with a longer file."""
        return replace(self, ended=self.ended + later, size=self.size + 1)


def letters(rng: Random, prefix: str) -> str:
    """An id as LiveKit makes them: prefix and twelve letters."""
    return prefix + "".join(rng.choices(_LETTERS, k=12))


def call(rng: Random, room_name: str, began: float, seconds: float) -> Call:
    """A call of that room name; times to the millisecond, as Airtable keeps them."""
    return Call(
        egress_id=letters(rng, "EG_"),
        room_id=letters(rng, "RM_"),
        room_name=room_name,
        began=round(began, 3),
        ended=round(began + seconds, 3),
        size=rng.randrange(20, 60),
    )


def egress_ended(of: Call, bucket: str, event_id: str | None = None, /, **info: Any) -> bytes:
    """The event that the recording is complete; `info` changes fields of egressInfo, None removes one."""
    file = {
        "filename": of.key,
        "startedAt": _ns(of.began),
        "endedAt": _ns(of.ended),
        "duration": str(round((of.ended - of.began) * 1000) * 10**6),
        "size": str(of.size),
        "location": f"https://s3.invalid/{bucket}/{of.key}",
    }
    changes = {
        "startedAt": _ns(of.began),
        "endedAt": _ns(of.ended),
        "updatedAt": _ns(of.ended),
        "fileResults": [file],
        "file": file,
    }
    return _event("egress_ended", of, bucket, event_id or f"EV_{of.egress_id[3:]}-ended", changes | info)


def egress_started(of: Call, bucket: str) -> bytes:
    """The event that the recording began."""
    changes = {"startedAt": _ns(of.began), "updatedAt": _ns(of.began)}
    return _event("egress_started", of, bucket, f"EV_{of.egress_id[3:]}-started", changes)


def egress_ending(of: Call, bucket: str) -> bytes:
    """The event that comes right before the one that the recording is complete."""
    changes = {"startedAt": _ns(of.began), "updatedAt": _ns(of.ended)}
    return _event("egress_updated.ending", of, bucket, f"EV_{of.egress_id[3:]}-ending", changes)


def room_finished(of: Call) -> bytes:
    """The event that the room is over; it holds a password, as LiveKit's does."""
    payload = dict(_captured("room_finished"))
    payload["room"] = {**payload["room"], "sid": of.room_id, "name": of.room_name}
    payload |= {"id": f"EV_{of.egress_id[3:]}-over", "createdAt": str(int(of.ended))}
    return json.dumps(payload).encode()


def cells(of: Call) -> dict[str, Any]:
    """What its conversation must show besides the link, in the types of the guide's table."""
    return {
        "egress_id": of.egress_id,
        "room_id": of.room_id,
        "recording_duration": _plain(round(round((of.ended - of.began) * 1000) / 1000, 1)),
        "recording_size": of.size,
        "recording_started_at": iso(of.began),
        "recording_ended_at": iso(of.ended),
        "recording_status": "Recorded",
    }


def iso(moment: float) -> str:
    """Unix seconds as Airtable shows them."""
    return datetime.fromtimestamp(round(moment, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_id(body: bytes) -> str:
    """The event's id."""
    return str(json.loads(body)["id"])


def _event(name: str, of: Call, bucket: str, event_id: str, changes: Mapping[str, Any]) -> bytes:
    payload = dict(_captured(name))
    payload["room"] = {"sid": of.room_id, "name": of.room_name}
    own = {"egressId": of.egress_id, "roomId": of.room_id, "roomName": of.room_name, "roomComposite": _request(bucket)}
    info = payload["egressInfo"] | own | dict(changes)
    payload["egressInfo"] = {field: value for field, value in info.items() if value is not None}
    payload |= {"id": event_id, "createdAt": str(int(of.ended))}
    return json.dumps(payload).encode()


def _request(bucket: str) -> dict[str, Any]:
    request = dict(_captured("egress_ended")["egressInfo"]["roomComposite"])
    [output] = request["fileOutputs"]
    request["fileOutputs"] = [output | {"s3": output["s3"] | {"bucket": bucket}}]
    return request


@cache
def _captured(name: str) -> dict[str, Any]:
    return json.loads((EVENTS / f"{name}.json").read_bytes())


def _ns(moment: float) -> str:
    """Unix seconds as protojson's nanoseconds."""
    return str(round(moment * 1000) * 10**6)


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value
