"""Where an instance can die: before, in or after each of its steps, by SIGKILL of its own process."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

#: Method of a boto3 client → the step it is.
AWS_STEPS = {
    "get_secret_value": "secret",
    "receive_message": "receive",
    "list_object_versions": "versions",
    "send_message": "bury",
    "change_message_visibility_batch": "postpone",
    "delete_message_batch": "delete",
}
STEPS = (*AWS_STEPS.values(), "schema", "list", "patch")
PHASES = ("before", "in", "after")
#: "in" a step: within this many (real) seconds after it began, or else right when it ended.
_MOST_IN_SECONDS = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Die at the `nth` time (from 1) that this point is reached."""

    step: str
    phase: str
    nth: int = 1
    chance: float = 0.0

    @classmethod
    def drawn(cls, rng: Random, step: str, phase: str) -> Death:
        """The moment within the step by chance."""
        return cls(step=step, phase=phase, nth=1, chance=rng.random())

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


class Steps:
    """Runs an instance's steps until the one at which it is to die, if any."""

    def __init__(self, death: Death | None) -> None:
        self._death = death
        self._left = death.nth if death else 0

    def take(self, step: str, run: Callable[[], T]) -> T:
        """Run a step, or die before, in or after it."""
        death = self._death
        if death is None or death.step != step:
            return run()
        self._left -= 1
        if self._left:
            return run()
        if death.phase == "before":
            _die(death)
        if death.phase == "in":
            timer = threading.Timer(death.chance * _MOST_IN_SECONDS, _die, [death])
            timer.daemon = True
            timer.start()
        try:
            return run()
        finally:
            _die(death)

    def client(self, made: Any) -> Any:
        """A boto3 client whose calls are steps."""
        return _Stepped(made, self)

    def session(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """`requests.Session.send` whose requests, all to Airtable, are steps."""

        def stepped(session: Any, request: Any, **more: Any) -> Any:
            step = {"PATCH": "patch"}.get(request.method, "schema" if "/meta/" in request.url else "list")
            return self.take(step, lambda: send(session, request, **more))

        return stepped


class _Stepped:
    def __init__(self, made: Any, steps: Steps) -> None:
        self._made, self._steps = made, steps

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._made, name)
        step = AWS_STEPS.get(name)
        return method if step is None else lambda **request: self._steps.take(step, lambda: method(**request))


def _die(death: Death) -> None:
    os.write(1, (json.dumps({"trace": "killed", "step": death.step, "phase": death.phase}) + "\n").encode())
    os.kill(os.getpid(), signal.SIGKILL)
