"""How far a rotation is (pure): kept as one secret in the stack's own configuration, so that any run can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scripts.errors import StackError

# Of the form of what is written.
VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A rotation that has begun: the steps that are done, and what was learnt on the way; that may be secret."""

    kind: str
    done: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def with_done(self, step: str, learnt: Mapping[str, str]) -> State:
        """One step further."""
        return replace(self, done=(*self.done, step), data={**self.data, **learnt})

    def without(self, *steps: str) -> State:
        """These steps are to be done again."""
        return replace(self, done=tuple(step for step in self.done if step not in steps))

    def moment(self, name: str) -> float:
        """Unix seconds of something that was noted."""
        return float(self.data[name])

    def written(self) -> str:
        """As JSON; holds secrets."""
        return json.dumps({str(VERSION): {"done": list(self.done), "data": dict(self.data)}})


def read(kind: str, text: str) -> State | None:
    """What `written` wrote, None for nothing.

    Raises StackError for what another version wrote, or somebody edited.
    """
    if not text:
        return None
    try:
        document: Any = json.loads(text)[str(VERSION)]
        done = tuple(map(str, document["done"]))
        return State(kind=kind, done=done, data={str(name): str(value) for name, value in document["data"].items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(
            f"how far the rotation of {kind} is cannot be read ({type(error).__name__}): it was written by another "
            "version of callrec, or edited. Go on with the version that wrote it"
        ) from None
