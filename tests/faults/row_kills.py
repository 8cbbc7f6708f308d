"""Row 4: `deliver` is killed before, in and after each of its steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from tests.faults import table, world
from tests.faults.dying import AT_ONCE, Scene, kill_all
from tests.faults.figures import Figures
from tests.faults.held import hold, none_of
from tests.faults.steps import PHASES, STEPS, Death
from tests.faults.world import World

_POINTS = [(step, phase) for step in STEPS for phase in PHASES]
_A_ROUND = 2 * len(_POINTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many kills; `seconds` (real) is the most that it may take to converge afterwards."""

    factor: float
    kills: int
    seconds: float


def run(size: Size, rng: Random, broken: str = "") -> Figures:
    """NotHeldError when anything is lost, doubled, or written elsewhere."""
    points = [_POINTS[number % len(_POINTS)] for number in range(size.kills)]
    rng.shuffle(points)
    figures: Counter[str] = Counter()
    hits: Counter[tuple[str, str]] = Counter()
    for start in range(0, size.kills, _A_ROUND):
        deaths = [Death.drawn(rng, *point) for point in points[start : start + _A_ROUND]]
        hits += _round(size, rng, broken, deaths, figures)
    none_of(set(points) - set(hits), "points were never reached")
    hold(hits.total() == size.kills, f"{hits.total()} of {size.kills} kills came to pass")
    return {"kills": hits.total(), "points of death": len(hits), **figures, "writes of other values or elsewhere": 0}


def _round(
    size: Size, rng: Random, broken: str, deaths: list[Death], figures: Counter[str]
) -> Counter[tuple[str, str]]:
    """Some of the deaths, in a world of their own: the stand-in for Airtable is slow with a large table."""
    with world.run(size.factor, broken=broken) as here:
        scene = Scene(here=here, rng=rng, receiver=here.receiver())
        for number in range(20):
            table.bystander(here, rng, f"other-{number}", here.clock() - 3600)
        scene.before |= here.airtable.snapshot()
        hits = kill_all(scene, deaths)
        scene.settle_in(scene.homeless)
        for _ in range(AT_ONCE):
            here.worker()
        here.until_drained(size.seconds)
        table.check(here, scene.before, scene.expected)
        table.check_writes(here, scene.expected)
        figures["recordings on their own conversation"] += len(scene.expected)
        figures["writes"] += len(here.airtable.writes)
        figures["dead letters"] += len(scene.poison)
        figures["of them buried twice"] += _check_dead(here, scene)
        return hits


def _check_dead(here: World, scene: Scene) -> int:
    """Each poison is dead, with its reason, and nothing else is; how many letters there are twice.

    Killed between burying and taking off the queue, a message is buried again when it comes again, which may be beyond
    the five minutes for which the dead-letter queue would know it.
    """
    letters = here.depth(here.made.dead_letter_url)
    reasons = Counter(here.reasons())
    hold(set(reasons) <= {"wrong_bucket"}, f"only the poison is dead, not {dict(reasons)}")
    hold(reasons.total() == len(scene.poison), f"{reasons.total()} of {len(scene.poison)} poisoned messages are dead")
    return letters - reasons.total()
