"""A snapshot as people and programs read it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scripts.dead_letters.letter import ago
from scripts.dead_letters.report import text
from scripts.status.recordings import Recording
from scripts.status.snapshot import Queue, Reconciled, Snapshot, Waiting

# Of what a run of reconcile counted, what says that something was lost.
FOUND = ("missing", "enqueued", "stuck", "unwanted", "without_recording")


def shown(snapshot: Snapshot) -> RenderableType:
    """For people."""
    moment = datetime.fromtimestamp(snapshot.at, UTC)
    parts: list[RenderableType] = [Text(f"Stack {snapshot.stack}, {moment:%Y-%m-%d %H:%M:%S} UTC", style="bold")]
    if snapshot.recordings is None and "livekit" not in snapshot.unknown:
        parts.append(Text("the stack knows no LiveKit (livekitUrl is not set)"))
    if snapshot.recordings is not None:
        parts += [_running(snapshot), _ended(snapshot)]
    parts += [Text(line) for line in _lines(snapshot)]
    parts += [Text(f"! {line}", style="yellow") for line in snapshot.warnings]
    parts += [Text(f"! {line}", style="red") for line in snapshot.attention]
    return Group(*parts)


def document(snapshot: Snapshot) -> dict[str, Any]:
    """For programs; times in ISO 8601, UTC. A part that could not be asked is null."""
    recordings = snapshot.recordings
    return {
        "stack": snapshot.stack,
        "ok": not snapshot.attention,
        "at": _iso(snapshot.at),
        "recording": None if recordings is None else [_row(one, snapshot) for one in recordings.running],
        "recorded": None if recordings is None else [_row(one, snapshot) for one in recordings.ended],
        "queue": _depth(snapshot.queue),
        "deadLetters": _depth(snapshot.dead_letters),
        "waiting": _waiting(snapshot.waiting),
        "reconcile": _reconcile(snapshot.reconciled, snapshot.at),
        "warnings": list(snapshot.warnings),
        "attention": snapshot.attention,
    }


def link(one: Recording, snapshot: Snapshot) -> str:
    """Whether the recording's link is where it belongs, as far as `deliver` logged within a day."""
    if snapshot.linked is None:
        return "unknown"
    if one.egress_id in snapshot.linked:
        return "written" if one.size is not None else "told"
    return "not yet" if one.size is not None else "no file"


def _running(snapshot: Snapshot) -> RenderableType:
    running = () if snapshot.recordings is None else snapshot.recordings.running
    if not running:
        return Text("recording now: nothing")
    made = _table("recording now", "for", "status", "egress id", "room id")
    for one in running:
        age = "-" if one.started_at is None else ago(snapshot.at - one.started_at)
        made.add_row(text(one.room_name), age, one.status, text(one.egress_id), text(one.room_id))
    return made


def _ended(snapshot: Snapshot) -> RenderableType:
    ended = () if snapshot.recordings is None else snapshot.recordings.ended
    if not ended:
        return Text("recorded lately: nothing that LiveKit still knows")
    made = _table("recorded lately", "ended", "outcome", "length", "size", "link", "egress id")
    for one in ended:
        code = f" {one.error_code}" if one.error_code else ""
        good = one.size is not None
        made.add_row(
            text(one.room_name),
            "-" if one.ended_at is None else f"{ago(snapshot.at - one.ended_at)} ago",
            Text(f"{one.status}{code}", style="" if good else "red"),
            "-" if one.duration is None else f"{one.duration:.0f} s",
            "-" if one.size is None else f"{one.size / 1e6:.1f} MB",
            Text(link(one, snapshot), style="yellow" if link(one, snapshot) == "not yet" else ""),
            text(one.egress_id),
        )
    return made


def _lines(snapshot: Snapshot) -> Generator[str]:
    if snapshot.queue is not None:
        yield f"queue: {snapshot.queue.waiting} to do, {snapshot.queue.held} being done or waiting for another try"
    if snapshot.waiting is not None and snapshot.waiting.oldest_s is not None:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(snapshot.waiting.reasons.items()))
        yield f"not done yet: {reasons}; the oldest for {ago(snapshot.waiting.oldest_s)} at least"
    if snapshot.dead_letters is not None:
        yield f"dead letters: {snapshot.dead_letters.depth}"
    if snapshot.reconciled is not None:
        yield _last_run(snapshot.reconciled, snapshot.at)


def _last_run(run: Reconciled, now: float) -> str:
    if run.at is None:
        return "reconcile: no run within a day"
    found = ", ".join(f"{run.counts[name]} {name.replace('_', ' ')}" for name in FOUND if run.counts.get(name))
    return f"reconcile: {ago(now - run.at)} ago; {found or 'nothing was missing'}"


def _table(*columns: str) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(name, overflow="fold")
    return made


def _row(one: Recording, snapshot: Snapshot) -> dict[str, Any]:
    age = None if one.started_at is None else round(snapshot.at - one.started_at)
    row: dict[str, Any] = {
        "egressId": one.egress_id,
        "roomName": one.room_name,
        "roomId": one.room_id,
        "status": one.status,
        "startedAt": _iso(one.started_at),
    }
    if one.ended_at is None:
        return row | {"ageSeconds": age}
    return row | {
        "endedAt": _iso(one.ended_at),
        "errorCode": one.error_code or None,
        "durationSeconds": one.duration,
        "sizeBytes": one.size,
        "link": link(one, snapshot),
    }


def _depth(queue: Queue | None) -> dict[str, int] | None:
    return None if queue is None else {"waiting": queue.waiting, "held": queue.held}


def _waiting(waiting: Waiting | None) -> dict[str, Any] | None:
    if waiting is None:
        return None
    oldest = None if waiting.oldest_s is None else round(waiting.oldest_s)
    return {"reasons": dict(waiting.reasons), "oldestSecondsAtLeast": oldest}


def _reconcile(run: Reconciled | None, now: float) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "at": _iso(run.at),
        "ageSeconds": None if run.at is None else round(now - run.at),
        "overdue": run.overdue,
        "counts": dict(run.counts),
        "problems": [code for code in run.problems.split(",") if code],
    }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()
