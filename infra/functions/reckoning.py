"""What is missing, by comparing LiveKit's egresses, what arrived in the bucket, and the conversations (pure).

What no conversation tells of is put on the queue again: `deliver` alone decides where it belongs, and alone writes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .arrivals import Arrival
from .egress_info import Egresses, Ended
from .matching import Conversation, find
from .objects import SKEW
from .probes import MARK
from .recording import Recording
from .telling import Table, Telling, is_told
from .timetable import GRACE, Timetable

#: A file that no known egress made: its call began at most so long before it arrived.
LONGEST_CALL = timedelta(hours=4)
#: What egress writes beside a recording, unless `disable_manifest`.
_MANIFEST = re.compile(r"(?:.*/)?EG_\w+\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What LiveKit and the bucket tell. `stuck`: what to tell of egresses whose recorder is gone.

    `complete`: LiveKit told everything it knows, or there is none to ask; otherwise nothing is said to be nowhere.
    """

    egresses: Egresses = field(default_factory=Egresses)
    stuck: tuple[Ended, ...] = ()
    arrivals: frozenset[Arrival] = frozenset()
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run compares. `start`: from when on conversations must be known; None: nothing to compare.

    `due`: ids of the egresses that are looked at; `owners`: the recordings that an object may be; `check`: between
    which moments the conversations began that should have a recording.
    """

    start: datetime | None
    recordings: tuple[Ended, ...]
    due: frozenset[str]
    owners: Mapping[Arrival, tuple[Ended, ...]]
    check: tuple[datetime, datetime] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What came out. `waiting`: not told, and not looked at in this run; `awaited`: arrival → untold egresses' ids."""

    told: int
    waiting: int
    missing: tuple[Ended, ...]
    stuck: tuple[Ended, ...]
    resolved: frozenset[Arrival]
    unwanted: frozenset[Arrival]
    awaited: Mapping[Arrival, frozenset[str]]
    without_recording: tuple[Conversation, ...]


def plan(facts: Facts, timetable: Timetable) -> Plan:
    """What to compare in this run."""
    owners = _owners(facts)
    open_ids = {_id(owner) for found in owners.values() for owner in found}
    last_ids = {_id(owner) for arrival, found in owners.items() if timetable.over(arrival.at) for owner in found}
    recordings = [
        one for one in facts.egresses.ended if timetable.since <= one.at <= timetable.end or _id(one) in open_ids
    ]
    due = [one for one in recordings if timetable.due(one.at) or _id(one) in last_ids]
    due += facts.stuck
    check = timetable.check() if facts.complete else None
    begins = [_began(one) for one in due]
    begins += [
        _arrival_began(arrival, found)
        for arrival, found in owners.items()
        if not is_manifest(arrival.key) and (timetable.due(arrival.at) or timetable.over(arrival.at))
    ]
    begins += [check[0]] if check else []
    return Plan(
        start=min(begins) if begins else None,
        recordings=tuple(recordings),
        due=frozenset(map(_id, due)),
        owners=owners,
        check=check,
    )


def reckon(
    facts: Facts,
    planned: Plan,
    conversations: Iterable[Conversation],
    *,
    played: Collection[tuple[str, str]],
    telling: Telling,
    timetable: Timetable,
    erased: Collection[str] = frozenset(),
) -> Findings:
    """Compare, with the conversations since `planned.start` less the window.

    `played`: (key, version) of every link of ours in them. `erased`: egresses of which nobody tells any more.
    """
    table = Table(conversations)
    seen = [one for one in planned.recordings if planned.start and _began(one) >= planned.start]
    untold = [one for one in seen if _id(one) not in erased and not is_told(one.recording, table, telling)]
    missing = tuple(one for one in untold if _id(one) in planned.due)
    stuck = tuple(one for one in facts.stuck if _id(one) not in erased and not is_told(one.recording, table, telling))
    untold_ids = frozenset(map(_id, (*untold, *stuck)))
    awaited: dict[Arrival, frozenset[str]] = {}
    resolved: set[Arrival] = set()
    unwanted: set[Arrival] = set()
    for arrival, owners in planned.owners.items():
        owner_ids = frozenset(map(_id, owners))
        if is_manifest(arrival.key) or (arrival.key, arrival.version) in played:
            resolved.add(arrival)
        elif owner_ids & untold_ids:
            awaited[arrival] = owner_ids & untold_ids
        elif planned.start is None or _arrival_began(arrival, owners) < planned.start:
            continue
        elif owner_ids - table.linked:
            resolved.add(arrival)  # it gave way to a longer one
        elif facts.complete and not _expected(arrival, facts, timetable):
            unwanted.add(arrival)
    return Findings(
        told=len(seen) - len(untold),
        waiting=len(untold) - len(missing),
        missing=missing,
        stuck=stuck,
        resolved=frozenset(resolved),
        unwanted=frozenset(unwanted),
        awaited=awaited,
        without_recording=tuple(
            one
            for one in _without(facts, planned, table, telling, timetable.now)
            if one.egress_id not in erased and not any(_names(arrival, one) for arrival in facts.arrivals - resolved)
        ),
    )


def is_manifest(key: str) -> bool:
    """Whether this object is no recording: what egress writes about one, or a probe that Object Lock keeps."""
    return _MANIFEST.fullmatch(key) is not None or f"/{MARK}/" in key


def _id(one: Ended) -> str:
    return one.recording.egress_id


def _owners(facts: Facts) -> dict[Arrival, tuple[Ended, ...]]:
    by_key: dict[str | None, list[Ended]] = {}
    for one in (*facts.egresses.ended, *facts.stuck):
        by_key.setdefault(one.recording.key, []).append(one)
    return {
        arrival: tuple(one for one in by_key.get(arrival.key, ()) if _explains(one.recording, arrival))
        for arrival in facts.arrivals
    }


def _explains(recording: Recording, arrival: Arrival) -> bool:
    """Whether this object may be this recording's file: a key that is used again has many."""
    if not recording.has_file or recording.size_bytes not in (None, arrival.size):
        return False
    begin, end = recording.started_at or recording.ended_at, recording.ended_at or recording.started_at
    return (begin is None or arrival.at >= begin - SKEW) and (end is None or arrival.at <= end + GRACE)


def _began(one: Ended) -> datetime:
    return one.recording.started_at or one.at - LONGEST_CALL


def _arrival_began(arrival: Arrival, owners: Iterable[Ended]) -> datetime:
    return min(map(_began, owners), default=arrival.at - LONGEST_CALL)


def _expected(arrival: Arrival, facts: Facts, timetable: Timetable) -> bool:
    """Whether somebody may still come for it."""
    return timetable.now - arrival.at < GRACE or any(one.key == arrival.key for one in facts.egresses.running)


def _without(facts: Facts, planned: Plan, table: Table, telling: Telling, now: datetime) -> Iterable[Conversation]:
    """Conversations of the time to check that have no recording, and that no recording we know of could be."""
    if planned.check is None:
        return
    begin, end = planned.check
    known = [one.recording for one in facts.egresses.ended]
    known += [replace(one.failed().recording, ended_at=now) for one in facts.egresses.running]
    owned = {item.record_id for one in known for item in find(one, table.near(one), telling.rules)[0]}
    for one in table.all.values():
        has = one.carries or one.listed or one.foreign_link or one.status or one.record_id in owned
        if begin <= one.started_at <= end and not has:
            yield one


def _names(arrival: Arrival, conversation: Conversation) -> bool:
    """Whether an object's key names this conversation's room, around its time."""
    if abs(arrival.at - conversation.started_at) > LONGEST_CALL:
        return False
    names = [re.escape(name) for name in (conversation.room_id, conversation.room_name) if name]
    return bool(names) and re.search(rf"(?<![^\W_])(?:{'|'.join(names)})(?![^\W_])", arrival.key) is not None
