"""LiveKit's list of egresses, as far as it tells whether a room session is recorded.

`livekit.api` takes long to import: it is imported where LiveKit is asked, never with this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .start_policy import Egress

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from livekit import api

#: LiveKit Cloud lists by pages; a room name that is used again and again has many old egresses.
_MAX_PAGES = 20


async def list_egresses(client: api.LiveKitAPI, room_name: str, *, active: bool) -> list[Egress]:
    """The egresses of every session of a room name, those that are over too unless `active`."""
    from livekit import api  # noqa: PLC0415  # see above

    found: list[Egress] = []
    request = api.ListEgressRequest(room_name=room_name, active=active)
    for _ in range(_MAX_PAGES):
        answer = await client.egress.list_egress(request)
        found += [_egress(info) for info in answer.items]
        if not answer.next_page_token.token:
            break
        request.page_token.CopyFrom(answer.next_page_token)
    return found


def _egress(info: api.EgressInfo) -> Egress:
    from livekit import api  # noqa: PLC0415  # see above

    return Egress(
        egress_id=info.egress_id,
        room_id=info.room_id,
        status=api.EgressStatus.Name(info.status) if info.status in api.EgressStatus.values() else "",
        whole_room=_whole_room(info),
        buckets=frozenset(buckets(info)),
    )


def _whole_room(info: api.EgressInfo) -> bool:
    """Not somebody alone, and not a stream that leaves no file; what LiveKit does not tell is taken for a recording."""
    request = info.room_composite
    streamed = bool(request.stream_outputs) or request.HasField("stream")
    filed = bool(request.file_outputs) or request.HasField("file")
    return info.WhichOneof("request") not in ("participant", "track_composite", "track") and (filed or not streamed)


def buckets(message: Message) -> set[str]:
    """Every S3 bucket that an egress names as its target, wherever in its request."""
    found: set[str] = set()
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None or descriptor.message_type.GetOptions().map_entry:
            continue
        for part in value if descriptor.is_repeated else [value]:
            if descriptor.message_type.name == "S3Upload":
                found.add(cast("api.S3Upload", part).bucket)
            else:
                found |= buckets(part)
    return found
