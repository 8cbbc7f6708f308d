"""Which events start a recording (pure).

`participant_joined` starts one when a real person came: not egress itself, which joins the room that it records, nor
anybody hidden, nor an agent, who is often there first and sometimes stays alone. `room_started` says only that there is
a room; it starts one when the room's maker asks for it with the metadata `{"record": true}`. Metadata
`{"record": false}` and the excluded names always win.

One recording for one room session, though ten people join at once and every event comes twice:

- The queue hands over the events of one room session (group = room id) one after the other, never two at a time.
- Before each start LiveKit is asked which egresses this room session had. A started one is in that list as soon as the
  start was answered, so the next event finds it; so does the same event again after a crash between start and
  acknowledgement, and a start that was given up waiting for and happened all the same.
- Within a batch one room session is asked for once (see livekit_egress.py).

An egress that failed is replaced, once, as soon as its end is heard of, if there is still somebody in the room: the
rest of a call is better than nothing. After a second failure there is no third. One that ended otherwise was stopped on
purpose, perhaps because the caller did not want to be recorded, or reached its limit: it stays ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from . import protojson
from .livekit_webhook import Event
from .protojson import Object

#: A start that comes later than this after its event is not worth much, and its room probably gone.
PATIENCE_SECONDS = 300
DEFAULT_INCLUDE = ("*",)
DEFAULT_EXCLUDE = ("test-*", "debug-*")
MAX_FAILED = 2

_ACTIVE = ("EGRESS_STARTING", "EGRESS_ACTIVE", "EGRESS_ENDING")
_NOBODY = ("EGRESS", "AGENT")
_UPLOAD_REFUSED = 400
_KINDS = {2: "EGRESS", 3: "SIP", 4: "AGENT"}
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which rooms are recorded: names that match a pattern of `include` and none of `exclude` (`*`, `?`, `[seq]`)."""

    include: tuple[str, ...] = DEFAULT_INCLUDE
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE

    @classmethod
    def of(cls, include: str, exclude: str) -> Policy:
        """Read two lists of patterns with commas between them; an empty one means the default."""
        return cls(include=_listed(include) or DEFAULT_INCLUDE, exclude=_listed(exclude) or DEFAULT_EXCLUDE)

    def covers(self, room_name: str) -> bool:
        """Whether the name is one to record; capital and small letters differ, as they do in LiveKit."""
        return _any(room_name, self.include) and not _any(room_name, self.exclude)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A room session that is to be recorded.

    `phone`: somebody is on the phone in it, or may be. `again`: its recording broke off; maybe with the room's end.
    """

    room_id: str
    room_name: str = field(repr=False)
    phone: bool
    again: bool = False

    def merged(self, other: Start) -> Start:
        """Both as one, for the same session."""
        return replace(self, phone=self.phone or other.phone, again=self.again and other.again)


class Skip(StrEnum):
    """Why an event starts nothing; a code for the log."""

    OTHER_EVENT = "other_event"
    NO_ROOM = "no_room"
    NOBODY = "nobody_real"
    NOT_COVERED = "not_covered"
    METADATA = "metadata"
    TOO_LATE = "too_late"


class Past(StrEnum):
    """What a room session's egresses so far mean for another start."""

    NONE = "none"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """An egress as LiveKit lists it. `whole_room`: it records everybody; `buckets`: where its file goes, if known."""

    egress_id: str
    room_id: str
    status: str
    whole_room: bool
    buckets: frozenset[str]


def decide(event: Event, policy: Policy, *, sent_at: float, now: float) -> Start | Skip:
    """What an event asks for. `sent_at`: when it came to us, for events that do not say when they happened (unix s)."""
    room, info = protojson.child(event.payload, "room"), protojson.child(event.payload, "egressInfo")
    name = protojson.text(room, "name") or protojson.text(info, "roomName")
    again = event.event == "egress_ended" and _broke_off(info)
    if not again and event.event not in ("room_started", "participant_joined"):
        return Skip.OTHER_EVENT
    if event.room_id is None or name is None:
        return Skip.NO_ROOM
    if not policy.covers(name):
        return Skip.NOT_COVERED
    participant = protojson.child(event.payload, "participant")
    skip = None if again else _unasked(event.event, room, participant)
    if skip is None and now - (event.created_at or sent_at) > PATIENCE_SECONDS:
        skip = Skip.OTHER_EVENT if again else Skip.TOO_LATE  # the end of a recording may come again for a day
    start = Start(room_id=event.room_id, room_name=name, phone=again or _kind(participant) == "SIP", again=again)
    return start if skip is None else skip


def _unasked(event: str, room: Object, participant: Object) -> Skip | None:
    said = says(protojson.text(room, "metadata"))
    if said is False:
        return Skip.METADATA
    asked = said is True if event == "room_started" else _is_person(participant)
    return None if asked else Skip.NOBODY


def _broke_off(info: Object) -> bool:
    """Not one whose file was refused by the bucket: that one ended well, and the next would be refused too."""
    return info.get("status") in ("EGRESS_FAILED", 4) and protojson.number(info, "errorCode") != _UPLOAD_REFUSED


def says(metadata: str | None) -> bool | None:
    """What a room's metadata say about recording: `{"record": …}` in a JSON object; None when nothing."""
    try:
        value = protojson.parse(metadata or "").get("record")
    except ValueError:
        return None
    word = str(value).lower() if isinstance(value, (int, str)) else ""
    return False if word in _NO else True if word in _YES else None


def past(egresses: Iterable[Egress], room_id: str, bucket: str) -> Past:
    """Judge the egresses of a room name, those that are of this session and ours."""
    own = [one for one in egresses if _ours(one, room_id, bucket)]
    states = [one.status for one in own]
    if running(own, room_id, bucket):
        return Past.RUNNING
    failed = states.count("EGRESS_FAILED")
    if failed < len(states):
        return Past.STOPPED
    return Past.FAILED if failed >= MAX_FAILED else Past.NONE


def running(egresses: Iterable[Egress], room_id: str, bucket: str) -> str | None:
    """The id of an egress that records this session now, for us."""
    return next(iter(all_running(egresses, room_id, bucket)), None)


def all_running(egresses: Iterable[Egress], room_id: str, bucket: str) -> list[str]:
    """The ids of all that record this session now, for us."""
    return [one.egress_id for one in egresses if one.status in _ACTIVE and _ours(one, room_id, bucket)]


def _ours(egress: Egress, room_id: str, bucket: str) -> bool:
    """It records the whole session to a file in our bucket; of one that is not known, to be recorded twice is worse."""
    here = not egress.buckets or bucket in egress.buckets
    return egress.room_id == room_id and egress.whole_room and here


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_person(participant: Object) -> bool:
    """A kind that this version does not know counts: rather a recording too many than a call without."""
    permission = protojson.child(participant, "permission")
    unseen = any(permission.get(name) is True for name in ("hidden", "recorder", "agent"))
    return bool(participant) and not unseen and _kind(participant) not in _NOBODY


def _kind(participant: Object) -> str:
    """The participant's kind; protojson leaves out STANDARD, and may write numbers."""
    value = protojson.get(participant, "kind")
    return _KINDS.get(value, "") if isinstance(value, int) else value if isinstance(value, str) else ""
