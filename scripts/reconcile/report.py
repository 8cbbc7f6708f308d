"""What `callrec reconcile` says: a table of counts with the details under it, or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.dead_letters.report import text
from scripts.reconcile.answer import LISTS, Answer, Item
from scripts.reconcile.problems import SKIPPED, explained

# Of each list so many are shown to a person; JSON has all that the function told.
MOST_SHOWN = 50

ROWS: Mapping[str, tuple[str, str]] = {
    "told": ("recordings", "a conversation tells of them"),
    "waiting": ("recordings", "not told yet, still within their time"),
    "missing": ("recordings", "no conversation tells of them"),
    "enqueued": ("recordings", "put on the queue again, for deliver"),
    "stuck": ("egresses", "LiveKit says they run, but their room is gone"),
    "unwanted": ("objects", "no conversation wants them"),
    "without_recording": ("conversations", "their recording is nowhere"),
    "running": ("egresses", "recording now"),
    "conversations": ("conversations", "compared"),
    "foreign": ("egresses", "of another bucket, or without a file"),
    "unreadable": ("egresses", "LiveKit says less of them than callrec needs"),
    "arrivals": ("objects", "announced by the bucket and looked at"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A list of an answer as a person sees it: a title, what to do about it, and columns by the answer's names."""

    title: str
    advice: str
    columns: Mapping[str, str]


_RECORDING = {"egress": "egress id", "room": "room", "ended": "ended (UTC)", "status": "status", "enqueued": "queued"}
SECTIONS: Mapping[str, Section] = {
    "missing": Section(
        title="Missing: no conversation tells of them",
        advice="deliver now looks for their conversations, as after a webhook. What it cannot place: callrec dlq",
        columns=_RECORDING,
    ),
    "stuck": Section(
        title="Stuck: LiveKit says they run, but their room is gone",
        advice="Their conversations get a status that says so. See to LiveKit's egress service: it lost a recorder",
        columns=_RECORDING,
    ),
    "unwanted": Section(
        title="Unwanted: objects under the prefix that no conversation wants",
        advice="Somebody uploaded something else, or a call has no conversation: make it, with the room's id or name",
        columns={"key": "key", "version": "version", "size": "bytes", "arrived": "arrived (UTC)"},
    ),
    "without_recording": Section(
        title="Conversations whose recording is nowhere",
        advice="Was the call to be recorded at all? LiveKit's egress list and deliver's log say what became of it",
        columns={"record": "record", "started": "began (UTC)"},
    ),
}


def show(answer: Answer, console: Console, *, dry_run: bool) -> None:
    """Print counts, details and problems."""
    console.print(_counts(answer))
    for name, section in SECTIONS.items():
        if answer.lists[name]:
            _section(name, section, answer, console, dry_run=dry_run)
    for line in _notes(answer):
        console.print(line, markup=False, soft_wrap=True)
    console.print(closing(answer, dry_run=dry_run), markup=False, soft_wrap=True)


def closing(answer: Answer, *, dry_run: bool) -> str:
    """The last line."""
    asked = ", ".join(f"{count} {name}" for name, count in sorted(answer.requests.items()))
    requests = f"; requests: {asked}" if asked else ""
    if dry_run:
        return f"dry run: nothing was put on the queue{requests}"
    return f"{'something is left to look at' if answer.left else 'nothing is left to do'}{requests}"


def document(stack: str, answer: Answer, *, dry_run: bool, since: int) -> dict[str, Any]:
    """For programs; `since` in seconds."""
    return {
        "stack": stack,
        "ok": not answer.left,
        "dryRun": dry_run,
        "sinceSeconds": since,
        "counts": dict(answer.counts),
        "requests": dict(answer.requests),
        **{_camel(name): [dict(item) for item in answer.lists[name]] for name in LISTS},
        "problems": [
            {"code": code, "meaning": explained(code).meaning, "mend": explained(code).mend} for code in answer.problems
        ],
        "skipped": list(answer.skipped),
    }


def _counts(answer: Answer) -> Table:
    """Every count that says something; those that a person waits for also when they are none."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(justify="right")
    made.add_column()
    made.add_column(overflow="fold")
    for name, (of, meaning) in ROWS.items():
        count = answer.counts.get(name, 0)
        if count or name in ("told", *LISTS):
            style = "yellow" if count and name in ("stuck", "unwanted", "without_recording") else ""
            made.add_row(Text(f"{count:,}", style=style), Text(of), Text(meaning))
    return made


def _section(name: str, section: Section, answer: Answer, console: Console, *, dry_run: bool) -> None:
    items = answer.lists[name]
    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in section.columns.values():
        made.add_column(title, overflow="fold")
    for item in items[:MOST_SHOWN]:
        made.add_row(*(_cell(item, column) for column in section.columns))
    console.print()
    console.print(section.title, style="bold", markup=False)
    console.print(made)
    if more := max(answer.counts.get(name, 0), len(items)) - len(items[:MOST_SHOWN]):
        console.print(f"… and {more:,} more; callrec reconcile --json has up to 1,000 of each day", markup=False)
    if not (dry_run and name == "missing"):
        console.print(section.advice, markup=False, soft_wrap=True)


def _cell(item: Item, column: str) -> Text:
    value = item.get(column)
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if column in ("ended", "arrived", "started"):
        return text(_moment(value))
    return text(None if value is None else str(value))


def _moment(value: object) -> str | None:
    try:
        return f"{datetime.fromisoformat(str(value)).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return None


def _notes(answer: Answer) -> Iterator[str]:
    if answer.problems or answer.skipped:
        yield ""
    for code in answer.problems:
        yield f"problem {code}: {explained(code).meaning}. Mend: {explained(code).mend}"
    for code in answer.skipped:
        yield f"not done: {SKIPPED.get(code, code)}"
    if any(answer.lists.values()) or answer.problems or answer.skipped:
        yield ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
