"""The conversations' table for commands: the functions' own reading of it, at a pace beside theirs, and patient."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from infra.functions.airtable import LOCKOUT_SECONDS, Airtable, connect
from infra.functions.conversations import Conversations
from infra.functions.errors import DeliveryError, WaitError
from infra.functions.settings import AirtableSettings
from scripts.deployment import Deployment
from scripts.errors import StackError

T = TypeVar("T")

#: As `reconcile`; beside both at their busiest this may be one too many for Airtable, and then waits (Patience).
INTERVAL_SECONDS = 2.0
TRIES = 8
_PASSING = frozenset({"airtable_throttled", "airtable_unavailable"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Waits and asks again when Airtable locks us out or does not answer; `tell` hears of it."""

    tell: Callable[[str], None]
    sleep: Callable[[float], None]

    def __call__(self, request: Callable[[], T], /) -> T:
        """What the request returned; raises what is no passing trouble, or what lasted through every try."""
        for left in range(TRIES, 0, -1):
            try:
                return request()
            except WaitError as wait:
                if wait.reason not in _PASSING or left == 1:
                    raise
                seconds = wait.delay or LOCKOUT_SECONDS
                self.tell(f"{wait.text}: again in {seconds:.0f} s")
                self.sleep(seconds)
        raise AssertionError("the last try returns or raises")


def patient(
    settings: AirtableSettings,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Conversations:
    """The table, asked until Airtable answers; no request is made yet."""
    patience = Patience(tell=tell, sleep=sleep)
    return Conversations(Airtable(connect(settings), settings, clock, sleep, patience))


def conversations(deployment: Deployment, tell: Callable[[str], None]) -> Conversations:
    """The stack's table, with the token of its configuration; no request is made yet."""
    place = deployment.outputs.airtable
    settings = AirtableSettings(
        url=place.url, base=place.base, table=place.table, fields=place.fields, interval_s=INTERVAL_SECONDS
    )
    made = patient(settings, tell)
    made.airtable.use_token(deployment.config["airtableToken"])
    return made


@contextmanager
def airtable_errors() -> Generator[None]:
    """Raises StackError for what Airtable refuses, with the command that shows the cause."""
    try:
        yield
    except DeliveryError as error:
        raise StackError(f"Airtable: {error.text} ({error.reason}). See why: callrec verify") from None
