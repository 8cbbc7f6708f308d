"""Waiting until an event of LiveKit's own arrives, by `receive`'s log; rooms are opened to bring one about."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from livekit import api

from scripts.livekit_access import CREATE_ROOM, DELETE_ROOM, LiveKit, LiveKitError
from scripts.teardown.engine import Say
from scripts.verify.probe import MARK

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

POLL_SECONDS = 3.0
# A webhook that is entered while we wait hears of rooms opened later only.
ROOM_SECONDS = 15.0
# Excluded from recording unless somebody changed recordExclude; nobody joins, so that nothing would be recorded anyway.
ROOM = "test-callrec-webhook-"
BUSY = ("ThrottlingException", "LimitExceededException", "ServiceUnavailableException")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listening:
    """The log of `receive`; `livekit` opens the rooms, None leaves that to somebody else."""

    logs: CloudWatchLogsClient = field(repr=False)
    group: str
    livekit: LiveKit | None
    say: Say = field(default=lambda _: None)
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time

    def arrived(self, seconds: float) -> str | None:
        """The kind of the first event that LiveKit sent within this time.

        An egress' events do not count: they come also by the request that started it.
        """
        since, until, opened = self.now(), self.clock() + seconds, None
        while True:
            if self.livekit is not None and (opened is None or self.clock() - opened >= ROOM_SECONDS):
                opened = self.clock()
                self._open_a_room(self.livekit)
            kind = self._newest(since)
            left = until - self.clock()
            if kind is not None or left <= 0:
                return kind
            self.say(f"waiting for an event from LiveKit, {left:.0f} s left")
            self.wait(min(POLL_SECONDS, left))

    def _open_a_room(self, livekit: LiveKit) -> None:
        """Open a room and close it; without the right to, somebody else's call will do."""
        name = f"{ROOM}{secrets.token_hex(6)}"
        try:
            livekit.ask(CREATE_ROOM, lambda client: client.room.create_room(api.CreateRoomRequest(name=name)))
            livekit.ask(DELETE_ROOM, lambda client: client.room.delete_room(api.DeleteRoomRequest(room=name)))
        except LiveKitError as error:
            self.say(f"no room could be opened ({error.seen}): make a call yourself")

    def _newest(self, since: float) -> str | None:
        start = int(since * 1000)
        try:
            pages = self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=self.group, startTime=start, filterPattern='"accepted"'
            )
            lines = [event.get("message", "") for page in pages for event in page.get("events", [])]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in BUSY:
                return None
            raise
        return next((kind for line in lines if (kind := _kind(line)) is not None), None)


def _kind(line: str) -> str | None:
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    fields = cast("dict[str, Any]", entry)
    kind = str(fields.get("type", ""))
    if fields.get("event") != "accepted" or not kind or kind.startswith("egress_") or MARK in str(fields.get("id")):
        return None
    return kind
