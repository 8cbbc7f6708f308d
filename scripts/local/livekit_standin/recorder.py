"""The egress service: takes requests, records what is published in a room, uploads it, and tells.

Source: livekit/egress pkg/pipeline/controller.go and pkg/info; the times are measured on a real one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from livekit import api

from . import egress as lives
from . import errors, people, storage
from .egress import Egress, Status
from .events import egress_event
from .pace import Pace
from .rooms import Room, Rooms
from .webhooks import Webhooks

JOIN_SECONDS = 0.06
START_SECONDS = 0.3
FINISH_SECONDS = 0.07
#: How long LiveKit waits for the service that runs an egress before it says that it does not answer.
NO_ANSWER_SECONDS = 3.0
DAY_NS = 24 * 3600 * 1_000_000_000


class Recorder:
    """All egresses by id. `recording` is what every egress uploads; without it nothing is uploaded, and a size made up.

    `seconds` is the recording's length, by default the time that the egress was active. `own` is what the egress
    service itself is at AWS, which uploads by a role take.
    """

    def __init__(
        self,
        *,
        changed: threading.Condition,
        rooms: Rooms,
        webhooks: Webhooks,
        pace: Pace,
        now_ns: Callable[[], int],
        ca_bundle: str | None,
    ) -> None:
        self.recording: bytes | None = None
        self.seconds: float | None = None
        self.own: storage.Own | None = None
        self._changed = changed
        self._rooms = rooms
        self._webhooks = webhooks
        self._pace = pace
        self._now_ns = now_ns
        self._ca_bundle = ca_bundle
        self._known: dict[str, Egress] = {}

    def add(self, info: api.EgressInfo, *, dead: bool = False) -> None:
        """Put an egress in as it is, behind the API's back; one that runs can be stopped, unless it is `dead`."""
        egress = Egress(info=info, dead=dead)
        with self._changed:
            self._known[info.egress_id] = egress
            if egress.running and not dead:
                room = self._rooms.find(info.room_name)
                same = room if room is not None and room.info.sid == info.room_id else None
                self._begin(egress, lambda: self._end(egress, same))

    def kill(self, egress_id: str) -> None:
        """End the host that runs an egress: LiveKit never hears of it again."""
        with self._changed:
            self._get(egress_id).dead = True
            self._changed.notify_all()

    def all(self) -> list[api.EgressInfo]:
        """Every egress that is known, in order of its begin; a day after its end LiveKit forgets it."""
        with self._changed:
            forgotten = self._now_ns() - DAY_NS
            return [life.copy() for life in self._known.values() if life.running or life.info.ended_at > forgotten]

    @property
    def busy(self) -> bool:
        """Whether an egress is about to change by itself; not one that waits to be told something, nor a dead one."""
        with self._changed:
            return any(
                egress.alive and not egress.dead and (egress.awaits is None or egress.awaits())
                for egress in self._known.values()
            )

    def start(self, request: api.RoomCompositeEgressRequest, room: Room, *, dead: bool = False) -> api.EgressInfo:
        """Begin to record a room; 400 for a request that is no good. `dead`: its host goes once it is active."""
        with self._changed:
            egress = lives.begun(request, room, self._now_ns())
            self._known[egress.info.egress_id] = egress
            self._tell("egress_started", egress)
            self._begin(egress, lambda: self._live(egress, room, dead=dead))
            return egress.copy()

    def stop(self, egress_id: str) -> api.EgressInfo:
        """Stop an egress: 404 for one that is not known, 412 for one that is over, 408 when its host is gone."""
        with self._changed:
            egress = self._known.get(egress_id)
            if egress is not None and egress.running and not egress.dead:
                self._stop(egress, lives.STOPPED)
                return egress.copy()
        self._pace.wait(NO_ANSWER_SECONDS)
        with self._changed:
            egress = self._get(egress_id)
            if egress.running:
                raise errors.timed_out()
            status = Status.Name(egress.info.status)
            raise errors.twirp("failed_precondition", f"egress with status {status} cannot be stopped")

    def _get(self, egress_id: str) -> Egress:
        if egress_id not in self._known:
            raise errors.no_egress()
        return self._known[egress_id]

    def _begin(self, egress: Egress, life: Callable[[], None]) -> None:
        def lived() -> None:
            try:
                life()
            finally:
                egress.alive = False

        egress.alive = True
        threading.Thread(target=lived, daemon=True).start()

    def _live(self, egress: Egress, room: Room, *, dead: bool) -> None:
        """An egress's life, from joining the room to its end."""
        identity = egress.info.egress_id
        self._pace.wait(JOIN_SECONDS)
        with self._changed:
            if not self._over(egress, room):
                self._rooms.join(room, people.arrived(identity, "egress", self._now_ns()))
        self._pace.wait(START_SECONDS)
        with self._changed:
            self._wait_for(egress, lambda: room.published or self._over(egress, room))
            if not self._over(egress, room):
                lives.active(egress, self._now_ns())
                self._tell("egress_updated", egress)
                egress.dead = egress.dead or dead
        self._end(egress, room)
        self._rooms.leave(room, identity)

    def _end(self, egress: Egress, room: Room | None) -> None:
        """Wait until it is stopped or the room is over, and finish the file."""
        with self._changed:
            self._wait_for(egress, lambda: self._over(egress, room))
            if room is not None and room.closed and not egress.dead:
                self._stop(egress, lives.SOURCE_CLOSED)
        if egress.info.status == Status.EGRESS_ENDING and self._pace.wait(FINISH_SECONDS) and not egress.dead:
            self._finish(egress)

    def _over(self, egress: Egress, room: Room | None) -> bool:
        """Whether there is nothing more to record, or nobody to do it."""
        stopped = egress.info.status not in (Status.EGRESS_STARTING, Status.EGRESS_ACTIVE)
        closed = room is not None and room.closed
        return stopped or closed or egress.dead or self._pace.stopping.is_set()

    def _wait_for(self, egress: Egress, happened: Callable[[], bool]) -> None:
        egress.awaits = happened
        self._changed.wait_for(happened)
        egress.awaits = None

    def _stop(self, egress: Egress, reason: str) -> None:
        match egress.info.status:
            case Status.EGRESS_STARTING:
                lives.aborted(egress, reason, self._now_ns())
                self._tell("egress_ended", egress)
            case Status.EGRESS_ACTIVE:
                lives.ending(egress, reason, self._now_ns())
                self._tell("egress_updated", egress)
            case _:
                return
        self._changed.notify_all()

    def _finish(self, egress: Egress) -> None:
        """Store the file, and say how that went."""
        with self._changed:
            seconds = self.seconds or lives.seconds_active(egress, self._now_ns())
            lives.recorded(egress, seconds)
        error = self._stored(egress)
        with self._changed:
            if error is None:
                size = lives.size_of(egress, seconds) if self.recording is None else len(self.recording)
                lives.complete(egress, size=size, now_ns=self._now_ns())
            else:
                lives.failed(egress, error, 400, self._now_ns())
            self._tell("egress_ended", egress)

    def _stored(self, egress: Egress) -> str | None:
        """Upload the recording and its manifest, when there is one; the error that egress reports, or None."""
        output = egress.output
        if self.recording is None or output is None:
            return None
        try:
            self._put(output.s3, lives.key_of(egress), self.recording)
            if not output.disable_manifest:
                self._put(output.s3, lives.manifest_of(egress), lives.manifest(egress))
        except storage.UploadError as error:
            return str(error)
        return None

    def _put(self, s3: api.S3Upload, key: str, content: bytes) -> None:
        storage.put(s3, key, content, pace=self._pace, ca_bundle=self._ca_bundle, own=self.own)

    def _tell(self, name: str, egress: Egress) -> None:
        self._webhooks.notify(egress_event(name, egress.info, self._now_ns()), egress.info.room_composite.webhooks)
