"""How letters are shown: a table for people, rows for JSON. Never a body."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.dead_letters.letter import Letter, ago
from scripts.dead_letters.listing import Listing
from scripts.dead_letters.reasons import explained

# Where the output is a file or a pipe there is no width to keep to; this keeps a letter on one line.
PIPE_WIDTH = 160
COLUMNS = ("age", "event", "egress id", "room", "room id", "happened (UTC)")


def output() -> Console:
    """A console on stdout."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def ordered(letters: Iterable[Letter]) -> list[Letter]:
    """By reason, the commonest first; of one reason the oldest first."""
    known = list(letters)
    counts = Counter(letter.reason for letter in known)
    return sorted(known, key=lambda letter: (-counts[letter.reason], letter.reason, letter.given_up_at, letter.id))


def table(*first: str) -> Table:
    """An empty table: the columns `first`, then those that `cells` fills."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in (*first, *COLUMNS):
        made.add_column(name, overflow="fold")
    return made


def text(value: str | None) -> Text:
    """A cell. Names come from outside: whatever could steer a terminal is left out."""
    if value is None:
        return Text("-")
    return Text("".join(sign if sign.isprintable() else "\ufffd" for sign in value))


def cells(letter: Letter, now: float) -> list[Text]:
    """The cells of a letter's COLUMNS."""
    about = letter.about
    happened = f"{about.happened_at:%Y-%m-%d %H:%M:%S}" if about.happened_at else None
    values = (ago(letter.age(now)), about.event, about.egress_id, about.room_name, about.room_id, happened)
    return [text(value) for value in values]


def totals(letters: Iterable[Letter]) -> list[str]:
    """A line a reason: how many, what it means, and what mends it."""
    counts = Counter(letter.reason for letter in ordered(letters))
    width = max(map(len, counts), default=0)
    return [
        f"{count:5}  {text(code).plain:{width}}  {explained(code).meaning}. Mend: {explained(code).mend}"
        for code, count in counts.items()
    ]


def closing(listing: Listing, now: float) -> list[str]:
    """The last lines: how many, until when they last, and whether that is all."""
    lines: list[str] = []
    if listing.letters:
        oldest = max(letter.age(now) for letter in listing.letters)
        left = max(listing.retention_s - oldest, 0.0)
        lines.append(
            f"{len(listing.letters)} given up, the oldest {ago(oldest)} ago: SQS deletes it for ever in {ago(left)}"
        )
    if not listing.complete:
        lines.append(_incomplete(listing))
    return lines


def row(letter: Letter, now: float) -> dict[str, Any]:
    """A letter in a JSON document; times in ISO 8601, UTC."""
    about = letter.about
    return {
        "id": letter.id,
        "reason": letter.reason,
        "detail": letter.detail,
        "givenUpAt": datetime.fromtimestamp(letter.given_up_at, UTC).isoformat(),
        "ageSeconds": round(letter.age(now)),
        "event": about.event,
        "egressId": about.egress_id,
        "roomName": about.room_name,
        "roomId": about.room_id,
        "happenedAt": about.happened_at.isoformat() if about.happened_at else None,
    }


def document(stack: str, listing: Listing, now: float | None = None) -> dict[str, Any]:
    """The JSON document of `callrec dlq`."""
    moment = time.time() if now is None else now
    letters = ordered(listing.letters)
    counts = Counter(letter.reason for letter in letters)
    return {
        "stack": stack,
        "ok": not letters and not listing.count,
        "count": max(len(letters), listing.count),
        "complete": listing.complete,
        "retentionSeconds": round(listing.retention_s),
        "reasons": [
            {"reason": code, "count": count, "meaning": explained(code).meaning, "mend": explained(code).mend}
            for code, count in counts.items()
        ],
        "letters": [row(letter, moment) for letter in letters],
    }


def _incomplete(listing: Listing) -> str:
    if listing.cut_short:
        return f"There may be more: reading was ended after {len(listing.letters)}. Redrive these first"
    return (
        f"There may be more: SQS counts {listing.count}. What somebody else reads just now shows up within 10 minutes, "
        "and of one room at most ten letters can be seen at a time"
    )
