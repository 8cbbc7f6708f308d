"""One real call: a room under the stack's policy, a caller who speaks, and what becomes of the recording."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import requests
from livekit import api

from infra.functions.egress import EgressSettings, room_egress
from infra.functions.start_policy import Policy
from scripts.errors import StackError
from scripts.recordings import versions
from scripts.verify.airtable import FIELDS_HOP
from scripts.verify.hop import Failed, Hop
from scripts.verify.journey import Journey
from scripts.verify.live import causes
from scripts.verify.live.arrivals import Arrivals
from scripts.verify.live.caller import Caller
from scripts.verify.live.room import ENDED, Room
from scripts.verify.live.sound import NotSoundError, Sound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOM, CONVERSATION, CALLER, STARTED, SPOKEN = (
    f"live.{name}" for name in ("room", "conversation", "caller", "started", "spoken")
)
ENDED_HOP, STORED, ANNOUNCED, DELIVERED, PLAYED, HEARD = (
    f"live.{name}" for name in ("ended", "stored", "announced", "delivered", "played", "heard")
)
SPEAK_SECONDS = 12.0
START_SECONDS, END_SECONDS, ANNOUNCE_SECONDS, PUT_AWAY_SECONDS = 30.0, 120.0, 45.0, 30.0
POLL_SECONDS = 0.5
TOLERANCE_SECONDS = 1.0
DOWNLOAD_SECONDS = 60


@dataclass(kw_only=True)
class LiveCall:
    """Each public method is one hop; what one finds out the next ones use.

    `policy` is what `deliver` starts recordings by; None when it does not: then the room itself asks for one.
    """

    room: Room
    caller: Caller
    journey: Journey
    arrivals: Arrivals
    egress: EgressSettings = field(repr=False)
    policy: Policy | None
    s3: S3Client = field(repr=False)
    bucket: str
    lock: str = "none"
    trust: str | bool
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    info: api.EgressInfo | None = None
    by_policy: bool = False
    content: bytes = field(default=b"", repr=False)

    def hops(self) -> list[Hop]:
        """The hops in the order of the call."""
        listen = (PLAYED,)
        return [
            Hop(id=ROOM, title="room is created", probe=self.create, needs=(FIELDS_HOP,)),
            Hop(id=CONVERSATION, title="its conversation is made", probe=self.conversation, needs=(ROOM,)),
            Hop(id=CALLER, title="a caller joins", probe=self.caller.join, needs=(ROOM,)),
            Hop(id=STARTED, title="LiveKit records (egress_started)", probe=self.started, needs=(ROOM, CALLER)),
            Hop(id=SPOKEN, title="caller speaks, hangs up", probe=self.speak, needs=(STARTED,)),
            Hop(id=ENDED_HOP, title="recording ends well (egress_ended)", probe=self.ended, needs=(SPOKEN,)),
            Hop(id=STORED, title="its file is in the bucket", probe=self.stored, needs=(ENDED_HOP,)),
            Hop(id=ANNOUNCED, title="LiveKit's webhook arrives", probe=self.announced, needs=(ENDED_HOP,)),
            Hop(
                id=DELIVERED,
                title="link appears in Airtable",
                probe=self.journey.delivery,
                needs=(CONVERSATION, STORED),
            ),
            Hop(id=PLAYED, title="link plays", probe=self.played, needs=(DELIVERED,)),
            Hop(id=HEARD, title="the caller is heard on it", probe=self.heard, needs=listen),
        ]

    def create(self) -> str:
        """The room; recorded by the policy once somebody joins, or by its own request."""
        self.by_policy = self.policy is not None and self.policy.covers(self.room.name)
        if self.by_policy:
            how, egress = "the policy starts the recording", None
        else:
            how, egress = "the room asks for its recording", room_egress(self.egress, self.room.name, phone=False)
        began = self.clock()
        sid = self.room.create(egress)
        self.journey.probe = replace(self.journey.probe, room_id=sid)
        return f"{sid}, after {self.clock() - began:.1f} s; {how}"

    def conversation(self) -> str:
        """As the practice's agent makes one."""
        return self.journey.conversation()

    def started(self) -> str:
        """Wait until an egress of the room is active."""
        began = self.clock()
        while (passed := self.clock() - began) <= START_SECONDS:
            for info in self.room.egresses():
                self.info = info
                if info.status in ENDED:
                    raise causes.ended(info)
                if info.status == api.EgressStatus.EGRESS_ACTIVE:
                    return f"{info.egress_id}, after {passed:.1f} s"
            self.wait(POLL_SECONDS)
        raise causes.not_started(self.info, by_policy=self.by_policy)

    def speak(self) -> str:
        """Speak for a while, then leave and close the room."""
        self.wait(SPEAK_SECONDS)
        self.caller.hang_up()
        self.room.delete()
        return f"{SPEAK_SECONDS:.0f} s of speech"

    def ended(self) -> str:
        """Wait until the egress has uploaded its file."""
        began = self.clock()
        while (passed := self.clock() - began) <= END_SECONDS:
            found = [info for info in self.room.egresses() if info.egress_id == self._recorded.egress_id]
            if found and found[0].status in ENDED:
                self.info = found[0]
                if self.info.status != api.EgressStatus.EGRESS_COMPLETE:
                    raise causes.ended(self.info)
                return f"after {passed:.1f} s: {self._file.size:,} bytes, {self._file.duration / 1e9:.1f} s"
            self.wait(POLL_SECONDS)
        raise causes.never_ends()

    def stored(self) -> str:
        """The very file, by its size."""
        key, size = self._file.filename, self._file.size
        versions = self.s3.list_object_versions(Bucket=self.bucket, Prefix=key).get("Versions", [])
        if not any(item.get("Key") == key and item.get("Size") == size for item in versions):
            cause = "egress uploads somewhere else: another bucket of that name, or another S3 endpoint"
            raise Failed(f"{len(versions)} objects there, none of {size:,} bytes", cause=cause, mend="callrec verify")
        return f"{size:,} bytes"

    def announced(self) -> str:
        """Wait until `receive` has taken an egress_ended since the call began."""
        began = self.clock()
        while (passed := self.clock() - began) <= ANNOUNCE_SECONDS:
            if self.arrivals.accepted("egress_ended", self._recorded.egress_id):
                return f"after {passed:.1f} s"
            self.wait(POLL_SECONDS * 2)
        raise causes.not_announced(self.arrivals.refused())

    def played(self) -> str:
        """Fetch what the link leads to, as a browser does."""
        answer = requests.get(self.journey.link, timeout=DOWNLOAD_SECONDS, verify=self.trust)
        if not answer.ok:
            cause = "see the hops of `callrec verify` on playback"
            raise Failed(f"{answer.status_code}", cause=cause, mend="callrec verify")
        self.content = answer.content
        if len(self.content) != self._file.size:
            cause = "another version, or another recording, is behind the link"
            raise Failed(f"{len(self.content):,} bytes, not {self._file.size:,}", cause=cause, mend="callrec verify")
        return f"{len(self.content):,} bytes"

    def heard(self) -> str:
        """AAC in MP4, as long as egress says, and the caller's speech can be heard on it."""
        try:
            sound = Sound.of(self.content)
        except NotSoundError as error:
            raise Failed(f"no player can open it ({error})", cause="egress wrote a broken file", mend="") from None
        return causes.judged(
            sound, claimed=self._file.duration / 1e9, spoken=SPEAK_SECONDS, tolerance=TOLERANCE_SECONDS
        )

    def put_away(self) -> None:
        """Hang up, close the room, wait until nothing of it is recorded any more, and remove the files. Raises Failed.

        The policy's paths lie outside the probes' folder, and what is uploaded later nobody would find.
        """
        self.caller.hang_up()
        self.room.delete()
        began = self.clock()
        while running := [info for info in self.room.egresses() if info.status not in ENDED]:
            if self.clock() - began > PUT_AWAY_SECONDS:
                break
            for info in running:
                self.room.stop(info.egress_id)
            self.wait(POLL_SECONDS)
        for info in self.room.egresses():
            for file in info.file_results:
                self._delete(file.filename)

    def _delete(self, key: str) -> None:
        """Every version of this very key: the policy's paths lie outside the probes' folder."""
        found = versions.versions(self.s3, self.bucket, key)
        kept = versions.delete(self.s3, self.bucket, found, bypass=self.lock == "governance")
        if kept and self.lock == "none":
            raise StackError(f"S3 keeps {len(kept)} versions of the probe's recording ({kept[0].code})")

    @property
    def _recorded(self) -> api.EgressInfo:
        assert self.info is not None  # noqa: S101 -- hops that need it need STARTED
        return self.info

    @property
    def _file(self) -> api.FileInfo:
        return self._recorded.file_results[0]
