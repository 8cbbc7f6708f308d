"""Webhook events as LiveKit makes them: real protojson, signed by a token over the body's hash (pure)."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

import jwt
from google.protobuf.json_format import MessageToJson
from livekit import api
from livekit.protocol.webhook import WebhookEvent

from scripts.verify.probe import Probe

# What livekit-server puts into `exp`, counted from `nbf`.
TOKEN_SECONDS = 300


def token(key: str, secret: str, body: bytes, now: datetime) -> str:
    """The bare JWT that goes into Authorization; claims exactly as livekit-server's."""
    begin = int(now.timestamp())
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    claims = {"iss": key, "iat": begin, "nbf": begin, "exp": begin + TOKEN_SECONDS, "sha256": digest}
    return jwt.encode(claims, secret, algorithm="HS256")


def harmless_event(probe: Probe, now: datetime) -> bytes:
    """A room that is over: nothing follows from it."""
    event = WebhookEvent(event="room_finished", id=f"EV_{probe.room}-finished", created_at=int(now.timestamp()))
    event.room.sid, event.room.name = probe.room_id, probe.room
    return _protojson(event)


def egress_ended(probe: Probe, bucket: str, started: datetime, ended: datetime) -> bytes:
    """The probe recording's end; `bucket` is where it was stored. Aware datetimes."""
    event = WebhookEvent(event="egress_ended", id=f"EV_{probe.room}-ended", created_at=int(ended.timestamp()))
    event.room.sid, event.room.name = probe.room_id, probe.room
    info = event.egress_info
    info.egress_id, info.room_id, info.room_name = probe.egress_id, probe.room_id, probe.room
    info.status = api.EgressStatus.EGRESS_COMPLETE
    info.started_at, info.ended_at, info.updated_at = _ns(started), _ns(ended), _ns(ended)
    info.room_composite.room_name, info.room_composite.audio_only = probe.room, True
    output = info.room_composite.file_outputs.add()
    output.file_type, output.filepath = api.EncodedFileType.MP4, probe.key
    output.s3.bucket = bucket
    file = info.file_results.add()
    file.filename, file.size = probe.key, len(probe.content)
    file.started_at, file.ended_at = _ns(started), _ns(ended)
    file.duration = (ended - started) // timedelta(microseconds=1) * 1000
    return _protojson(event)


def _protojson(event: WebhookEvent) -> bytes:
    return MessageToJson(event, indent=None).encode()


def _ns(moment: datetime) -> int:
    """Nanoseconds since 1970."""
    return int(moment.timestamp() * 1_000_000) * 1000
