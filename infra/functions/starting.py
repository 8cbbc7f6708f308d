"""The starts of recordings in one batch of events, beside the deliveries of the same batch.

LiveKit is asked in a thread of its own while deliveries go on: neither waits for the other's service. Both end in the
batch's verdicts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from . import livekit_egress
from .errors import WaitError
from .livekit_egress import Answer, Outcome, Recorder
from .livekit_webhook import Event
from .log import fault, log, metric
from .messages import Batch, Message
from .start_policy import Policy, Skip, Start, decide

_MISSED = (Outcome.FAILED, Outcome.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Which rooms are recorded, and by whom; a WaitError when the secret does not hold what recording takes."""

    policy: Policy
    recorder: Recorder | WaitError


class Starting:
    """The starts of one batch: add its events, begin, and conclude when everything else is done."""

    def __init__(self, starter: Starter | None, function: str) -> None:
        """None: this installation starts no recordings."""
        self._starter = starter
        self._function = function
        self._wanted: list[tuple[Message, Start]] = []
        self._answers: dict[str, Answer | WaitError] = {}
        self._thread: threading.Thread | None = None

    def add(self, message: Message, event: Event, now: float) -> None:
        """See whether this event starts a recording. `now` in unix seconds."""
        if self._starter is None:
            return
        found = decide(event, self._starter.policy, sent_at=message.sent_at, now=now)
        if isinstance(found, Start):
            self._wanted.append((message, found))
        elif found is Skip.TOO_LATE:
            self._missed(message, found)
        elif found in (Skip.NOT_COVERED, Skip.METADATA):
            log("info", "not_recorded", message=message.id, reason=found)

    def begin(self) -> None:
        """Ask LiveKit, without waiting for it."""
        if self._wanted and self._starter is not None:
            self._thread = threading.Thread(target=self._ask, args=(self._starter.recorder,), daemon=True)
            self._thread.start()

    def conclude(self, batch: Batch) -> None:
        """Wait for LiveKit; what it could not do yet fails, to come again."""
        if self._thread is None:
            return
        self._thread.join()
        failed = {message.id for message, error in batch.verdicts() if error is not None}
        reported: set[str] = set()
        for message, start in self._wanted:
            answer = self._answers[start.room_id]
            if isinstance(answer, WaitError):
                if message.id not in failed:
                    batch.fail(message, answer)
            elif start.room_id not in reported:
                self._report(message, start, answer)
            reported.add(start.room_id)

    def _ask(self, recorder: Recorder | WaitError) -> None:
        starts = [start for _, start in self._wanted]
        if isinstance(recorder, WaitError):
            self._answers = dict.fromkeys((start.room_id for start in starts), recorder)
            return
        try:
            self._answers = dict(livekit_egress.start_all(recorder, starts))
        except Exception as error:  # noqa: BLE001  # a fault of ours: later, a mended version may do it
            log("error", "start_failed", error=fault(error))
            failed = WaitError("fault", "an unexpected error, see the function's log")
            self._answers = dict.fromkeys((start.room_id for start in starts), failed)

    def _report(self, message: Message, start: Start, answer: Answer) -> None:
        if answer.outcome is Outcome.STARTED:
            log("info", "recording_started", message=message.id, egress=answer.egress_id)
            metric(self._function, "recording_started")
        elif answer.outcome in _MISSED and not (start.again and answer.outcome is Outcome.GONE):
            self._missed(message, answer.outcome)
        else:
            log("info", "not_started", message=message.id, reason=answer.outcome)

    def _missed(self, message: Message, reason: Skip | Outcome) -> None:
        log("warning", "start_missed", message=message.id, reason=reason)
        metric(self._function, "start_missed", reason=reason)
