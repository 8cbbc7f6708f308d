"""Recordings that somebody should look at: told in the log and counted, so that an alarm can ring."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from .log import log, metric
from .messages import Message
from .recording import Recording


@dataclass(slots=True, kw_only=True)
class Alarms:
    """Those of one batch: each is told at first sight, and once more when it is over after waiting.

    Twice rather than never: the first receive may have ended before it came so far.
    """

    function: str
    _seen: list[tuple[Message, Recording]] = field(default_factory=list[tuple[Message, Recording]])

    def see(self, message: Message, recording: Recording) -> None:
        """Tell of a recording that is first heard of."""
        if recording.alert is None:
            return
        if message.receive_count == 1:
            self._tell(recording)
        else:
            self._seen.append((message, recording))

    def conclude(self, returned: Collection[str]) -> None:
        """Tell of those that waited before, and do not come again. `returned`: ids of messages that do."""
        for message, recording in self._seen:
            if message.id not in returned:
                self._tell(recording)

    def _tell(self, recording: Recording) -> None:
        log("error", "recording_failed", egress=recording.egress_id, reason=recording.alert)
        metric(self.function, "recording_failed", reason=recording.alert)
