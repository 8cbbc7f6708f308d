"""Faults on demand: what an Airtable that misbehaves does to a request.

A fault either comes before the request is carried out, or (`applied`) after: the write is done but its answer is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from scripts.local.faults_on import FaultsOn

from .exchange import Answer, Kind
from .json_value import Json, is_number

_UNAVAILABLE = 503


class Outcome(StrEnum):
    """How the request ends for the client."""

    ANSWER = "answer"  # the true answer, after the delay
    STATUS = "status"  # an error status
    CLOSE = "close"  # the connection closes without an answer
    HALF = "half"  # headers promise more than is sent, then the connection closes


_STATUS_BODIES: dict[int, tuple[str, str]] = {
    429: ("RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later"),
    500: ("SERVER_ERROR", "The server encountered an unexpected condition"),
    502: ("BAD_GATEWAY", "Airtable's servers are restarting or an unexpected outage is in progress"),
    503: (
        "RETRIABLE_ERROR",
        "Server encountered an error while processing your request, and it is safe to retry the request",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A fault and the requests it befalls: None for methods, kinds or path means any; times None means while it is on.

    `path` is a part of the request's path (percent-encoded); `delay_seconds` passes before the outcome.
    """

    outcome: Outcome
    status: int = _UNAVAILABLE
    delay_seconds: float = 0.0
    applied: bool = False
    times: int | None = 1
    methods: frozenset[str] | None = None
    kinds: frozenset[Kind] | None = None
    path: str | None = None

    def befalls(self, method: str, kind: Kind, path: str) -> bool:
        """Whether such a request suffers this fault."""
        return (
            (self.methods is None or method in self.methods)
            and (self.kinds is None or kind in self.kinds)
            and (self.path is None or self.path in path)
        )

    @property
    def carries_out(self) -> bool:
        """Whether the request takes effect."""
        return self.applied or self.outcome is Outcome.ANSWER

    def error(self) -> Answer:
        """The answer of a STATUS fault."""
        kind, message = _STATUS_BODIES.get(self.status, ("SERVER_ERROR", "The stand-in was told to fail"))
        return Answer(status=self.status, body={"error": {"type": kind, "message": message}})


class Faults(FaultsOn[Fault]):
    """The faults that are on, oldest first; the first that befalls a request is the one."""

    def take(self, method: str, kind: Kind, path: str) -> Fault | None:
        """The fault that befalls this request, used up by one."""
        return self.take_first(lambda fault: fault.befalls(method, kind, path))


def fault_of(given: Mapping[str, Json]) -> Fault:
    """A fault from JSON with the attribute names as keys; ValueError names what is wrong."""
    known = set(Fault.__dataclass_fields__)
    if unknown := given.keys() - known:
        raise ValueError(f"a fault has no {sorted(unknown)[0]!r}; it has {', '.join(sorted(known))}")
    status, delay = given.get("status", _UNAVAILABLE), given.get("delay_seconds", 0)
    times, path = given.get("times", 1), given.get("path")
    if not isinstance(status, int) or not is_number(delay) or not isinstance(times, int | None):
        raise ValueError("status and times are whole numbers (times may be null), delay_seconds is a number")
    methods, kinds = _names(given, "methods"), _names(given, "kinds")
    return Fault(
        outcome=Outcome(str(given.get("outcome"))),
        status=status,
        delay_seconds=float(cast("float", delay)),
        applied=bool(given.get("applied", False)),
        times=times,
        methods=methods,
        kinds=None if kinds is None else frozenset(Kind(kind) for kind in kinds),
        path=None if path is None else str(path),
    )


def _names(given: Mapping[str, Json], key: str) -> frozenset[str] | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        raise ValueError(f"{key} is a list of names")  # noqa: TRY004 - the same kind of error as its neighbours
    return frozenset(str(name) for name in value)
