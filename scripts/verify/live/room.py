"""The room of a live call, as LiveKit's API shows it: made, being recorded, over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from livekit import api

from scripts.livekit_access import CREATE_ROOM, DELETE_ROOM, STOP_EGRESS, LiveKit, LiveKitError, Method
from scripts.verify.hop import Failed

Answer = TypeVar("Answer")

ENDED = (
    api.EgressStatus.EGRESS_COMPLETE,
    api.EgressStatus.EGRESS_FAILED,
    api.EgressStatus.EGRESS_ABORTED,
    api.EgressStatus.EGRESS_LIMIT_REACHED,
)
OVER = ("not_found", "failed_precondition")


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """One room by its name. Every method raises Failed with the likely cause when LiveKit does not do it."""

    livekit: LiveKit = field(repr=False)
    name: str

    def create(self, egress: api.RoomEgress | None) -> str:
        """Create it, to be recorded by itself when `egress` is given; its sid."""
        request = api.CreateRoomRequest(name=self.name, empty_timeout=120, departure_timeout=1, egress=egress)
        return self._ask(CREATE_ROOM, lambda client: client.room.create_room(request)).sid

    def delete(self) -> None:
        """Close it, which ends its recording; harmless when it is closed."""
        self._end(DELETE_ROOM, lambda client: client.room.delete_room(api.DeleteRoomRequest(room=self.name)))

    def stop(self, egress_id: str) -> None:
        """End one egress; harmless when it has ended."""
        request = api.StopEgressRequest(egress_id=egress_id)
        self._end(STOP_EGRESS, lambda client: client.egress.stop_egress(request))

    def egresses(self) -> list[api.EgressInfo]:
        """Every egress of it, newest first."""
        try:
            found = self.livekit.egresses(self.name, active=False)
        except LiveKitError as error:
            raise _failed(error) from None
        return sorted(found, key=lambda info: info.started_at, reverse=True)

    def _end(self, method: Method, task: Callable[[api.LiveKitAPI], Awaitable[object]]) -> None:
        try:
            self.livekit.ask(method, task)
        except LiveKitError as error:
            if error.code not in OVER:
                raise _failed(error) from None

    def _ask(self, method: Method, task: Callable[[api.LiveKitAPI], Awaitable[Answer]]) -> Answer:
        try:
            return self.livekit.ask(method, task)
        except LiveKitError as error:
            raise _failed(error) from None


def _failed(error: LiveKitError) -> Failed:
    return Failed(error.seen, cause=error.cause, mend=error.mend)
