"""What a run of `reconcile` learns from LiveKit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .arrivals import Arrival
from .deadline import Deadline
from .egress_info import Egresses, Running, sort
from .errors import LiveKitError
from .livekit_list import LiveKit, Rooms
from .reckoning import Facts
from .reconcile_report import Report
from .stuck import quiet, still, to_tell
from .timetable import Timetable

LIVEKIT_SECONDS = 120
#: How long LiveKit gets until it is asked once more whether an egress really runs.
SECOND_LOOK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """`reserve`: seconds that must be left after asking; `livekit`: None when the stack knows none."""

    livekit: LiveKit | None
    bucket: str
    prefix: str
    timetable: Timetable
    report: Report
    deadline: Deadline
    reserve: float
    sleep: Callable[[float], None]

    def facts(self, arrivals: frozenset[Arrival]) -> Facts:
        """What LiveKit tells beside these arrivals; problems go to the report."""
        if self.livekit is None:
            self.report.skipped.append("livekit_not_configured")
            return Facts(arrivals=arrivals)
        check = self.timetable.check()
        since = min([self.timetable.since, *(check or ()), *(arrival.at for arrival in arrivals)])
        try:
            rooms, egresses = self._list(self.livekit, since)
        except LiveKitError as error:
            self.report.problem(error.reason)
            return Facts(arrivals=arrivals, complete=False)
        self.report.counts["foreign"] = egresses.foreign
        self.report.counts["unreadable"] = egresses.unreadable
        self.report.counts["running"] = len(egresses.running)
        stuck = [to_tell(one, arrivals) for one in self._stuck(self.livekit, egresses, rooms)]
        return Facts(egresses=egresses, stuck=tuple(stuck), arrivals=arrivals)

    def _stuck(self, livekit: LiveKit, egresses: Egresses, rooms: Rooms | None) -> list[Running]:
        """Asked twice: a room, or an egress, may just be ending."""
        suspects = quiet(egresses.running, rooms, self.timetable) if rooms and self.timetable.newest else []
        if not suspects:
            return []
        self.sleep(SECOND_LOOK_SECONDS)
        try:
            rooms, egresses = self._list(livekit, None)
        except LiveKitError as error:
            self.report.problem(error.reason)
            return []
        return still(suspects, egresses.running, rooms, self.timetable) if rooms else []

    def _list(self, livekit: LiveKit, since: datetime | None) -> tuple[Rooms | None, Egresses]:
        seconds = min(LIVEKIT_SECONDS, self.deadline.left() - self.reserve)
        if seconds <= 0:
            raise LiveKitError("out_of_time")
        listing = livekit.listing(since, seconds)
        if listing.rooms is None:
            self.report.problem("livekit_rooms")
        return listing.rooms, sort(listing.egresses, self.bucket, self.prefix)
