"""Instances of `deliver` that die, and the work in which they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults import announcing
from tests.faults.calls import Call, egress_ended
from tests.faults.clock import wait_real
from tests.faults.steps import Death
from tests.faults.world import Receiver, World

#: How many are at work side by side: Lambda's event source mapping runs two.
AT_ONCE = 2
#: New recordings for each death, so that there is always work in which to die.
_CALLS_A_DEATH = 3
#: Looks (2 ms each, at least) between two helpings of work, and how many helpings there are.
_LOOKS_A_MEAL, _MOST_MEALS = 300, 5


@dataclass(kw_only=True)
class Scene:
    """What was announced so far: records that belong to calls, calls still without a record, poison."""

    here: World
    rng: Random
    receiver: Receiver
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


def kill_all(scene: Scene, deaths: Iterable[Death]) -> Counter[tuple[str, str]]:
    """All deaths, two at a time; points that were reached, and how often.

    An instance that never comes to its point, as another one took the work, is followed by another.
    """
    ahead = list(deaths)
    most = 2 * len(ahead)
    hits: Counter[tuple[str, str]] = Counter()
    dying: list[_Dying] = []
    while ahead or dying:
        while ahead and len(dying) < AT_ONCE:
            dying.append(_Dying(death=ahead.pop(), scene=scene))
            most -= 1
        for one in [one for one in dying if one.ended()]:
            dying.remove(one)
            hits[one.death.step, one.death.phase] += one.reached()
            if not one.reached() and most > len(ahead):
                ahead.append(one.death)
        wait_real(0.002)
    return +hits


class _Dying:
    """An instance that is to die, and the work in which it does."""

    def __init__(self, *, death: Death, scene: Scene) -> None:
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
