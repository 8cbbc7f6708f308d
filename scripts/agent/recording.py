"""Recording a call from the agent that talks in it: `start_recording(ctx)` in `entrypoint()`; `stop_recording` ends it.

Neither ever raises, nor takes longer than LIMIT_SECONDS: a call without a recording is better than no call. What went
wrong is logged (logger `callrec`) and counted (`counts()`, and as `callrec_recordings_total` for Prometheus where the
agent has prometheus_client, as LiveKit's agents do).

The environment is what `callrec env` writes: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, AWS_ACCESS_KEY,
AWS_SECRET_KEY, AWS_BUCKET, AWS_REGION; besides, each may be left out: CALLREC_PREFIX, CALLREC_FILE_PATH,
CALLREC_PHONE_FILE_PATH, CALLREC_AUDIO_BITRATE, CALLREC_AUDIO_MIXING, CALLREC_WEBHOOK_URL. Where recordings are
uploaded by a role, CALLREC_UPLOADER_ROLE_ARN and CALLREC_UPLOADER_EXTERNAL_ID stand in place of the access key.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import logging
import os
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

from livekit import api

from infra.functions.egress import EgressOptions, EgressSettings
from infra.functions.egress_list import list_egresses
from infra.functions.errors import SettingsError, WaitError
from infra.functions.livekit_egress import Outcome, Recorder, begin, client, mapped, running_egress
from infra.functions.start_policy import Start, all_running, says

LIMIT_SECONDS = 12.0
_SIP = 3  # livekit.rtc.ParticipantKind.PARTICIPANT_KIND_SIP
#: An egress that is over, or unknown by now, needs no stopping.
_OVER = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)

_log = logging.getLogger("callrec")
_counts: Counter[str] = Counter()
#: Room sessions whose start LiveKit has not answered: it may have made it all the same.
_doubtful: set[str] = set()


class Participant(Protocol):
    """What is asked of a participant."""

    @property
    def kind(self) -> int:
        """As livekit.rtc.ParticipantKind."""
        ...


class Room(Protocol):
    """What is asked of livekit.rtc.Room."""

    @property
    def name(self) -> str:
        """Empty before the agent is connected."""
        ...

    @property
    def metadata(self) -> str:
        """Empty before the agent is connected."""
        ...

    @property
    def remote_participants(self) -> Mapping[str, Any]:
        """By identity; see Participant."""
        ...


class Job(Protocol):
    """What is asked of livekit.agents.JobContext."""

    @property
    def room(self) -> Room:
        """The room."""
        ...

    @property
    def job(self) -> Any:
        """The job, which knows its room before the agent is connected: livekit.protocol.agent.Job."""
        ...


async def start_recording(ctx: Job, env: Mapping[str, str] = os.environ) -> str | None:
    """Record this call, unless it is being recorded; the egress' id, None when there is no recording.

    A room whose metadata say `{"record": false}` is not recorded. To start again after `stop_recording` is allowed.
    """
    try:
        outcome, egress_id = await _start(_session(ctx), ctx.room.metadata or str(ctx.job.room.metadata), env)
    except Exception as error:  # noqa: BLE001  # never breaks the call
        if isinstance(error, TimeoutError) and (room_id := _room_id(ctx)):
            _doubtful.add(room_id)
        _failed(ctx, "no recording", error)
        return None
    _say(ctx, outcome, egress_id)
    return egress_id


async def stop_recording(ctx: Job, egress_id: str | None = None, env: Mapping[str, str] = os.environ) -> bool:
    """End whatever records this call into our bucket, whoever began it; whether it surely is over.

    `egress_id` is what `start_recording` answered; None too: a rule or the stack may record the call all the same. A
    start that LiveKit did not answer may still begin after this: then the answer is False. A recording also ends with
    its room.
    """
    try:
        stopped = await _stop(_session(ctx), egress_id, env)
    except Exception as error:  # noqa: BLE001  # never breaks the call
        _failed(ctx, "recording not stopped", error, prefix="stop_")
        return False
    for one in stopped:
        _say(ctx, "stopped", one)
    if not stopped and _room_id(ctx) in _doubtful:
        _count("stop_doubtful")
        _log.error("a recording may still begin: LiveKit did not answer its start", extra={"room_id": _room_id(ctx)})
        return False
    return True


def counts() -> dict[str, int]:
    """What became of the starts and stops of this process, by a short code: started, running, livekit_refused …"""
    return dict(_counts)


async def _start(start: Start, metadata: str, env: Mapping[str, str]) -> tuple[str, str | None]:
    """What became of it, and the egress."""
    if says(metadata) is False:
        return Outcome.METADATA, None
    recorder = _recorder(env)
    async with asyncio.timeout(LIMIT_SECONDS), client(recorder.url, recorder.key, recorder.secret) as livekit:
        if running := await running_egress(livekit, recorder.egress, start):
            return Outcome.RUNNING, running
        answer = await begin(livekit, recorder.egress, start)
        return answer.outcome, answer.egress_id


async def _stop(session: Start, egress_id: str | None, env: Mapping[str, str]) -> list[str]:
    """The ids of what was stopped."""
    recorder = _recorder(env)
    async with asyncio.timeout(LIMIT_SECONDS), client(recorder.url, recorder.key, recorder.secret) as livekit:
        active = await list_egresses(livekit, session.room_name, active=True)
        found = all_running(active, session.room_id, recorder.egress.bucket)
        wanted = list(dict.fromkeys([*filter(None, [egress_id]), *found]))
        for one in wanted:
            try:
                await livekit.egress.stop_egress(api.StopEgressRequest(egress_id=one))
            except api.ServerError as error:
                if error.status not in _OVER:
                    raise
    return wanted


def _session(ctx: Job) -> Start:
    """The room session of this job; a name that is not known yet is the job's."""
    guests = list(ctx.room.remote_participants.values())
    return Start(
        room_id=str(ctx.job.room.sid),
        room_name=ctx.room.name or str(ctx.job.room.name),
        phone=any(guest.kind == _SIP for guest in guests),
    )


def _recorder(env: Mapping[str, str]) -> Recorder:
    """SettingsError names the first variable that is missing or bad."""
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    url, key, secret = (_present(env, name) for name in names)
    egress = EgressSettings(
        bucket=_present(env, "AWS_BUCKET"),
        region=_present(env, "AWS_REGION"),
        **_uploader(env),
        options=EgressOptions.from_env(env),
    )
    return Recorder(url=url, key=key, secret=secret, egress=egress)


def _uploader(env: Mapping[str, str]) -> dict[str, str]:
    """The role, where there is one: an older key may still stand beside it."""
    if env.get("CALLREC_UPLOADER_ROLE_ARN"):
        return {
            "role_arn": env["CALLREC_UPLOADER_ROLE_ARN"],
            "external_id": _present(env, "CALLREC_UPLOADER_EXTERNAL_ID"),
        }
    return {
        "access_key_id": _present(env, "AWS_ACCESS_KEY"),
        "secret_access_key": _present(env, "AWS_SECRET_KEY"),
    }


def _present(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise SettingsError(name, "set in the agent's environment, see `callrec env`", None)
    return value


def _say(ctx: Job, outcome: str, egress_id: str | None) -> None:
    _count(outcome)
    level = logging.ERROR if egress_id is None and outcome != Outcome.METADATA else logging.INFO
    extra = {"outcome": str(outcome), "egress_id": egress_id, "room_id": _room_id(ctx)}
    _log.log(level, "recording: %s", outcome, extra=extra)


def _failed(ctx: Job, what: str, error: Exception, prefix: str = "") -> None:
    """Texts of ours only: LiveKit's may quote names."""
    ours = WaitError("not_configured", str(error)) if isinstance(error, SettingsError) else mapped(error)
    _count(f"{prefix}{ours.reason}")
    extra = {"outcome": ours.reason, "room_id": _room_id(ctx)}
    _log.error("%s: %s (%s)", what, ours.text, ours.reason, extra=extra)


def _room_id(ctx: Job) -> str | None:
    with contextlib.suppress(Exception):  # a context that is not one was the failure
        return str(ctx.job.room.sid)
    return None


def _count(outcome: str) -> None:
    _counts[str(outcome)] += 1
    with contextlib.suppress(Exception):  # Prometheus' own troubles are not the call's
        _prometheus().labels(outcome=str(outcome)).inc()


@functools.cache
def _prometheus() -> Any:
    module: Any = importlib.import_module("prometheus_client")
    return module.Counter("callrec_recordings", "Recordings by what became of them", ["outcome"])
