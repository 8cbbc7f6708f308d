"""`callrec reconcile`: look for what got lost. Exit code 0 nothing is left, 1 something is, 2 could not run."""

from __future__ import annotations

from typing import Annotated

import typer

from scripts.context import Context, StackOption, run_alone
from scripts.dead_letters.report import output
from scripts.document import print_document
from scripts.guarded import guarded
from scripts.reconcile import report
from scripts.reconcile.answer import Answer, together
from scripts.reconcile.progress import shown
from scripts.reconcile.run import Reconciler, run_all
from scripts.reconcile.span import DAY, Piece, pieces, seconds, words

DONE, LEFT = 0, 1
INTERRUPTED = "interrupted. The function ends its run by itself, and what it does is harmless to do again"

Since = Annotated[
    str, typer.Option("--since", metavar="SPAN", help="How far to look back: 90m, 24h, 7d; up to 30d, a run a day.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only look: put nothing on the queue.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def reconcile(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    since: Since = "24h",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Compare LiveKit's recordings, the bucket's arrivals and the conversations; put what is missing on the queue.

    The stack's own function does it, as it does by its schedule; `deliver` then finds the conversations, in order with
    the live events, so that this may run at any time and as often as you like. It asks Airtable slowly, to leave room
    for the live events: a day of 1,000 calls takes about a minute. Shows names of rooms and of files.
    Exit code: 0 nothing was missing, or all of it was put on the queue; 1 something is left that a person should look
    at, or is missing in a dry run; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json

    def task() -> int:
        length = seconds(since)
        answer = _run(context, length, dry_run=dry_run)
        if as_json:
            found = report.document(context.stack, answer, dry_run=dry_run, since=length)
            print_document(found)
        else:
            report.show(answer, output(), dry_run=dry_run)
        return LEFT if answer.left else DONE

    raise typer.Exit(guarded(context, "reconcile", task, as_json=as_json, interrupted=INTERRUPTED))


def _run(context: Context, length: int, *, dry_run: bool) -> Answer:
    todo = list(pieces(length))
    with shown(context.console, f"looking at the last {words(length)}") as say:
        reconciler = Reconciler.of(context.deployment())

        def started(piece: Piece) -> None:
            if len(todo) > 1:
                say(f"day {piece.until // DAY + 1} of {len(todo)}")

        return together(run_all(reconciler, todo, dry_run=dry_run, on_start=started))


def main() -> None:
    """Run the command by itself: `python -m scripts.reconcile.command --stack STACK`."""
    run_alone(reconcile)


if __name__ == "__main__":
    main()
