"""The conversations' table for commands: the functions' own reading of it, at a pace beside theirs, and patient."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from infra.functions.airtable import LOCKOUT_SECONDS, Conversations, connect
from infra.functions.errors import DeliveryError, WaitError
from infra.functions.settings import AirtableSettings
from scripts.deployment import Deployment
from scripts.errors import StackError

T = TypeVar("T")

#: As `reconcile`: one request in two seconds leaves `deliver` its four of Airtable's five a second.
INTERVAL_SECONDS = 2.0
TRIES = 8
_PASSING = frozenset({"airtable_throttled", "airtable_unavailable"})


class PatientConversations(Conversations):
    """Waits and asks again when Airtable locks us out or does not answer; `tell` hears of it."""

    def __init__(
        self,
        settings: AirtableSettings,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """No request is made."""
        super().__init__(connect(settings), settings, clock, sleep)
        self._tell = tell

    def _call(self, request: Callable[[], T], *, by_schema: bool = False) -> T:
        for left in range(TRIES, 0, -1):
            try:
                return super()._call(request, by_schema=by_schema)
            except WaitError as wait:
                if wait.reason not in _PASSING or left == 1:
                    raise
                seconds = wait.delay or LOCKOUT_SECONDS
                self._tell(f"{wait.text}: again in {seconds:.0f} s")
                self._sleep(seconds)
        raise AssertionError("the last try returns or raises")


def conversations(deployment: Deployment, tell: Callable[[str], None]) -> PatientConversations:
    """The stack's table, with the token of its configuration; no request is made yet."""
    place = deployment.outputs.airtable
    settings = AirtableSettings(
        url=place.url, base=place.base, table=place.table, fields=place.fields, interval_s=INTERVAL_SECONDS
    )
    made = PatientConversations(settings, tell)
    made.use_token(deployment.config["airtableToken"])
    return made


@contextmanager
def airtable_errors() -> Generator[None]:
    """Raises StackError for what Airtable refuses, with the command that shows the cause."""
    try:
        yield
    except DeliveryError as error:
        raise StackError(f"Airtable: {error.text} ({error.reason}). See why: callrec verify") from None
