"""The room of a live call, as LiveKit's API shows it: made, being recorded, over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import aiohttp
from livekit import api

from scripts.verify.hop import Failed

T = TypeVar("T")

#: Creating a room that is to be recorded takes LiveKit 10 s when no egress runs; starting one 22 s.
TIMEOUT = aiohttp.ClientTimeout(total=30)
ENDED = (
    api.EgressStatus.EGRESS_COMPLETE,
    api.EgressStatus.EGRESS_FAILED,
    api.EgressStatus.EGRESS_ABORTED,
    api.EgressStatus.EGRESS_LIMIT_REACHED,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """One room by its name. Every method raises Failed with the likely cause when LiveKit does not do it."""

    url: str
    key: str
    secret: str = field(repr=False)
    name: str

    def create(self, egress: api.RoomEgress | None) -> str:
        """Create it, to be recorded by itself when `egress` is given; its sid."""
        request = api.CreateRoomRequest(name=self.name, empty_timeout=120, departure_timeout=1, egress=egress)
        return self._ask("CreateRoom", "roomCreate", lambda livekit: livekit.room.create_room(request)).sid

    def delete(self) -> None:
        """Close it, which ends its recording; harmless when it is closed."""

        async def delete(livekit: api.LiveKitAPI) -> None:
            try:
                await livekit.room.delete_room(api.DeleteRoomRequest(room=self.name))
            except api.ServerError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise

        self._ask("DeleteRoom", "roomCreate", delete)

    def egresses(self) -> list[api.EgressInfo]:
        """Every egress of it, newest first."""
        request = api.ListEgressRequest(room_name=self.name)
        answer = self._ask("ListEgress", "roomRecord", lambda livekit: livekit.egress.list_egress(request))
        return sorted(answer.items, key=lambda info: info.started_at, reverse=True)

    def stop(self, egress_id: str) -> None:
        """End one egress; harmless when it has ended."""

        async def stop(livekit: api.LiveKitAPI) -> None:
            try:
                await livekit.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id))
            except api.ServerError as error:
                if error.code not in ("not_found", "failed_precondition"):
                    raise

        self._ask("StopEgress", "roomRecord", stop)

    def _ask(self, call: str, grant: str, request: Callable[[api.LiveKitAPI], Awaitable[T]]) -> T:
        async def ask() -> T:
            async with api.LiveKitAPI(self.url, self.key, self.secret, timeout=TIMEOUT, failover=False) as livekit:
                return await request(livekit)

        try:
            return asyncio.run(ask())
        except api.ServerError as error:
            raise _refused(call, grant, error) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Failed(
                f"{call}: no answer ({type(error).__name__})",
                cause="livekitUrl is wrong, or LiveKit is not reachable from here",
                mend="pulumi config set livekitUrl wss://…",
            ) from None


def _refused(call: str, grant: str, error: api.ServerError) -> Failed:
    seen = f"{call}: {error.status} {error.code}"
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        cause = f"LiveKit does not know the key, or its secret is another, or the key lacks {grant}"
        return Failed(seen, cause=cause, mend="pulumi config set --secret livekitApiSecret …")
    cause = "LiveKit runs without its egress service (or the Redis between them), or is out of order"
    return Failed(seen, cause=cause, mend="callrec status")
