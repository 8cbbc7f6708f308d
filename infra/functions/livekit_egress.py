"""LiveKit's egress API: start the recording of room sessions, each one once.

Nothing here waits long: one room session gets TOTAL_SECONDS, all of a batch at the same time. What LiveKit cannot do
now is a WaitError, and the queue brings the event again; a start that we gave up waiting for and that LiveKit made all
the same is found in its list then. (Without a running egress LiveKit answers 503 after 22 s, before we ask again.)

`livekit.api` takes long to import: only `deliver` calls this, and imports it while it starts (see `warm`).
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

CALL_SECONDS = 10.0
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a start, and the egress that was started."""

    outcome: Outcome
    egress_id: str | None = None


def warm() -> None:
    """Import what the first start would have to wait for."""
    importlib.import_module("livekit.api")


def start_all(recorder: Recorder, starts: Iterable[Start]) -> dict[str, Answer | WaitError]:
    """Start what is not recorded yet; the answers by room id."""
    sessions: dict[str, Start] = {}
    for start in starts:
        known = sessions.get(start.room_id)
        if known is None or (start.phone and not known.phone):
            sessions[start.room_id] = start
    return asyncio.run(_start_all(recorder, list(sessions.values())))


async def _start_all(recorder: Recorder, starts: Sequence[Start]) -> dict[str, Answer | WaitError]:
    import aiohttp  # noqa: PLC0415  # see above
    from livekit import api  # noqa: PLC0415

    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    async with api.LiveKitAPI(recorder.url, recorder.key, recorder.secret, timeout=timeout, failover=False) as client:
        answers = await asyncio.gather(*(_bounded(client, recorder.egress, start) for start in starts))
    return {start.room_id: answer for start, answer in zip(starts, answers, strict=True)}


async def _bounded(client: api.LiveKitAPI, settings: EgressSettings, start: Start) -> Answer | WaitError:
    try:
        return await asyncio.wait_for(_start(client, settings, start), TOTAL_SECONDS)
    except Exception as error:  # noqa: BLE001  # never fails its neighbours
        return mapped(error)


async def _start(client: api.LiveKitAPI, settings: EgressSettings, start: Start) -> Answer:
    from livekit import api  # noqa: PLC0415  # see above

    running = await list_egresses(client, start.room_name, active=True)
    if start_policy.past(running, start.room_id, settings.bucket) is Past.RUNNING:
        return Answer(outcome=Outcome.RUNNING)
    history, room = await asyncio.gather(
        list_egresses(client, start.room_name, active=False), _room(client, start.room_name)
    )
    past = start_policy.past(history, start.room_id, settings.bucket)
    if past is not Past.NONE:
        return Answer(outcome={Past.RUNNING: Outcome.RUNNING, Past.STOPPED: Outcome.STOPPED}.get(past, Outcome.FAILED))
    if room is not None and room.sid != start.room_id:
        return Answer(outcome=Outcome.GONE)  # its name is used by the next session, which has events of its own
    if room is not None and start_policy.says(room.metadata) is False:
        return Answer(outcome=Outcome.METADATA)
    try:
        request = room_request(settings, start.room_name, phone=start.phone)
        info = await client.egress.start_room_composite_egress(request)
    except api.ServerError as error:
        if error.code == api.ServerErrorCode.NOT_FOUND:
            return Answer(outcome=Outcome.GONE)
        raise
    return Answer(outcome=Outcome.STARTED, egress_id=info.egress_id)


async def _room(client: api.LiveKitAPI, room_name: str) -> api.Room | None:
    """The room as it is now; None when that cannot be told: then the start itself tells."""
    from livekit import api  # noqa: PLC0415  # see above

    try:
        answer = await client.room.list_rooms(api.ListRoomsRequest(names=[room_name]))
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
