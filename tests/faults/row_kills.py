"""Row 4: `deliver` is killed before, in and after each of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults import announcing, table, world
from tests.faults.calls import Call, egress_ended
from tests.faults.clock import wait_real
from tests.faults.figures import Figures
from tests.faults.held import hold, none_of
from tests.faults.steps import PHASES, STEPS, Death
from tests.faults.world import World

#: How many die side by side: Lambda's event source mapping runs two.
_AT_ONCE = 2
#: New recordings for each death, so that there is always work in which to die.
_CALLS_A_DEATH = 3
#: Looks (2 ms each, at least) between two helpings of work, and how many helpings there are.
_LOOKS_A_MEAL, _MOST_MEALS = 300, 5
_POINTS = [(step, phase) for step in STEPS for phase in PHASES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many kills; `seconds` (real) is the most that it may take to converge afterwards."""

    factor: float
    kills: int
    seconds: float


@dataclass(kw_only=True)
class _Scene:
    """What was announced so far: records that belong to calls, calls still without a record, poison."""

    here: World
    rng: Random
    receiver: world.Receiver
    before: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    expected: dict[str, Call] = field(default_factory=dict[str, Call])
    homeless: list[Call] = field(default_factory=list[Call])
    poison: list[Call] = field(default_factory=list[Call])

    def settle_in(self, calls: Iterable[Call]) -> None:
        """A conversation for each."""
        records = announcing.converse(self.here, self.rng, calls)
        self.expected |= records
        self.before |= {record: self.here.airtable.read(record) for record in records}

    def feed(self, death: Death) -> None:
        """Work for this death: what is dead can be buried, what waits can be postponed."""
        calls = announcing.over(self.here, self.rng, _CALLS_A_DEATH)
        self.settle_in(calls)
        bodies = announcing.ended(self.here, calls)
        [extra] = announcing.over(self.here, self.rng, 1)
        if death.step == "bury":
            self.poison.append(extra)
            bodies.append(egress_ended(extra, "a-bucket-of-others"))
        elif death.step == "postpone":
            self.homeless.append(extra)
            bodies += announcing.ended(self.here, [extra])
        self.rng.shuffle(bodies)
        announcing.announce(self.here, self.receiver, bodies)


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError when anything is lost, doubled, or written elsewhere."""
    with world.run(size.factor, broken=broken) as here:
        scene = _Scene(here=here, rng=rng, receiver=here.receiver())
        for number in range(20):
            table.bystander(here, rng, f"other-{number}", here.clock() - 3600)
        scene.before |= here.airtable.snapshot()
        hits = _kill_all(scene, size)
        scene.settle_in(scene.homeless)
        for _ in range(_AT_ONCE):
            here.worker()
        here.until_drained(size.seconds)
        _check_hits(hits, size)
        table.check(here, scene.before, scene.expected)
        table.check_writes(here, scene.expected)
        twice = _check_dead(here, scene)
        return {
            "kills": hits.total(),
            "points of death": len(hits),
            "recordings on their own conversation": len(scene.expected),
            "writes": len(here.airtable.writes),
            "writes of other values or elsewhere": 0,
            "dead letters": len(scene.poison),
            "of them buried twice": twice,
        }


def _kill_all(scene: _Scene, size: Size) -> Counter[tuple[str, str]]:
    """All deaths, two at a time; points that were reached, and how often."""
    points = [_POINTS[number % len(_POINTS)] for number in range(size.kills)]
    scene.rng.shuffle(points)
    ahead = [Death.drawn(scene.rng, *point) for point in points]
    hits: Counter[tuple[str, str]] = Counter()
    dying: list[_Dying] = []
    while ahead or dying:
        while ahead and len(dying) < _AT_ONCE:
            dying.append(_Dying(death=ahead.pop(), scene=scene))
        for one in list(dying):
            if one.ended():
                dying.remove(one)
                hits[one.death.step, one.death.phase] += one.reached()
        wait_real(0.002)
    return hits


class _Dying:
    """An instance that is to die, and the work in which it does."""

    def __init__(self, *, death: Death, scene: _Scene) -> None:
        self.death, self._scene, self._looks, self._meals = death, scene, 0, 1
        scene.feed(death)
        self._instance = scene.here.worker(death)

    def ended(self) -> bool:
        """Whether it is dead; when it lives on, as another one took its work, it gets more."""
        if self._instance.ended() is not None:
            return True
        self._looks += 1
        if self._looks % _LOOKS_A_MEAL == 0 and self._meals < _MOST_MEALS:
            self._scene.feed(self.death)
            self._meals += 1
        if self._looks > _LOOKS_A_MEAL * (_MOST_MEALS + 2):
            self._instance.kill()
        return False

    def reached(self) -> bool:
        """Whether it died where it was to."""
        return any(line.get("trace") == "killed" for line in self._instance.lines())


def _check_hits(hits: Counter[tuple[str, str]], size: Size) -> None:
    """The row proves something only when each point was reached."""
    none_of({point for point in _POINTS[: size.kills] if not hits[point]}, "points were never reached")
    hold(hits.total() == size.kills, f"{hits.total()} of {size.kills} kills came to pass")


def _check_dead(here: World, scene: _Scene) -> int:
    """Each poison is dead, with its reason, and nothing else is; how many letters there are twice.

    Killed between burying and taking off the queue, a message is buried again when it comes again, which may be beyond
    the five minutes for which the dead-letter queue would know it.
    """
    letters = here.depth(here.made.dead_letter_url)
    reasons = Counter(here.reasons())
    hold(set(reasons) <= {"wrong_bucket"}, f"only the poison is dead, not {dict(reasons)}")
    hold(reasons.total() == len(scene.poison), f"{reasons.total()} of {len(scene.poison)} poisoned messages are dead")
    return letters - reasons.total()
