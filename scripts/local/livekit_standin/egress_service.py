"""livekit.Egress: recordings.

Source: livekit-server 1.13 pkg/service/egress.go and redisstore.go. A self-hosted server lists all at once; LiveKit
Cloud in pages, whose token is URL-safe base64 of `{"offset", "limit"}` (livekit/protocol livekit/types.go).
"""

from __future__ import annotations

import base64
import json

from livekit import api

from . import errors
from .access import Grants
from .egress import RUNNING
from .pace import Pace
from .recorder import Recorder
from .rooms import Rooms

#: How long StartRoomCompositeEgress waits for an egress service when there is none; measured.
NO_EGRESS_SECONDS = 22.0


class EgressService:
    """The methods that the stand-in has. `page_size`: how many egresses a listing shows at once, None for all."""

    def __init__(self, *, rooms: Rooms, recorder: Recorder, pace: Pace) -> None:
        self.page_size: int | None = 100
        self._rooms = rooms
        self._recorder = recorder
        self._pace = pace

    def list(self, wanted: api.ListEgressRequest, grants: Grants) -> api.ListEgressResponse:
        """The egresses of a room or of all, or one by its id (404 without one); `active` leaves out what is over."""
        grants.require("roomRecord")
        known = self._recorder.all()
        if wanted.egress_id:
            found = [info for info in known if info.egress_id == wanted.egress_id]
            if not found:
                raise errors.no_egress()
            return api.ListEgressResponse(items=found)
        items = [
            info
            for info in known
            if (not wanted.room_name or info.room_name == wanted.room_name)
            and (not wanted.active or info.status in RUNNING)
        ]
        return self._page(items, wanted.page_token.token)

    def _page(self, items: list[api.EgressInfo], token: str) -> api.ListEgressResponse:
        offset = _offset(token) if token else 0
        end = len(items) if self.page_size is None else offset + self.page_size
        answer = api.ListEgressResponse(items=items[offset:end])
        if end < len(items):
            answer.next_page_token.token = base64.urlsafe_b64encode(
                json.dumps({"offset": end, "limit": self.page_size}).encode()
            ).decode()
        return answer

    def start(
        self, wanted: api.RoomCompositeEgressRequest, grants: Grants, *, no_egress: bool, endless: bool
    ) -> api.EgressInfo:
        """Record a room that is open."""
        grants.require("roomRecord")
        if not wanted.room_name:
            raise errors.service("invalid_argument", "request has missing or invalid field: room_name")
        room = self._rooms.get(wanted.room_name)
        if no_egress:
            self._pace.wait(NO_EGRESS_SECONDS)
            raise errors.no_response()
        return self._recorder.start(wanted, room, dead=endless)

    def stop(self, wanted: api.StopEgressRequest, grants: Grants) -> api.EgressInfo:
        """Stop one; it then finishes and uploads its file."""
        grants.require("roomRecord")
        return self._recorder.stop(wanted.egress_id)


def _offset(token: str) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["offset"])
    except (ValueError, KeyError, TypeError):
        raise errors.twirp("invalid_argument", "invalid page token") from None
