"""Which conversation a recording belongs to (pure). A wrong match shows one patient's call to another: never guess.

The rules, in this order; the first that finds something decides:

1. Never: a conversation whose room id is another than the recording's (another room session).
2. By egress id: the conversations whose egress id, in a field or in the link they carry, is the recording's.
3. By room id: the conversations whose room id, in a field or in the link they carry, is the recording's.
4. By room name: the conversations of that name whose time (their own start, else their creation) lies within
   [recording's start less the window, recording's end plus the window], that did not begin after the recording's end
   by their own start, and that carry no other recording, no other egress or room id and no link that is not ours.
   Two recordings of different room sessions in one batch that want the same conversation by name are both ambiguous.

One found → it. None → wait. Several → wait with the reason `ambiguous`.

Rule 4 is only as good as what is in the table at that moment: while a call's own conversation is not yet there, a
neighbour's in the window looks like the only one. `settle` makes rule 4 wait until that many seconds after the
recording's end, so that late conversations are seen; conversations that carry a room id need neither.

What is written when the conversation already carries a recording:

- the same egress: the later end wins, whatever the order of arrival; an equal end is the same write again;
- another egress of the same room session: the longer stays (equal: the later), and a field for it lists both;
- a recording without a file never replaces one that has a link;
- another room session's link under our own room id: replaced, as the id field says whose conversation it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .errors import WaitError
from .recording import Recording

#: How far the clocks of the agent and of the recorder may differ.
CLOCK_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The recording whose link a conversation already has. `ended_at` in unix seconds."""

    egress_id: str
    room_id: str | None
    duration_s: float | None
    ended_at: float | None
    url: str = field(default="", repr=False)

    @classmethod
    def of(cls, recording: Recording, url: str = "") -> Carried:
        """What a conversation carries once the recording's link is written to it."""
        return cls(
            egress_id=recording.egress_id,
            room_id=recording.room_id,
            duration_s=recording.duration_s,
            ended_at=recording.ended_at.timestamp() if recording.ended_at else None,
            url=url,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One record of the table. `started_at`: its own start, else its creation, aware UTC."""

    record_id: str
    room_name: str | None = field(default=None, repr=False)
    started_at: datetime
    #: `started_at` is its own start; a mere creation may well come after the call.
    own_start: bool = False
    egress_id: str | None = None
    room_id: str | None = None
    carries: Carried | None = None
    #: The links of ours in the field that lists every recording of the room session.
    listed: tuple[Carried, ...] = ()
    #: It has a link that this installation did not issue.
    foreign_link: bool = False
    #: What it says became of its recording, see Recording.status_text.
    status: str | None = None

    def carrying(self, recording: Recording) -> Conversation:
        """This conversation after the recording was written to it."""
        carried = Carried.of(recording) if recording.has_file else self.carries
        room_id = recording.room_id or self.room_id
        return replace(self, egress_id=recording.egress_id, room_id=room_id, carries=carried, foreign_link=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where a recording goes; `write` is False when what is there already is to stay."""

    record_id: str
    write: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How matching by room name looks at time. `now` in unix seconds."""

    window: timedelta
    settle: timedelta
    now: float


def assign(
    wanted: Sequence[tuple[str, Recording]], conversations: Iterable[Conversation], rules: Rules
) -> list[Decision | WaitError]:
    """Decide on each (message group, recording), in order, as if each write had happened before the next decision.

    What stands behind a waiting recording of its own group waits too (reason `behind`).
    """
    table = {conversation.record_id: conversation for conversation in conversations}
    contested = _contested(wanted, table, rules)
    stuck: set[str] = set()
    decisions: list[Decision | WaitError] = []
    for group, recording in wanted:
        try:
            if group in stuck:
                raise behind()
            decisions.append(_decide(recording, table, contested, rules))
        except WaitError as wait:
            stuck.add(group)
            decisions.append(wait)
    return decisions


def behind() -> WaitError:
    """The verdict on what stands behind a failed message of its group."""
    return WaitError("behind", "an earlier event of the same room waits")


def listed(conversation: Conversation, added: Sequence[Carried]) -> list[Carried]:
    """Every recording of the room session, oldest first, once `added` are among those the conversation shows.

    One for each egress, the one that ended last; of equal ones the one added last.
    """
    rooms = {item.room_id for item in added}
    shown = [*conversation.listed, *filter(None, [conversation.carries])]
    kept: dict[str, Carried] = {}
    for item in [*(item for item in shown if item.room_id in rooms), *added]:
        other = kept.get(item.egress_id)
        if other is None or (item.ended_at or 0.0) >= (other.ended_at or 0.0):
            kept[item.egress_id] = item
    return sorted(kept.values(), key=lambda item: (item.ended_at or 0.0, item.egress_id))


def _decide(recording: Recording, table: dict[str, Conversation], contested: frozenset[str], rules: Rules) -> Decision:
    found, by_name = find(recording, table.values(), rules)
    if len(found) > 1 or (by_name and found and found[0].record_id in contested):
        raise WaitError("ambiguous", "more than one conversation fits, or more than one recording wants it")
    if not found:
        raise WaitError("no_conversation", "no conversation fits (yet)")
    conversation = found[0]
    if by_name:
        _settled(recording, rules)
    write = _replaces(recording, conversation)
    if write:
        table[conversation.record_id] = conversation.carrying(recording)
    return Decision(record_id=conversation.record_id, write=write)


def find(recording: Recording, conversations: Iterable[Conversation], rules: Rules) -> tuple[list[Conversation], bool]:
    """The conversations the first successful rule finds, and whether that rule was the one by name."""
    possible = [item for item in conversations if not _contradicts(recording, item)]
    by_egress = [item for item in possible if recording.egress_id in _egress_ids(item)]
    if by_egress:
        return by_egress, False
    by_room = [item for item in possible if recording.room_id and recording.room_id in _room_ids(item)]
    if by_room:
        return by_room, False
    return [item for item in possible if _fits_by_name(recording, item, rules.window)], True


def _egress_ids(conversation: Conversation) -> set[str]:
    carried = conversation.carries
    return {value for value in (conversation.egress_id, carried and carried.egress_id) if value}


def _room_ids(conversation: Conversation) -> set[str]:
    """Its own room id; only without one, that of the link it carries."""
    carried = conversation.carries
    own = conversation.room_id or (carried and carried.room_id)
    return {own} if own else set()


def _contradicts(recording: Recording, conversation: Conversation) -> bool:
    rooms = _room_ids(conversation)
    return bool(rooms and recording.room_id and recording.room_id not in rooms)


def _fits_by_name(recording: Recording, conversation: Conversation, window: timedelta) -> bool:
    if not recording.room_name or conversation.room_name != recording.room_name:
        return False
    if conversation.foreign_link or _egress_ids(conversation) or _room_ids(conversation):
        return False
    span = time_span(recording, window)
    if span is None:
        return False
    latest = span[1] - window + CLOCK_SKEW if conversation.own_start else span[1]
    return span[0] <= conversation.started_at <= latest


def time_span(recording: Recording, window: timedelta) -> tuple[datetime, datetime] | None:
    """Between which moments a conversation found by name must have its time; None when the recording has none."""
    start, end = recording.started_at or recording.ended_at, recording.ended_at or recording.started_at
    return (start - window, end + window) if start and end else None


def _settled(recording: Recording, rules: Rules) -> None:
    ended = recording.ended_at or recording.started_at
    if ended is None or not rules.settle:  # a recorder's clock may be ahead of ours
        return
    remaining = ended.timestamp() + rules.settle.total_seconds() - rules.now
    if remaining > 0:
        raise WaitError("settling", "other conversations of this room name may still appear", delay=remaining)


def _contested(
    wanted: Sequence[tuple[str, Recording]], table: Mapping[str, Conversation], rules: Rules
) -> frozenset[str]:
    """The conversations that several room sessions of this batch want by name alone."""
    claims: set[tuple[str, str]] = set()
    for _, recording in wanted:
        found, by_name = find(recording, table.values(), rules)
        if by_name and len(found) == 1:
            claims.add((found[0].record_id, recording.room_id or recording.egress_id))
    counts = Counter(record_id for record_id, _ in claims)
    return frozenset(record_id for record_id, count in counts.items() if count > 1)


def _replaces(recording: Recording, conversation: Conversation) -> bool:
    carried = conversation.carries
    if carried is None:
        return True
    ended = recording.ended_at.timestamp() if recording.ended_at else 0.0
    if carried.egress_id == recording.egress_id:
        return recording.has_file and ended >= (carried.ended_at or 0.0)
    if carried.room_id and recording.room_id and carried.room_id != recording.room_id:
        return True
    if not recording.has_file:
        return False
    return (recording.duration_s or 0.0, ended) > (carried.duration_s or 0.0, carried.ended_at or 0.0)
