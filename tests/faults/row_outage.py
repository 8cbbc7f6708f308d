"""Row 3: our side is down for a while, LiveKit tries and drops as it does; one `reconcile` finds the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from scripts.local.livekit_server import LiveKitServer
from tests.faults import announcing, table, world
from tests.faults.calls import Call, call, egress_ended, egress_ending, room_finished
from tests.faults.figures import Figures
from tests.faults.held import hold, none_of
from tests.faults.livekit import ANSWER_SECONDS, LiveKit
from tests.faults.world import SETTLE_SECONDS, Receiver, World
from tests.unit.functions_support import KEY, SECRET

#: How long LiveKit tries altogether: an outage below this loses nothing by itself.
_TRIED_SECONDS = 15.0
#: It gives up the event before, then this one, and drops what is older than 30 s: an outage above this loses some.
_SURELY_LOST_SECONDS = 50.0
#: Before and after the outage calls end, too.
_BEFORE_SECONDS, _AFTER_SECONDS = 4.0, 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many calls end around each outage; `seconds` (real) is the most that it takes to get over one."""

    factor: float
    calls: int
    seconds: float
    outages: Sequence[float] = (0.0, 10.0, 20.0, 120.0)


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """One outage in a world that lives on."""

    here: World
    receiver: Receiver
    livekit: LiveKitServer
    outage: float
    seconds: float

    def suffer(self, rng: Random, count: int) -> int:
        """Live through it, then reconcile; how many recordings were not there before that, and were thereafter."""
        here, begin = self.here, self.here.clock() + _BEFORE_SECONDS
        calls = _calls(rng, begin, self.outage, count)
        expected = announcing.converse(here, rng, calls)
        before = here.airtable.snapshot()
        sender = LiveKit(self.receiver.url, here.clock)
        away = self._endure(sender, calls, begin)
        here.until(sender.idle, "LiveKit has tried", self.seconds)
        here.clock.leap(SETTLE_SECONDS + 60)
        here.until_drained(self.seconds, leap=60)
        lost = self._lost(sender, calls, away)
        answer = here.reconcile(self.livekit.url, self.seconds)
        hold(not answer["problems"], f"reconcile has no problems, not {answer['problems']}")
        here.until_drained(self.seconds, leap=60)
        table.check(here, before, expected)
        return lost

    def _endure(self, sender: LiveKit, calls: Sequence[Call], begin: float) -> float:
        """Each call ends at its time; all of our processes die at `begin`, and come back after the outage.

        How long nobody really answered, which on a busy machine is longer than it was to be.
        """
        here, died = self.here, 0.0
        moments = [*((of.ended, of) for of in calls), (begin, None), (begin + self.outage, None)]
        back = 0.0
        for at, of in sorted(moments, key=lambda moment: moment[0]):
            here.clock.sleep(at - here.clock())
            if of is not None:
                self._end(sender, of)
            elif not died:
                died = here.clock()
                here.kill_all()
            else:
                self.receiver.start()
                for _ in range(2):
                    here.worker()
                back = self.receiver.answering()
        return back - died

    def _end(self, sender: LiveKit, of: Call) -> None:
        """The file is uploaded, LiveKit's list has the egress, and its events are on their way."""
        bucket = self.here.made.bucket
        self.here.upload([of])
        body = egress_ended(of, bucket)
        self.livekit.add_egress(body)
        sender.notify(of.egress_id, egress_ending(of, bucket))
        sender.notify(of.egress_id, body)
        sender.notify(of.room_name, room_finished(of))

    def _lost(self, sender: LiveKit, calls: Sequence[Call], away: float) -> int:
        """How many recordings no webhook brought: none that was taken, none when we were back soon enough."""
        found = set(table.linked(self.here).values())
        lost = sum(of.egress_id not in found for of in calls)
        unsent = len(sender.outcomes("given up", "dropped", "refused"))
        hold(not sender.outcomes("refused"), "nothing is refused for good")
        hold(lost <= unsent, f"what was taken is not lost: {lost} are, {unsent} were never taken")
        in_time = max(notice.slowest for notice in sender.notices) < ANSWER_SECONDS
        hold(not (away < _TRIED_SECONDS and in_time and lost), f"{away:g} s without us lose nothing, not {lost}")
        hold(self.outage < _SURELY_LOST_SECONDS or lost, f"{away:g} s without us lose some: else nothing is proved")
        return lost


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError when after one `reconcile` a recording is not on its own conversation."""
    figures: dict[str, int | float | str] = {}
    with world.run(size.factor, broken=broken) as here, LiveKitServer(api_key=KEY, api_secret=SECRET) as livekit:
        receiver = here.receiver()
        for _ in range(2):
            here.worker()
        for outage in size.outages:
            scene = _Scene(here=here, receiver=receiver, livekit=livekit, outage=outage, seconds=size.seconds)
            figures[f"of them not sent after {outage:g} s"] = scene.suffer(rng, size.calls)
        none_of(here.reasons(), "messages are in the dead-letter queue")
    return {"calls": size.calls * len(size.outages), **figures, "lost after reconcile": 0}


def _calls(rng: Random, begin: float, outage: float, count: int) -> list[Call]:
    """They end before, in and after the outage; one of them right after it began."""
    first, last = begin - _BEFORE_SECONDS + 1, begin + outage + _AFTER_SECONDS
    made: list[Call] = []
    for end in sorted([begin + 1.0, *(rng.uniform(first, last) for _ in range(count - 1))]):
        seconds = rng.uniform(30, 600)
        made.append(call(rng, f"room-{rng.randrange(10**9)}", end - seconds, seconds))
    return made
