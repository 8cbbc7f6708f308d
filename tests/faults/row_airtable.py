"""Row 5: Airtable throttles, errs, hangs, breaks off, is gone for an hour; and how fast it is asked otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from scripts.local.airtable.rate_limit import PER_BASE
from scripts.local.airtable_server import Fault, Outcome
from tests.faults import announcing, table, world
from tests.faults.figures import Figures
from tests.faults.held import hold, none_of
from tests.faults.world import World

HOUR = 3600.0
#: Longer than a client of a busy machine waits, see tests/faults/roles.py.
_HANGING_SECONDS = 0.7
#: Somebody else uses up the base's requests every so often (seconds of the clock); 30 of them are the lock-out.
_CROWDED_EVERY_SECONDS = (32.0, 60.0)
#: The longest waits for the next try are passed over by leaps of so long, at which nothing in work is taken for lost.
_LEAP_SECONDS = 240.0

ERRORS = tuple(Fault(outcome=Outcome.STATUS, status=status, times=None) for status in (500, 502, 503, 429))
HANGS = tuple(
    Fault(outcome=outcome, applied=applied, delay_seconds=_HANGING_SECONDS, times=None)
    for outcome, applied in ((Outcome.ANSWER, True), (Outcome.CLOSE, False))
)
BREAKS = tuple(
    Fault(outcome=outcome, applied=applied, times=None)
    for outcome in (Outcome.HALF, Outcome.CLOSE)
    for applied in (True, False)
)
GONE = tuple(Fault(outcome=outcome, times=None) for outcome in (Outcome.CLOSE, Outcome.STATUS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many recordings meet each trouble; `seconds` (real) is the most that it takes to get over one.

    `steady`: how many are delivered without any trouble, on the wall's clock: the pace is not to be blurred.
    """

    factor: float
    recordings: int
    steady: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """What is wrong, for how long (seconds of the clock) at least, and the reasons that `deliver` gives meanwhile."""

    name: str
    reason: str
    choices: Sequence[Fault] = ()
    share: float = 0.0
    lasts: float = 0.0


TROUBLES = (
    _Trouble(name="lock-outs", reason="airtable_throttled"),
    _Trouble(name="errors", reason="airtable_unavailable", choices=ERRORS, share=0.4),
    _Trouble(name="time-outs", reason="airtable_unavailable", choices=HANGS, share=0.4),
    _Trouble(name="half answers", reason="airtable_unavailable", choices=BREAKS, share=0.4),
    _Trouble(name="an hour's outage", reason="airtable_unavailable", choices=GONE, share=1.0, lasts=HOUR),
)


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError when a recording is lost, written elsewhere or dead, or Airtable is asked too fast."""
    steady = _steady(size, rng, broken)
    waits = 0
    for trouble in TROUBLES:
        with world.run(size.factor, broken=broken, hasty=True) as here:
            waits += _suffer(here, rng, trouble, size)
    return {
        "recordings on their own conversation": len(TROUBLES) * size.recordings,
        "lost": 0,
        "dead letters": 0,
        "times sent back to wait": waits,
        **steady,
    }


def _suffer(here: World, rng: Random, trouble: _Trouble, size: Size) -> int:
    """One trouble, from its beginning until all is done; how often messages were sent back to wait."""
    calls = announcing.over(here, rng, size.recordings)
    expected = announcing.converse(here, rng, calls)
    before = here.airtable.snapshot()
    bodies = announcing.ended(here, calls)
    receiver = here.receiver()
    for _ in range(2):
        here.worker()
    crowd = _crowding(here, rng) if not trouble.choices else lambda: None
    # One for sure: of few requests, or few writes, chance may spare all, and a slow machine sleeps through lock-outs.
    if trouble.choices:
        here.airtable.faults.add(replace(trouble.choices[0], times=1))
        refusing = next(choice for choice in trouble.choices if not choice.carries_out)
        here.airtable.faults.add(replace(refusing, times=1, methods=frozenset({"PATCH"})))
    else:
        here.airtable.crowd_out_next()
    here.airtable.chance.strew(rng, trouble.share, trouble.choices)
    began = here.clock()
    announcing.announce(here, receiver, bodies)
    here.until(lambda: here.clock() - began >= trouble.lasts, "time passes", trouble.lasts / here.clock.factor + 10)
    if trouble.lasts:
        hold(here.depth(here.made.queue_url) == len(bodies), f"everything still waits after {trouble.name}")
        here.airtable.chance.strew(rng, 0.0, ())
    here.until_drained(size.seconds, leap=_LEAP_SECONDS, meanwhile=crowd)
    none_of(here.reasons(), "messages are in the dead-letter queue")
    table.check(here, before, expected)
    table.check_writes(here, expected)
    waits = sum(line.get("reason") == trouble.reason for line in here.lines(event="verdict"))
    hold(waits, f"{trouble.name} made messages wait: else nothing would be proved")
    return waits


def _crowding(here: World, rng: Random) -> Callable[[], None]:
    """Lets somebody else use up the base's requests, time and again, when it is called often enough.

    After a leap it lets some time pass first: else it would always strike when the leap has made messages visible.
    """
    due = here.clock()

    def crowd() -> None:
        nonlocal due
        late = here.clock() - due
        if late >= 0:
            if late < _CROWDED_EVERY_SECONDS[1]:
                here.airtable.crowd_out()
            due = here.clock() + rng.uniform(*_CROWDED_EVERY_SECONDS)

    crowd()
    return crowd


def _steady(size: Size, rng: Random, broken: str) -> Figures:
    """Without any trouble: in no second is Airtable asked more often than it allows, and so it never refuses."""
    with world.run(1.0, broken=broken) as here:
        calls = announcing.over(here, rng, size.steady)
        expected = announcing.converse(here, rng, calls)
        before = here.airtable.snapshot()
        announcing.announce(here, here.receiver(), announcing.ended(here, calls))
        for _ in range(2):
            here.worker()
        here.until_drained(size.seconds, meanwhile=lambda: _check_pace(here))
        _check_pace(here)
        table.check(here, before, expected)
        moments = [asked.at for asked in here.airtable.asked]
        rate = (len(moments) - 1) / (max(moments) - min(moments))
        busiest = here.airtable.busiest_second()
        return {"requests in the busiest second": busiest, "requests a second while all is well": rate}


def _check_pace(here: World) -> None:
    busiest, refused = here.airtable.busiest_second(), here.airtable.refusals()
    hold(busiest <= PER_BASE, f"Airtable is asked at most {PER_BASE} times in any second, not {busiest} times")
    hold(not refused, f"Airtable never refuses, not {refused} times")
