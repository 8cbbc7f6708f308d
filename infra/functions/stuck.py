"""Egresses whose recorder is gone: LiveKit says they run, in a room that is closed (pure).

A recorder that was killed never sends `egress_ended`, and LiveKit's list says ACTIVE for ever.
"""

from __future__ import annotations

from collections.abc import Iterable

from .arrivals import Arrival
from .egress_info import Ended, Running
from .livekit_list import Rooms
from .objects import SKEW
from .timetable import LAST, QUIET, Timetable


def quiet(running: Iterable[Running], rooms: Rooms, timetable: Timetable) -> list[Running]:
    """Those that look stuck and are due in this run; a recording that still uploads looks so too, for a while."""
    oldest = timetable.now - max(timetable.lookback, LAST)
    return [
        one
        for one in running
        if (one.room_id or one.room_name) and not rooms.has(one.room_id, one.room_name)
        if oldest <= one.seen_at <= timetable.now - QUIET and timetable.due(one.seen_at)
    ]


def still(suspects: Iterable[Running], running: Iterable[Running], rooms: Rooms, timetable: Timetable) -> list[Running]:
    """Those that LiveKit, asked again, says the same of."""
    again = {one.egress_id for one in quiet(running, rooms, timetable)}
    return [one for one in suspects if one.egress_id in again]


def to_tell(one: Running, arrivals: Iterable[Arrival]) -> Ended:
    """That it failed; when its file came all the same, with the file."""
    files = [item for item in arrivals if item.key == one.key and item.size and item.at >= one.started_at - SKEW]
    if not files:
        return one.failed()
    last = max(files, key=lambda item: item.at)
    return one.failed(size=last.size, until=last.at)
