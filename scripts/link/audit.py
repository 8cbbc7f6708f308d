"""`callrec link audit`: who asked to play a recording. Exit code 0 told, 2 could not run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from scripts.context import StackOption
from scripts.dead_letters.progress import shown
from scripts.dead_letters.report import output, text
from scripts.document import print_document
from scripts.guarded import guarded
from scripts.link.finding import checked, document_wanted
from scripts.link.trail import Play, iso, sources, trail
from scripts.reconcile import span

TOLD = 0
SINCE = "30d"
LONGEST_SPAN = 3653 * span.DAY

EgressId = Annotated[str, typer.Argument(metavar="EGRESS_ID", help="The recording's egress id.")]
Since = Annotated[str, typer.Option(metavar="SPAN", help="How far to look back: as 12h, 30d or 2000d.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def audit(
    ctx: typer.Context,
    *,
    egress_id: EgressId,
    _stack: StackOption = None,
    since: Since = SINCE,
    as_json: AsJson = False,
) -> None:
    """List every request to play one recording: when, what became of it, of which link, and from where.

    Where from is a pseudonym of the address: the same one for the same address, as long as the stack's audit key stays;
    nobody reads the address out of it. A player may ask more than once while somebody listens. The log is kept for
    `playLogDays`; CloudWatch shows a line some seconds after the play. It holds neither links nor names.
    Exit code: 0 told, also when nobody asked; 2 could not run.
    """
    context, as_json = document_wanted(ctx, as_json=as_json)

    def task() -> int:
        wanted = checked(egress_id)
        length = span.seconds(since, f"link audit {wanted}", longest=LONGEST_SPAN)
        deployment = context.deployment()
        now = time.time()
        with shown(context.console, "reading play's log"):
            logs, group = deployment.aws.client("logs"), deployment.outputs.log_groups["play"]
            plays = trail(logs, group, wanted, now - length, now)
        if as_json:
            print_document(document(deployment.stack, wanted, now - length, plays))
        else:
            _show(wanted, plays, since)
        return TOLD

    raise typer.Exit(guarded(context, "link audit", task, as_json=as_json))


def _show(egress_id: str, plays: Sequence[Play], since: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when (UTC)", "outcome", "from", "link issued (UTC)"):
        table.add_column(name, overflow="fold")
    for play in plays:
        issued = None if play.issued is None else iso(play.issued)
        table.add_row(text(iso(play.at)), text(play.outcome), text(play.source), text(issued))
    if plays:
        output().print(table)
    played = sources(plays)
    counts = f"played {sum(played.values()):,} times from {len(played):,} addresses, asked for {len(plays):,} times"
    typer.echo(f"{egress_id}, last {since}: {counts}")


def document(stack: str, egress_id: str, since: float, plays: Sequence[Play]) -> dict[str, object]:
    """For programs."""
    return {
        "stack": stack,
        "ok": True,
        "egressId": egress_id,
        "since": iso(since),
        "played": sources(plays),
        "requests": [
            {
                "at": iso(play.at),
                "outcome": play.outcome,
                "source": play.source,
                "linkIssued": None if play.issued is None else iso(play.issued),
            }
            for play in plays
        ],
    }
