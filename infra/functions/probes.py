"""What `callrec verify` makes in a room is removed by it: nobody is to look for it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import DeliveryError
    from .messages import Batch, Message
    from .recording import Recording

MARK = "callrec-verify"
#: `callrec verify` waits so long at most for what it makes: a minute, and the longest settleSeconds.
LONGEST_SECONDS = 6 * 3600 + 600


def is_probe(room_name: str | None) -> bool:
    """Whether this room is one of `callrec verify`'s."""
    return room_name is not None and room_name.startswith(f"{MARK}-")


def is_over(room_name: str | None, reason: str, age: float) -> bool:
    """Whether an event that waits for this reason is of a probe that is removed by now; `age` in seconds."""
    return is_probe(room_name) and reason in ("no_conversation", "recording_missing") and age > LONGEST_SECONDS


def fail_unless_over(batch: Batch, message: Message, recording: Recording, error: DeliveryError, now: float) -> None:
    """The message failed; of a probe that is gone nothing more is to be done. `now` in unix seconds."""
    if is_over(recording.room_name, error.reason, now - message.sent_at):
        batch.done(message)
    else:
        batch.fail(message, error)
