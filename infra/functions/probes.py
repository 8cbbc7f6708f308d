"""What `callrec verify` makes in a room is removed by it: nobody is to look for it afterwards."""

from __future__ import annotations

MARK = "callrec-verify"
#: `callrec verify` waits so long at most for what it makes: a minute, and the longest settleSeconds.
LONGEST_SECONDS = 6 * 3600 + 600


def is_probe(room_name: str | None) -> bool:
    """Whether this room is one of `callrec verify`'s."""
    return room_name is not None and room_name.startswith(f"{MARK}-")


def is_over(room_name: str | None, reason: str, age: float) -> bool:
    """Whether an event that waits for this reason is of a probe that is removed by now; `age` in seconds."""
    return is_probe(room_name) and reason in ("no_conversation", "recording_missing") and age > LONGEST_SECONDS
