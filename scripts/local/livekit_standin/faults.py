"""Faults on demand: what a LiveKit that misbehaves does to a request.

Fault(outcome=Outcome.STATUS, status=503, delay_seconds=22)       a time-out inside LiveKit
Fault(outcome=Outcome.NO_EGRESS, times=None)                      no egress service runs, until it is switched off
Fault(outcome=Outcome.ENDLESS, methods=frozenset({"CreateRoom"})) what this starts becomes active, and its host goes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from scripts.local.faults_on import FaultsOn

from . import errors
from .exchange import Answer, refused

_UNAVAILABLE = 503


class Outcome(StrEnum):
    """How the request ends for the client."""

    ANSWER = "answer"  # the true answer, after the delay
    STATUS = "status"  # an error status
    CLOSE = "close"  # the connection closes without an answer
    NO_EGRESS = "no_egress"  # the true answer of a LiveKit without an egress service
    ENDLESS = "endless"  # the true answer; an egress that it starts stays active for ever


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A fault and the requests it befalls: methods by name ("ListEgress"), None for any; times None while it is on.

    `delay_seconds` passes before the outcome, scaled as all of the stand-in's time. `applied`: the request is carried
    out nevertheless, and only its answer is lost.
    """

    outcome: Outcome
    status: int = _UNAVAILABLE
    delay_seconds: float = 0.0
    applied: bool = False
    times: int | None = 1
    methods: frozenset[str] | None = None

    @property
    def carries_out(self) -> bool:
        """Whether the request takes effect."""
        return self.applied or self.outcome not in (Outcome.STATUS, Outcome.CLOSE)

    def error(self) -> Answer:
        """The answer of a STATUS fault; a status that Twirp has no code for comes in plain text, as from a proxy."""
        code = errors.CODE_OF_STATUS.get(self.status)
        text = "the stand-in was told to fail"
        return refused(errors.plain(self.status, text) if code is None else errors.twirp(code, text))


class Faults(FaultsOn[Fault]):
    """The faults that are on, oldest first; the first that befalls a request is the one."""

    def take(self, method: str) -> Fault | None:
        """The fault that befalls this request, used up by one."""
        return self.take_first(lambda fault: fault.methods is None or method in fault.methods)


def fault_of(given: Mapping[str, Any]) -> Fault:
    """A fault from JSON with the attribute names as keys; ValueError names what is wrong."""
    known = set(Fault.__dataclass_fields__)
    if unknown := given.keys() - known:
        raise ValueError(f"a fault has no {sorted(unknown)[0]!r}; it has {', '.join(sorted(known))}")
    status, delay, times = given.get("status", _UNAVAILABLE), given.get("delay_seconds", 0), given.get("times", 1)
    if not isinstance(status, int) or not isinstance(delay, int | float) or not isinstance(times, int | None):
        raise ValueError("status and times are whole numbers (times may be null), delay_seconds is a number")  # noqa: TRY004
    methods = given.get("methods")
    if methods is not None and not isinstance(methods, list):
        raise ValueError("methods is a list of names")
    return Fault(
        outcome=Outcome(str(given.get("outcome"))),
        status=status,
        delay_seconds=float(delay),
        applied=bool(given.get("applied", False)),
        times=times,
        methods=None if methods is None else frozenset(map(str, cast("list[Any]", methods))),
    )
