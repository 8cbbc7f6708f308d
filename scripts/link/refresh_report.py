"""What a refresh did, for people and for programs. Never a link."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.table import Table

from scripts.dead_letters.report import output, text
from scripts.link.renewal import Judged, Outcome, counted

WORDS = {
    Outcome.REVOKED: "its links were revoked: --again issues new ones",
    Outcome.ERASED: "the recording was erased",
    Outcome.GONE: "the recording is not there any more",
    Outcome.CONTRADICTS: "the conversation's room id is another call's: look which is right",
    Outcome.FAILED: "Airtable refused the write: run it again",
}


def show(done: Sequence[Judged], *, dry_run: bool) -> None:
    """A line for each link that a person may wonder about, then how many of each kind."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("egress id", "conversation", "left as it is because"):
        table.add_column(name, overflow="fold")
    for one in done:
        if one.outcome in WORDS:
            table.add_row(text(one.kept.link.egress_id), text(one.kept.record_id), text(WORDS[one.outcome]))
    if table.row_count:
        output().print(table)
    counts = counted(done)
    renewed = f"{counts.pop(Outcome.RENEWED):,} links {'would be' if dry_run else 'are'} issued anew"
    typer.echo(", ".join([renewed, *(f"{number:,} {name}" for name, number in counts.items() if number)]))


def document(stack: str, done: Sequence[Judged], *, dry_run: bool) -> dict[str, object]:
    """For programs."""
    rows = [
        {
            "egressId": one.kept.link.egress_id,
            "conversation": one.kept.record_id,
            "listed": one.kept.listed,
            "outcome": one.outcome.value,
        }
        for one in done
        if one.outcome is not Outcome.FRESH
    ]
    trouble = any(one.outcome in (Outcome.CONTRADICTS, Outcome.FAILED) for one in done)
    return {"stack": stack, "ok": not trouble, "dryRun": dry_run, "counts": counted(done), "links": rows}
