"""Row 2: one room name, `camille`, for every call; calls overlap or follow each other without a pause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from scripts.local.airtable_server import conversations_table
from tests.faults import announcing, table, world
from tests.faults.calls import Call, call, iso
from tests.faults.figures import Figures
from tests.faults.held import hold, none_of
from tests.faults.world import WINDOW_SECONDS, World

NAME = "camille"
#: Calls at a time, for a stretch of so many calls: from one after the other to three at once.
_LANES, _STRETCH = 3, 6
_DAY = 86_400
#: The first calls, whatever chance says: their pause and length, so that the one which began first ends last.
_CROSSING = ((0.0, 480.0), (2.0, 60.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many calls; `seconds` (real) is the most that what follows the last of them may take."""

    factor: float
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happening:
    at: float
    do: Callable[[], None]


def run(size: Size, rng: Random, broken: str = "", *, room_ids: bool) -> Figures:
    """NotHeldError when a recording is on another call's conversation, or is neither linked nor reported.

    `room_ids`: whether the agent writes the room id into the conversation, in a table that has a field for it.
    """
    columns = conversations_table(without=() if room_ids else ("room_id",))
    with world.run(size.factor, tables=[columns], broken=broken) as here:
        calls = _calls(rng, size.calls, here.clock() + 60)
        records: dict[str, Call] = {}
        happenings = _happenings(here, rng, calls, records, room_ids=room_ids)
        for _ in range(2):
            here.worker()
        for happening in sorted(happenings, key=lambda happening: happening.at):
            here.clock.sleep(happening.at - here.clock())
            happening.do()
        told = "every recording is linked, or told to be ambiguous"
        here.until(lambda: _decided(here) >= len(calls), told, size.seconds)
        here.clock.leap(_DAY)
        here.until_drained(size.seconds)
        return _checked(here, calls, records, room_ids=room_ids)


def _calls(rng: Random, count: int, begin: float) -> list[Call]:
    """On one to three lines; in each the next call follows at once, or some minutes later."""
    free, used = [begin] * _LANES, 1
    calls: list[Call] = []
    for number in range(count):
        if number % _STRETCH == 0:
            used = (number // _STRETCH + 2) % _LANES + 1
            free = [max(free)] * _LANES
        lane = min(range(used), key=lambda lane: free[lane])
        pause, seconds = rng.choice((0.0, 2.0, 60.0, 600.0)), rng.uniform(20, 480)
        if number < len(_CROSSING):
            pause, seconds = _CROSSING[number]
        made = call(rng, NAME, free[lane] + pause, seconds)
        free[lane] = made.ended
        calls.append(made)
    return calls


def _happenings(
    here: World, rng: Random, calls: list[Call], records: dict[str, Call], *, room_ids: bool
) -> list[_Happening]:
    """In the order of time: conversations appear (some late), files are uploaded, events are sent."""
    receiver = here.receiver()
    found: list[_Happening] = []

    def appear(of: Call, late: float) -> None:
        own = {"room_name": NAME, "notes": "a visit"}
        if late < 60:  # an agent that writes at the end of the call does not know any more when it began
            own["started_at"] = iso(of.began + rng.uniform(-2, 4))
        if room_ids:
            own["room_id"] = of.room_id
        records[here.airtable.seed(own, created=iso(of.began + late))] = of

    def end(of: Call) -> None:
        announcing.announce(here, receiver, announcing.ended(here, [of]))

    for number, of in enumerate(calls):
        late = rng.choice((1.0, 2.0, 5.0, of.ended - of.began + rng.uniform(0, WINDOW_SECONDS - 10)))
        if number < len(_CROSSING):
            late = 1.0
        found.append(_Happening(at=of.began + late, do=lambda of=of, late=late: appear(of, late)))
        found.append(_Happening(at=of.ended + rng.uniform(0, 2), do=lambda of=of: end(of)))
    return found


def _decided(here: World) -> int:
    """Messages of which `deliver` has said so far: done, or ambiguous."""
    verdicts = here.lines(event="verdict")
    return len({line["message"] for line in verdicts if line["outcome"] == "done" or line.get("reason") == "ambiguous"})


def _checked(here: World, calls: list[Call], records: dict[str, Call], *, room_ids: bool) -> Figures:
    found = table.linked(here)
    wrong = {record for record, egress in found.items() if records[record].egress_id != egress}
    none_of(wrong, f"of {len(calls)} calls have another call's recording")
    reasons = Counter(here.reasons())
    hold(set(reasons) <= {"ambiguous"}, f"what is not linked is reported as ambiguous, not {dict(reasons)}")
    hold(
        len(found) + reasons["ambiguous"] == len(calls),
        f"every call is linked or reported: {len(found)} + {reasons['ambiguous']} of {len(calls)}",
    )
    if room_ids:
        hold(len(found) == len(calls), f"with room ids every call is linked, not {len(found)} of {len(calls)}")
    else:
        hold(found, "without room ids at least the calls that stand alone are linked")
        hold(reasons["ambiguous"], "without room ids some of these calls are ambiguous")
    return {"calls": len(calls), "linked": len(found), "wrong": 0, "ambiguous and reported": reasons["ambiguous"]}
