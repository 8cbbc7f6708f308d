"""`callrec dlq`: what could not be delivered. Exit code 0 nothing, 1 something lies there, 2 could not run."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from scripts.context import Context, StackOption, run_alone
from scripts.dead_letters import report
from scripts.dead_letters.letter import INTERRUPTED
from scripts.dead_letters.listing import Listing, read
from scripts.dead_letters.progress import shown
from scripts.document import print_document
from scripts.guarded import guarded

EMPTY, SOMETHING = 0, 1

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def dlq(ctx: typer.Context, *, _stack: StackOption = None, as_json: AsJson = False) -> None:
    """List the events that could not be delivered: why, for how long, and which calls they are about.

    Shows names of rooms, never the events themselves, and leaves the queue as it was. While it reads, `callrec verify`
    and `callrec redrive` do not see the letters; killed, it hides them for 10 minutes.
    Exit code: 0 nothing lies there, 1 something does, 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json
    raise typer.Exit(
        guarded(context, "dlq", lambda: _list(context, as_json=as_json), as_json=as_json, interrupted=INTERRUPTED)
    )


def _list(context: Context, *, as_json: bool) -> int:
    deployment = context.deployment()
    with shown(context.console, "reading the dead-letter queue") as say:
        listing = read(deployment.aws.client("sqs"), deployment.outputs.dead_letter_queue_url, say)
    now = time.time()
    if as_json:
        print_document(report.document(deployment.stack, listing, now))
    else:
        _show(deployment.stack, listing, now)
    return SOMETHING if listing.letters or listing.count else EMPTY


def _show(stack: str, listing: Listing, now: float) -> None:
    console = report.output()
    lines = report.closing(listing, now)
    if listing.letters:
        table = report.table("reason")
        for letter in report.ordered(listing.letters):
            table.add_row(report.text(letter.reason), *report.cells(letter, now))
        console.print(table)
        send = f"Send them back: callrec redrive --stack {stack} [--reason CODE]"
        lines = ["", *report.totals(listing.letters), "", *lines, send]
    for line in lines or ["nothing lies there: everything was delivered, or waits in the queue"]:
        console.print(line, markup=False, soft_wrap=True)


def main() -> None:
    """Run the command by itself: `python -m scripts.dead_letters.dlq --stack STACK`."""
    run_alone(dlq)


if __name__ == "__main__":
    main()
