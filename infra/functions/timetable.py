"""When a run of `reconcile` looks at what (pure).

Nothing is remembered from run to run. What stays open is therefore looked at again when it is 1, 2, 4, 8, … intervals
old: soon at first, and about seven times in its day; every such look costs requests, and what it puts on the queue
again may stand there beside what it put there before. By hand everything is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: For so long a recording and its conversation may still be on their way to each other.
GRACE = timedelta(hours=1)
#: From this age on nothing waits any more: as long as `deliver` has patience.
LAST = timedelta(days=1)
#: An egress without a sign of life for so long, whose room is gone, is asked for again.
QUIET = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """One run. `interval`: from one scheduled run to the next; `lookback`: how far this one looks back.

    `until`: by hand, how long ago the time ends that it looks at, so that a long time can be looked at in pieces.
    """

    now: datetime
    interval: timedelta
    lookback: timedelta
    by_hand: bool
    until: timedelta = timedelta(0)

    @classmethod
    def scheduled(cls, now: datetime, interval: timedelta, lookback: timedelta) -> Timetable:
        """Looks back three intervals at least, so that everything gets its first look even if a run fails."""
        return cls(now=now, interval=interval, lookback=max(lookback, 3 * interval), by_hand=False)

    @property
    def since(self) -> datetime:
        """What ended before is none of this run's, unless its file is still open."""
        return self.now - self.lookback

    @property
    def end(self) -> datetime:
        """What ended later is none of this run's."""
        return self.now - self.until

    @property
    def newest(self) -> bool:
        """Whether it looks at what is open now: objects that arrived, egresses that run."""
        return not self.until

    def turn(self, moment: datetime) -> int:
        """How many whole intervals ago that was."""
        return (self.now - moment) // self.interval

    def due(self, moment: datetime) -> bool:
        """Whether what is open since then is looked at in this run; what is younger than an interval has its time."""
        turn = self.turn(moment)
        return self.by_hand or (turn > 0 and turn & (turn - 1) == 0)

    def over(self, moment: datetime) -> bool:
        """Whether this is the last look."""
        return self.now - moment >= LAST

    def check(self) -> tuple[datetime, datetime] | None:
        """Between which moments the conversations began that should have their recording; None: not in this run.

        By the clock once in a lookback, over two of them: two runs look at a conversation, so that one may fail.
        """
        end = self.now - max(GRACE, self.until)
        if self.by_hand:
            return (self.since, end) if self.since < end else None
        every = max(1, round(self.lookback / self.interval))
        if round(self.now.timestamp() / self.interval.total_seconds()) % every:
            return None
        return end - 2 * self.lookback, end
