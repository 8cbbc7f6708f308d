"""Webhook events as livekit-server makes them.

Source: livekit-server pkg/telemetry/events.go, and the captured bodies in tests/events.
"""

from __future__ import annotations

from livekit import api
from livekit.protocol.models import ParticipantInfo, RoomEndReason
from livekit.protocol.webhook import WebhookEvent

from .ids import new_id


def room_event(
    name: str, room: api.Room, now_ns: int, *, reason: RoomEndReason = RoomEndReason.ROOM_END_UNKNOWN
) -> WebhookEvent:
    """`room_started`, or `room_finished` with its reason."""
    event = _event(name, now_ns)
    event.room.CopyFrom(room)
    event.room_end_reason = reason
    return event


def participant_event(name: str, room: api.Room, participant: ParticipantInfo, now_ns: int) -> WebhookEvent:
    """`participant_joined` or `participant_left`."""
    event = _event(name, now_ns)
    event.room.CopyFrom(room)
    event.participant.CopyFrom(participant)
    return event


def egress_event(name: str, info: api.EgressInfo, now_ns: int) -> WebhookEvent:
    """`egress_started`, `egress_updated` or `egress_ended`: of the room it says no more than id and name."""
    event = _event(name, now_ns)
    event.room.sid, event.room.name = info.room_id, info.room_name
    event.egress_info.CopyFrom(info)
    return event


def queue_key(event: WebhookEvent) -> str:
    """Events of one key are sent in order, one behind the other; those of different keys side by side."""
    return event.egress_info.egress_id or event.room.name


def _event(name: str, now_ns: int) -> WebhookEvent:
    return WebhookEvent(event=name, id=new_id("EV_"), created_at=now_ns // 1_000_000_000)
