"""Participants as LiveKit describes them."""

from __future__ import annotations

from livekit.protocol.models import ClientInfo, ParticipantInfo

from .ids import new_id

KINDS = {
    "standard": ParticipantInfo.Kind.STANDARD,
    "ingress": ParticipantInfo.Kind.INGRESS,
    "egress": ParticipantInfo.Kind.EGRESS,
    "sip": ParticipantInfo.Kind.SIP,
    "agent": ParticipantInfo.Kind.AGENT,
}
#: They keep no room open, and are not counted among its participants.
DEPENDENT = frozenset({ParticipantInfo.Kind.EGRESS, ParticipantInfo.Kind.AGENT})


def arrived(
    identity: str,
    kind: str,
    now_ns: int,
    *,
    name: str = "",
    metadata: str = "",
    attributes: dict[str, str] | None = None,
) -> ParticipantInfo:
    """Somebody who has just become active; an egress is hidden and only listens."""
    info = ParticipantInfo(
        sid=new_id("PA_"),
        identity=identity,
        state=ParticipantInfo.State.ACTIVE,
        metadata=metadata,
        joined_at=now_ns // 1_000_000_000,
        joined_at_ms=now_ns // 1_000_000,
        name=name,
        version=2,
        kind=KINDS[kind],
        attributes=attributes or {},
    )
    info.permission.can_subscribe = True
    if kind == "egress":
        info.permission.hidden = info.permission.recorder = True
        return info
    info.permission.can_publish = info.permission.can_publish_data = True
    info.client_protocol = 2
    info.capabilities.extend(
        [ClientInfo.Capability.CAP_PACKET_TRAILER, ClientInfo.Capability.CAP_COMPRESSION_DEFLATE_RAW]
    )
    return info
