"""Recordings that somebody should look at: told in the log and counted, so that an alarm can ring."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from .log import log, metric
from .messages import Message
from .recording import Recording

#: A call on which nobody published sound: most often somebody hung up at once. It happens daily where many people call,
#: so it is counted apart, and rings no alarm.
NOBODY = "nobody_joined"


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
        if recording.alert == NOBODY:
            log("info", "nobody_spoke", egress=recording.egress_id)
            metric(self.function, "nobody_spoke")
            return
        log("error", "recording_failed", egress=recording.egress_id, reason=recording.alert)
        metric(self.function, "recording_failed", reason=recording.alert)
