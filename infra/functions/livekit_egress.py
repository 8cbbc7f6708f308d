"""LiveKit's egress API: start the recording of room sessions, each one once.

Nothing here waits long: one room session gets TOTAL_SECONDS, all of a batch at the same time. What LiveKit cannot do
now is a WaitError, and the queue brings the event again; a start that we gave up waiting for and that LiveKit made all
the same is found in its list then. (Without a running egress LiveKit answers 503 after 22 s, before we ask again.)

`livekit.api` takes long to import: it is imported when LiveKit is asked. `deliver` does so while it starts (`warm`).
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from . import start_policy
from .egress import EgressSettings, room_request
from .egress_list import list_egresses
from .errors import WaitError
from .log import fault, log
from .start_policy import Past, Start

if TYPE_CHECKING:
    from livekit import api

TOTAL_SECONDS = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """A LiveKit server, the API key that may record there (roomRecord), and how recordings are made."""

    url: str
    key: str
    secret: str = field(repr=False)
    egress: EgressSettings


class Outcome(StrEnum):
    """What became of a start."""

    STARTED = "started"
    #: The session is being recorded already.
    RUNNING = "running"
    #: Its recording was ended on purpose, or reached its limit.
    STOPPED = "stopped"
    #: Its recording failed for good.
    FAILED = "failed_twice"
    #: The session is over.
    GONE = "room_gone"
    #: The room's metadata say so by now.
    METADATA = "metadata"


_OVER = {Past.RUNNING: Outcome.RUNNING, Past.STOPPED: Outcome.STOPPED, Past.FAILED: Outcome.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a start, and the egress that records."""

    outcome: Outcome
    egress_id: str | None = None


def warm() -> None:
    """Import what the first start would have to wait for."""
    importlib.import_module("livekit.api")


def start_all(recorder: Recorder, starts: Iterable[Start]) -> dict[str, Answer | WaitError]:
    """Start what is not recorded yet; the answers by room id."""
    sessions: dict[str, Start] = {}
    for start in starts:
        sessions[start.room_id] = start.merged(sessions.get(start.room_id, start))
    return asyncio.run(_start_all(recorder, list(sessions.values())))


async def _start_all(recorder: Recorder, starts: Sequence[Start]) -> dict[str, Answer | WaitError]:
    async with client(recorder.url, recorder.key, recorder.secret) as livekit:
        answers = await asyncio.gather(*(_bounded(livekit, recorder.egress, start) for start in starts))
    return {start.room_id: answer for start, answer in zip(starts, answers, strict=True)}


async def _bounded(livekit: api.LiveKitAPI, settings: EgressSettings, start: Start) -> Answer | WaitError:
    try:
        return await asyncio.wait_for(_start(livekit, settings, start), TOTAL_SECONDS)
    except Exception as error:  # noqa: BLE001  # never fails its neighbours
        return mapped(error)


async def _start(livekit: api.LiveKitAPI, settings: EgressSettings, start: Start) -> Answer:
    if running := await running_egress(livekit, settings, start):
        return Answer(outcome=Outcome.RUNNING, egress_id=running)
    history, room = await asyncio.gather(
        list_egresses(livekit, start.room_name, active=False), _room(livekit, start.room_name)
    )
    over = _OVER.get(start_policy.past(history, start.room_id, settings.bucket)) or _elsewhere(start, room)
    return Answer(outcome=over) if over else await begin(livekit, settings, start)


def _elsewhere(start: Start, room: api.Room | None) -> Outcome | None:
    """Why the room as it is now makes a start needless. None too for one that LiveKit does not list: it may be new."""
    if room is None or (start.again and not room.num_participants):
        return Outcome.GONE if start.again else None
    if room.sid != start.room_id:  # its name is used by the next session, which has events of its own
        return Outcome.GONE
    return Outcome.METADATA if start_policy.says(room.metadata) is False else None


def client(url: str, key: str, secret: str) -> api.LiveKitAPI:
    """A client for a `with` block; whoever calls does its own trying again."""
    from livekit import api  # noqa: PLC0415  # see above

    return api.LiveKitAPI(url, key, secret, failover=False)  # its `timeout` does nothing in livekit-api 1.2.2


async def running_egress(livekit: api.LiveKitAPI, settings: EgressSettings, start: Start) -> str | None:
    """The id of the egress that records this session already. Raises what livekit-api raises: see `mapped`."""
    active = await list_egresses(livekit, start.room_name, active=True)
    return start_policy.running(active, start.room_id, settings.bucket)


async def begin(livekit: api.LiveKitAPI, settings: EgressSettings, start: Start) -> Answer:
    """Start a recording, whether there is one or not. Raises what livekit-api raises: see `mapped`."""
    from livekit import api  # noqa: PLC0415  # see above

    try:
        request = room_request(settings, start.room_name, phone=start.phone)
        info = await livekit.egress.start_room_composite_egress(request)
    except api.ServerError as error:
        if error.code == api.ServerErrorCode.NOT_FOUND:
            return Answer(outcome=Outcome.GONE)
        raise
    return Answer(outcome=Outcome.STARTED, egress_id=info.egress_id)


async def _room(livekit: api.LiveKitAPI, room_name: str) -> api.Room | None:
    """The room as it is now; None when that cannot be told: then the start itself tells."""
    from livekit import api  # noqa: PLC0415  # see above

    try:
        answer = await livekit.room.list_rooms(api.ListRoomsRequest(names=[room_name]))
    except api.ServerError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return None
    return next((room for room in answer.rooms if room.name == room_name), None)


def mapped(error: BaseException) -> WaitError:
    """An error of LiveKit, or on the way to it, as ours; its text stays out, it may quote names."""
    import aiohttp  # noqa: PLC0415  # see above
    from livekit import api  # noqa: PLC0415

    if isinstance(error, api.ServerError):
        if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return WaitError("livekit_refused", "LiveKit does not take our key, or the key lacks roomRecord")
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            return WaitError("livekit_throttled", "LiveKit asks to wait")
        if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return WaitError("livekit_rejected", "LiveKit does not take the request")
        return WaitError("livekit_unavailable", "LiveKit runs without an egress that is free, or is out of order")
    if isinstance(error, (aiohttp.ClientError, TimeoutError, OSError)):
        return WaitError("livekit_unavailable", "LiveKit does not answer")
    log("error", "start_failed", error=fault(error))
    return WaitError("fault", "an unexpected error, see the function's log")
