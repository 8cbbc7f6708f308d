"""Every letter of the dead-letter queue, read once and put back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.dead_letters.letter import Letter
from scripts.dead_letters.queue import Hold, depth, held, retention

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# A letter must stay hidden until the last one is read. A killed command hides them for this long.
HOLD_SECONDS = 600
LONGEST_SECONDS = 480.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What lies in the queue: `letters` could be read, `count` is what SQS says there is.

    `cut_short`: reading took too long and was ended. `retention_s`: the queue deletes a letter when it is that old.
    """

    letters: tuple[Letter, ...]
    count: int
    cut_short: bool
    retention_s: float

    @property
    def complete(self) -> bool:
        """Whether nothing says that a letter is missing here."""
        return not self.cut_short and len(self.letters) >= self.count


def read(sqs: SQSClient, url: str, say: Say, clock: Callable[[], float] = time.monotonic) -> Listing:
    """Read every letter; the queue is as before when this returns or raises."""
    expected = depth(sqs, url)
    lifetime = retention(sqs, url)
    with held(sqs, url, HOLD_SECONDS) as hold:
        cut_short = not _read(hold, expected, say, clock)
        count = depth(sqs, url)  # while they are held: what came or went meanwhile is counted too
        say("putting them back")
        letters = tuple(hold.letters.values())
    return Listing(letters=letters, count=count, cut_short=cut_short, retention_s=lifetime)


def _read(hold: Hold, expected: int, say: Say, clock: Callable[[], float]) -> bool:
    """False when the time is over before the end of the queue."""
    until = clock() + LONGEST_SECONDS
    while hold.take():
        say(f"{len(hold.letters)} of about {max(expected, len(hold.letters))} read")
        if clock() > until:
            return False
    return True
