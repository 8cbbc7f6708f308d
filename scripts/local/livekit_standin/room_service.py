"""livekit.RoomService: rooms and who is in them.

Source: livekit-server 1.13 pkg/service/roomservice.go; answers compared with a running server's.
"""

from __future__ import annotations

from livekit import api
from livekit.protocol.models import RoomEndReason

from . import errors
from .access import Grants
from .pace import Pace
from .recorder import Recorder
from .rooms import Room, Rooms

MAX_NAME = 256
MAX_METADATA_BYTES = 512 * 1024
#: How long CreateRoom waits for an egress service when there is none; measured, and then it answers 200.
NO_EGRESS_SECONDS = 10.0


class RoomService:
    """The methods that the stand-in has; each first asks for its grant."""

    def __init__(self, *, rooms: Rooms, recorder: Recorder, pace: Pace) -> None:
        self._rooms = rooms
        self._recorder = recorder
        self._pace = pace

    def create(self, wanted: api.CreateRoomRequest, grants: Grants, *, no_egress: bool, endless: bool) -> api.Room:
        """Open a room, or find it open, and record it from its begin when the request says so."""
        grants.require("roomCreate")
        if len(wanted.name.encode()) > MAX_NAME:
            reason = f"room name length exceeds limits: max length {MAX_NAME}"
            raise errors.service("invalid_argument", reason)
        _check_metadata(wanted.metadata)
        if wanted.room_preset:
            raise errors.service("invalid_argument", "unknown room configuration in create room request")
        if wanted.egress.HasField("participant") or wanted.egress.HasField("tracks"):
            raise errors.twirp("unimplemented", "the stand-in records whole rooms only")
        room, created = self._rooms.open(wanted)
        if created and wanted.egress.HasField("room"):
            self._record(wanted.egress.room, room, no_egress=no_egress, endless=endless)
        return room.shown()

    def _record(self, egress: api.RoomCompositeEgressRequest, room: Room, *, no_egress: bool, endless: bool) -> None:
        request = api.RoomCompositeEgressRequest()
        request.CopyFrom(egress)
        request.room_name = room.info.name
        if no_egress:
            self._pace.wait(NO_EGRESS_SECONDS)
        else:
            self._recorder.start(request, room, dead=endless)

    def list(self, wanted: api.ListRoomsRequest, grants: Grants) -> api.ListRoomsResponse:
        """The open rooms, or those named."""
        grants.require("roomList")
        return api.ListRoomsResponse(rooms=[room.shown() for room in self._rooms.all(wanted.names)])

    def delete(self, wanted: api.DeleteRoomRequest, grants: Grants) -> api.DeleteRoomResponse:
        """Close a room; whoever is in it must leave."""
        grants.require("roomCreate")
        self._rooms.close(self._rooms.get(wanted.room), RoomEndReason.ROOM_END_API_DELETE)
        return api.DeleteRoomResponse()

    def participants(self, wanted: api.ListParticipantsRequest, grants: Grants) -> api.ListParticipantsResponse:
        """Who is in a room; nobody is in one that is not open."""
        grants.require_admin(wanted.room)
        room = self._rooms.find(wanted.room)
        return api.ListParticipantsResponse(participants=[] if room is None else [*room.people.values()])

    def update_metadata(self, wanted: api.UpdateRoomMetadataRequest, grants: Grants) -> api.Room:
        """Replace a room's metadata."""
        _check_metadata(wanted.metadata)
        grants.require_admin(wanted.room)
        room = self._rooms.get(wanted.room)
        room.info.metadata = wanted.metadata
        return room.shown()


def _check_metadata(metadata: str) -> None:
    if len(metadata.encode()) > MAX_METADATA_BYTES:
        raise errors.metadata_too_long(MAX_METADATA_BYTES)
