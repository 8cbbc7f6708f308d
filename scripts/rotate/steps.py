"""The machine that all rotations share: named steps, each done once, each harmless when it is done again.

A step is noted as done after it was done: whoever is killed in between does it again. So every step first looks at
what is, or writes what it would have written anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from scripts.rotate import settings as notes
from scripts.rotate.settings import Settings
from scripts.rotate.state import State
from scripts.teardown.engine import Say

Learnt = Mapping[str, str]
NOTHING: Learnt = {}


class Pause(Exception):  # noqa: N818 -- a state of things, not a fault
    """Nothing is to be done before `again` (unix seconds); then the same command goes on."""

    def __init__(self, sentence: str, *, again: float) -> None:
        super().__init__(sentence)
        self.again = again


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step; `do` is given how far the rotation is, and returns what later steps have to know.

    It raises Pause when it is too early, UnfinishedError when a person has to do something first.
    """

    name: str
    title: str
    do: Callable[[State], Learnt] = field(repr=False)


class Rotation(Protocol):
    """The replacing of one kind of key."""

    @property
    def kind(self) -> str:
        """What is replaced: a word."""
        ...

    def steps(self, state: State | None) -> Sequence[Step]:
        """All steps, in their order; `state` of a rotation that has begun."""
        ...

    def begin(self) -> Learnt:
        """Look whether a rotation may begin, and what it starts from. Raises UsageError, StackError."""
        ...

    def resumed(self, state: State) -> State:
        """How far a rotation that has begun is, after what may have happened since the last run."""
        ...

    def advice(self, state: State) -> Sequence[str]:
        """What a person has to do besides."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What became of a run. `steps`: title by name; `again`: unix seconds at which to go on, None when it is over.

    `begun`: whether there is, or was, a rotation at all.
    """

    stack: str
    kind: str
    dry: bool
    begun: bool
    steps: Mapping[str, str]
    done: Sequence[str]
    pause: str = ""
    again: float | None = None
    advice: Sequence[str] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.begun and set(self.done) >= set(self.steps)

    def lines(self) -> Generator[str]:
        """For people."""
        yield f"Stack {self.stack}, {self.kind}{' (dry run: nothing is changed)' if self.dry else ''}"
        for name, title in self.steps.items():
            yield f"  {'done' if name in self.done else '-':<5} {name:<9} {title}"
        if not self.begun and not self.dry:
            yield "no rotation is under way: nothing to finish"
        if self.pause:
            yield self.pause
        yield from self.advice

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "stack": self.stack,
            "ok": True,
            "kind": self.kind,
            "dryRun": self.dry,
            "begun": self.begun,
            "finished": self.finished,
            "steps": [{"name": name, "title": title, "done": name in self.done} for name, title in self.steps.items()],
            "pause": self.pause or None,
            "again": None if self.again is None else datetime.fromtimestamp(self.again, UTC).isoformat(),
            "advice": list(self.advice),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Takes a rotation through its steps. `dry` only looks; `finish` goes on with one, and never begins one."""

    stack: str
    settings: Settings
    say: Say
    dry: bool = False
    finish: bool = False

    def run(self, rotation: Rotation) -> Report:
        """Go on from wherever an earlier run came to; begin when there is nothing to go on with.

        Raises UnfinishedError when a person has to do something first; the same command then goes on.
        """
        state = notes.load(self.settings, rotation.kind)
        if self.dry or (state is None and self.finish):
            return self._report(rotation, state)
        if state is None:
            self.say("looking whether a rotation may begin")
            state = State(kind=rotation.kind, data=dict(rotation.begin()))
            notes.save(self.settings, state)
        else:
            state = rotation.resumed(state)
        return self._steps(rotation, state)

    def _steps(self, rotation: Rotation, state: State) -> Report:
        for step in rotation.steps(state):
            if step.name in state.done:
                continue
            self.say(f"{step.name}: {step.title}")
            try:
                learnt = step.do(state)
            except Pause as pause:
                return replace(self._report(rotation, state), pause=str(pause), again=pause.again)
            state = state.with_done(step.name, learnt)
            notes.save(self.settings, state)
        notes.forget(self.settings, rotation.kind)
        return self._report(rotation, state)

    def _report(self, rotation: Rotation, state: State | None) -> Report:
        return Report(
            stack=self.stack,
            kind=rotation.kind,
            dry=self.dry,
            begun=state is not None,
            steps={step.name: step.title for step in rotation.steps(state)},
            done=() if state is None else state.done,
            advice=() if state is None or self.dry else rotation.advice(state),
        )
