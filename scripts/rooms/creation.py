"""A room made with its recording, and whether that really began: LiveKit answers 200 also when none does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from livekit import api

from infra.functions.egress import EgressSettings, room_egress
from scripts.livekit_access import CREATE_ROOM, LiveKit, LiveKitError
from scripts.teardown.engine import Say

# An egress shows up 0.6 s after its room; LiveKit Cloud may take longer.
PATIENCE_SECONDS = 8.0
POLL_SECONDS = 0.5
# How long an egress is watched that says it starts.
STARTING_SECONDS = 3.0
RUNNING = (api.EgressStatus.EGRESS_STARTING, api.EgressStatus.EGRESS_ACTIVE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """`existed`: the room was there already, so that LiveKit did not make it. `reason`: why no recording runs."""

    name: str
    sid: str
    existed: bool
    egress_id: str | None = None
    status: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Creation:
    """`phone`: somebody on the phone will be in the room, whose name must then stay out of the file's path."""

    livekit: LiveKit
    settings: EgressSettings
    name: str
    metadata: str = ""
    phone: bool = False
    say: Say = field(default=lambda _: None)
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def create(self) -> Created:
        """Make the room, and see whether it is recorded. Raises LiveKitError when the room could not be made."""
        self.say("looking whether the room is there")
        before = self.livekit.room(self.name)
        self.say("making the room; this takes 10 s where no egress runs")
        egress = room_egress(self.settings, self.name, phone=self.phone)
        request = api.CreateRoomRequest(name=self.name, metadata=self.metadata, egress=egress)
        room = self.livekit.ask(CREATE_ROOM, lambda client: client.room.create_room(request))
        existed = before is not None and before.sid == room.sid
        self.say("waiting for its recording")
        try:
            info = self._recording(room.sid)
        except LiveKitError as error:
            reason = f"whether a recording runs cannot be told: {error}"
            return Created(name=self.name, sid=room.sid, existed=existed, reason=reason)
        running = info is not None and info.status in RUNNING
        return Created(
            name=self.name,
            sid=room.sid,
            existed=existed,
            egress_id=None if info is None else info.egress_id,
            status=None if info is None else api.EgressStatus.Name(info.status),
            reason=None if running else _why(info, self.livekit, existed=existed),
        )

    def _recording(self, sid: str) -> api.EgressInfo | None:
        """The room's newest egress: one that runs, else the one that ended already; None when there is none in time.

        One that only starts is looked at for a while longer: a recorder that cannot reach LiveKit fails soon. It may
        well stay so, as nobody has joined yet.
        """
        began = self.clock()
        seen: float | None = None
        while True:
            now = self.clock()
            found = [info for info in self.livekit.egresses(self.name, active=False) if info.room_id == sid]
            newest = max(
                found, key=lambda info: (info.status in RUNNING, info.started_at or info.updated_at), default=None
            )
            if newest is None:
                if now - began >= PATIENCE_SECONDS:
                    return None
            else:
                seen = now if seen is None else seen
                if newest.status != api.EgressStatus.EGRESS_STARTING or now - seen >= STARTING_SECONDS:
                    return newest
            self.wait(POLL_SECONDS)


def _why(info: api.EgressInfo | None, livekit: LiveKit, *, existed: bool) -> str:
    """Why no recording runs, and what to do."""
    if info is not None:
        code = f" ({info.error_code})" if info.error_code else ""
        return f"its recording ended at once: {api.EgressStatus.Name(info.status)}{code}. Try: callrec verify"
    if existed:
        return (
            "the room was there already, and LiveKit begins a recording only with the room. Choose another name, or "
            "close it first"
        )
    if livekit.is_cloud:
        return "LiveKit started no egress: your plan may have none left. See the project's dashboard, Egresses"
    return "LiveKit started no egress: none runs beside your server, or none is free. See: livekit/egress, and Redis"
