"""What LiveKit knows: its rooms, and its egresses of late.

`livekit.api` takes long to import: it is imported when LiveKit is asked, so that only `reconcile` pays for it.
A listing is one request for all rooms and one for each page of egresses: a self-hosted LiveKit answers with one page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from .errors import LiveKitError
from .log import fault, log
from .protojson import Object

if TYPE_CHECKING:
    from livekit import api

#: For one request.
REQUEST_SECONDS = 15.0
#: An egress that ended within the time of interest may have begun so long before it.
LONGEST_EGRESS = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The rooms that are open."""

    ids: frozenset[str]
    names: frozenset[str] = field(repr=False)

    def has(self, room_id: str | None, room_name: str | None) -> bool:
        """By id; by name just when there is no id, as a name may be used again."""
        return room_id in self.ids if room_id else room_name in self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rooms (None: LiveKit does not tell them) as they were before, and egresses as protojson, as they were after."""

    rooms: Rooms | None
    egresses: tuple[Object, ...]


class LiveKit:
    """One LiveKit project, asked with one API key. `requests` counts what it was asked."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        """No request is made."""
        self._url, self._key, self._secret = url, key, secret
        self.requests = 0

    def listing(self, since: datetime | None, seconds: float) -> Listing:
        """The rooms, then the egresses that may have ended since then (None: those that run now).

        LiveKitError when they cannot be had within so many seconds.
        """
        import aiohttp  # noqa: PLC0415  # see above
        from google.protobuf.message import DecodeError  # noqa: PLC0415
        from livekit import api  # noqa: PLC0415

        try:
            return asyncio.run(self._listing(since, seconds))
        except api.ServerError as error:
            log("error", "livekit_failed", status=error.status)
            refused = error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
            raise LiveKitError("livekit_refused" if refused else "livekit_unavailable") from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, DecodeError) as error:
            log("error", "livekit_failed", error=fault(error))
            raise LiveKitError("livekit_unavailable") from None

    async def _listing(self, since: datetime | None, seconds: float) -> Listing:
        """livekit-api's own time-outs are not kept by every aiohttp: each request is timed here, and all of them."""
        from livekit import api  # noqa: PLC0415

        async with (
            asyncio.timeout(seconds),
            api.LiveKitAPI(self._url, self._key, self._secret, failover=False) as client,
        ):
            rooms = await self._rooms(client)
            return Listing(rooms=rooms, egresses=await self._egresses(client, since))

    async def _rooms(self, client: api.LiveKitAPI) -> Rooms | None:
        """None when LiveKit refuses just this: then nothing can be told from a room that is gone."""
        from livekit import api  # noqa: PLC0415

        self.requests += 1
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                answer = await client.room.list_rooms(api.ListRoomsRequest())
        except api.ServerError as error:
            log("error", "livekit_rooms_failed", status=error.status)
            return None
        return Rooms(
            ids=frozenset(room.sid for room in answer.rooms), names=frozenset(room.name for room in answer.rooms)
        )

    async def _egresses(self, client: api.LiveKitAPI, since: datetime | None) -> tuple[Object, ...]:
        """By pages, each older than the one before, until one holds nothing that may have ended since then.

        That pages get older: https://github.com/livekit/livekit-cli/pull/851
        """
        from google.protobuf.json_format import MessageToDict  # noqa: PLC0415
        from livekit import api  # noqa: PLC0415

        found: list[Object] = []
        tokens: set[str] = set()
        request = api.ListEgressRequest(active=since is None)
        while True:
            self.requests += 1
            async with asyncio.timeout(REQUEST_SECONDS):
                answer = await client.egress.list_egress(request)
            found += [MessageToDict(info) for info in answer.items]
            token = answer.next_page_token.token
            if not token or (since is not None and _all_before(since - LONGEST_EGRESS, answer.items)):
                return tuple(found)
            if token in tokens:
                raise ValueError("the pages have no end")
            tokens.add(token)
            request.page_token.CopyFrom(answer.next_page_token)


def _all_before(horizon: datetime, egresses: Iterable[api.EgressInfo]) -> bool:
    """Whether there are any, and all of them ended or were last heard of before then."""
    times = [max(info.started_at, info.updated_at, info.ended_at) for info in egresses]
    return bool(times) and max(times) < horizon.timestamp() * 10**9
