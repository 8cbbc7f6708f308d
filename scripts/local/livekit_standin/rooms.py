"""Rooms that are open, and who is in them.

Source: livekit-server 1.13 pkg/service/roomallocator.go, pkg/rtc/room.go; compared with a running one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from livekit import api
from livekit.protocol.models import DisconnectReason, ParticipantInfo, RoomEndReason

from . import errors, people
from .events import participant_event, room_event
from .ids import new_id, new_secret
from .webhooks import Webhooks

EMPTY_SECONDS = 300
DEPARTURE_SECONDS = 20
CODECS = (
    *("audio/PCMU", "audio/PCMA", "audio/opus", "audio/red"),
    *("video/VP8", "video/H264", "video/VP9", "video/AV1", "video/H265", "video/rtx"),
)


@dataclass(kw_only=True, slots=True)
class Room:
    """An open room, or one that `closed`; `published` once somebody sent sound in it; idle times in nanoseconds."""

    info: api.Room
    people: dict[str, ParticipantInfo] = field(default_factory=dict[str, ParticipantInfo])
    published: bool = False
    closed: bool = False
    joined: bool = False
    idle_since: int

    @property
    def occupied(self) -> bool:
        """Whether somebody keeps it open."""
        return any(person.kind not in people.DEPENDENT for person in self.people.values())

    def shown(self) -> api.Room:
        """The room as the API shows it, with its counts as they are now."""
        shown = api.Room()
        shown.CopyFrom(self.info)
        shown.num_participants = sum(person.kind not in people.DEPENDENT for person in self.people.values())
        shown.num_publishers = sum(person.is_publisher for person in self.people.values())
        shown.active_recording = any(person.permission.recorder for person in self.people.values())
        return shown


class Rooms:
    """All rooms by name. `changed` is the stand-in's one lock, and tells those who wait for something in a room."""

    def __init__(self, *, changed: threading.Condition, webhooks: Webhooks, now_ns: Callable[[], int]) -> None:
        self._changed = changed
        self._webhooks = webhooks
        self._now_ns = now_ns
        self._rooms: dict[str, Room] = {}

    def open(self, wanted: api.CreateRoomRequest, *, sid: str | None = None) -> tuple[Room, bool]:
        """The room of that name and whether it was made; one that is open stays as it is."""
        with self._changed:
            if wanted.name in self._rooms:
                return self._rooms[wanted.name], False
            now = self._now_ns()
            info = api.Room(
                sid=sid or new_id("RM_"),
                name=wanted.name,
                empty_timeout=wanted.empty_timeout or EMPTY_SECONDS,
                departure_timeout=wanted.departure_timeout or DEPARTURE_SECONDS,
                max_participants=wanted.max_participants,
                creation_time=now // 1_000_000_000,
                creation_time_ms=now // 1_000_000,
                turn_password=new_secret(),
                metadata=wanted.metadata,
            )
            for mime in CODECS:
                info.enabled_codecs.add(mime=mime)
            room = self._rooms[wanted.name] = Room(info=info, idle_since=now)
            self._webhooks.notify(room_event("room_started", room.shown(), now))
            self._changed.notify_all()
            return room, True

    def get(self, name: str) -> Room:
        """The open room of that name; 404 without one."""
        with self._changed:
            if name not in self._rooms:
                raise errors.no_room()
            return self._rooms[name]

    def find(self, name: str) -> Room | None:
        """The open room of that name, None without one."""
        with self._changed:
            return self._rooms.get(name)

    def all(self, names: Iterable[str] = ()) -> list[Room]:
        """The open rooms, or those of them that are named; in order of their creation."""
        wanted = set(names)
        with self._changed:
            return [room for name, room in self._rooms.items() if not wanted or name in wanted]

    def close(self, room: Room, reason: RoomEndReason) -> None:
        """Everybody leaves, and the room is over."""
        with self._changed:
            if room.closed:
                return
            for person in [*room.people.values()]:
                self.leave(room, person.identity, DisconnectReason.ROOM_DELETED)
            room.closed = True
            del self._rooms[room.info.name]
            self._webhooks.notify(room_event("room_finished", room.shown(), self._now_ns(), reason=reason))
            self._changed.notify_all()

    def join(self, room: Room, person: ParticipantInfo, *, publish: bool = False) -> None:
        """Somebody joins; whoever is there under the same identity must go."""
        with self._changed:
            self.leave(room, person.identity, DisconnectReason.DUPLICATE_IDENTITY)
            before = room.shown()
            before.active_recording |= person.permission.recorder
            room.people[person.identity] = person
            room.joined = room.joined or person.kind not in people.DEPENDENT
            self._webhooks.notify(participant_event("participant_joined", before, person, self._now_ns()))
            if publish:
                self.publish(room, person.identity)
            self._changed.notify_all()

    def publish(self, room: Room, identity: str) -> None:
        """Somebody begins to send sound."""
        with self._changed:
            person = room.people[identity]
            person.is_publisher, person.version = True, 4
            room.published = True
            self._changed.notify_all()

    def leave(self, room: Room, identity: str, reason: DisconnectReason = DisconnectReason.CLIENT_INITIATED) -> None:
        """Somebody leaves; nothing happens when nobody of that identity is there."""
        with self._changed:
            person = room.people.pop(identity, None)
            if person is None:
                return
            person.state, person.disconnect_reason = ParticipantInfo.State.DISCONNECTED, reason
            person.version += 1
            if not room.occupied:
                room.idle_since = self._now_ns()
            self._webhooks.notify(participant_event("participant_left", room.shown(), person, self._now_ns()))
            self._changed.notify_all()

    def close_idle(self, scale: float) -> None:
        """Close the rooms that nobody was in for too long; `scale` shortens their time-outs."""
        with self._changed:
            for room in self.all():
                patience = room.info.departure_timeout if room.joined else room.info.empty_timeout
                if not room.occupied and self._now_ns() - room.idle_since >= patience * scale * 1e9:
                    self.close(room, RoomEndReason.ROOM_END_IDLE_TIMEOUT)
