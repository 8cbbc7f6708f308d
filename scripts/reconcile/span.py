"""How far to look back: what a person writes, and the pieces that a run can take (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.errors import UsageError

MINUTE, HOUR, DAY = 60, 3600, 86_400
UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
#: What the function takes at most.
LONGEST_SECONDS = 30 * DAY


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A part of the time before now, from `since` to `until`, in seconds ago; `until` 0 is now."""

    since: int
    until: int


def seconds(text: str, command: str = "reconcile", *, option: str = "--since", longest: int = LONGEST_SECONDS) -> int:
    """Seconds of `90m`, `24h`, `7d`, up to `longest`.

    Raises UsageError for anything else, with an example of `command`.
    """
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    length = int(found[1]) * UNITS[found[2]] if found else 0
    if not 0 < length <= longest:
        rule = f"a number and its unit (m, h or d), up to {longest // DAY}d"
        raise UsageError(f"{option}: {rule}; got {text!r}. For example: callrec {command} {option} 24h")
    return length


def pieces(length: int) -> Iterator[Piece]:
    """Days, the newest first: a run has no time to compare more calls than a busy practice has in some days."""
    for until in range(0, length, DAY):
        yield Piece(since=min(until + DAY, length), until=until)


def words(length: int) -> str:
    """A length as a person writes it, in the largest unit that divides it."""
    unit, size = next(item for item in reversed(UNITS.items()) if length % item[1] == 0)
    return f"{length // size}{unit}"
