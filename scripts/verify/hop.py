"""One hop of the way: a probe that says what it saw, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import requests
from botocore.exceptions import BotoCoreError, ClientError


class Outcome(StrEnum):
    """What became of a hop."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    WARNING = "warning"


class Failed(Exception):  # noqa: N818 -- a verdict of a probe, not a fault of the program
    """The hop does not hold: what was seen, the likely cause, and the command to run next."""

    def __init__(self, seen: str, *, cause: str, mend: str) -> None:
        super().__init__(seen)
        self.seen, self.cause, self.mend = seen, cause, mend


class Skipped(Exception):  # noqa: N818 -- as above
    """The hop cannot be tried here, for the reason given; that is no failure."""


class Warned(Exception):  # noqa: N818 -- as above
    """The hop holds, and somebody should do something all the same: what, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """`probe` returns what it saw, or raises Failed, Skipped or Warned.

    `needs` are ids of hops without which it means nothing.
    Ids are `group.name`.
    """

    id: str
    title: str
    probe: Callable[[], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of one hop. `cause` and `mend` (the next command) are there for a failed one; holds no secret."""

    id: str
    title: str
    outcome: Outcome
    seen: str
    ms: int
    cause: str = ""
    mend: str = ""


OnStart = Callable[[Hop], None]
OnResult = Callable[[Result], None]


def run_all(hops: Iterable[Hop], *, on_start: OnStart, on_result: OnResult) -> list[Result]:
    """Try each hop in order, whatever became of those it does not need."""
    results: dict[str, Result] = {}
    for hop in hops:
        on_start(hop)
        results[hop.id] = _unmet(hop, results) or attempt(hop)
        on_result(results[hop.id])
    return list(results.values())


def attempt(hop: Hop) -> Result:
    """Try one hop. No fault of a probe ends the others: it is a failure of its own hop."""
    began = time.perf_counter()
    outcome, seen, cause, mend = _tried(hop.probe)
    ms = round((time.perf_counter() - began) * 1000)
    return Result(id=hop.id, title=hop.title, outcome=outcome, seen=seen, ms=ms, cause=cause, mend=mend)


def _unmet(hop: Hop, results: dict[str, Result]) -> Result | None:
    missing = [results[need] for need in hop.needs if results[need].outcome is not Outcome.OK]
    if not missing:
        return None
    first = missing[0]
    state = "failed" if first.outcome is Outcome.FAILED else "was not tried"
    return Result(id=hop.id, title=hop.title, outcome=Outcome.SKIPPED, seen=f"“{first.title}” {state}", ms=0)


def _tried(probe: Callable[[], str]) -> tuple[Outcome, str, str, str]:
    """Outcome, what was seen, cause, next command. Texts of errors stay out: they may quote links and keys."""
    try:
        return Outcome.OK, probe(), "", ""
    except Skipped as skipped:
        return Outcome.SKIPPED, str(skipped), "", ""
    except Warned as warned:
        return Outcome.WARNING, str(warned), "", ""
    except Failed as failed:
        return Outcome.FAILED, failed.seen, failed.cause, failed.mend
    except Exception as error:  # noqa: BLE001 -- see `attempt`
        return Outcome.FAILED, *_explained(error)


def _explained(error: Exception) -> tuple[str, str, str]:
    if isinstance(error, ClientError):
        cause = "AWS refuses this call to your own credentials, or what it asks for is not there"
        return f"{error.operation_name}: {code_of(error)}", cause, "aws sts get-caller-identity"
    if isinstance(error, BotoCoreError):
        return f"AWS did not answer ({type(error).__name__})", "AWS is not reachable from here", "callrec verify"
    if isinstance(error, requests.RequestException):
        return f"no usable answer ({type(error).__name__})", "the address is not reachable from here", "callrec verify"
    return f"unexpected {type(error).__name__}", "an answer that callrec does not know", "callrec verify --json"


def code_of(error: ClientError) -> str:
    """AWS's word for why it refused, e.g. `AccessDenied`."""
    return str(error.response.get("Error", {}).get("Code", "?"))
