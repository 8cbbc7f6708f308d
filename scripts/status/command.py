"""`callrec status`: how things stand. Exit code 0 fine, 1 something needs a person, 2 could not run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from scripts.context import Context, StackOption, run_alone
from scripts.dead_letters.progress import shown as progress
from scripts.dead_letters.report import output
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded
from scripts.interruption import Interrupted
from scripts.status.report import document, shown
from scripts.status.snapshot import Observer, Snapshot

FINE, ATTENTION = 0, 1
WATCH_SECONDS = 5.0

WatchIt = Annotated[bool, typer.Option("--watch", help="Keep looking, every 5 seconds, until Ctrl-C.")]
Last = Annotated[int, typer.Option(min=0, max=100, metavar="N", help="So many of the last recordings.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def status(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    watch: WatchIt = False,
    last: Last = 10,
    as_json: AsJson = False,
) -> None:
    """Show what is recorded now, what became of the last recordings, what waits, and the last reconcile.

    Changes nothing, and asks Airtable for nothing: whether a link was written stands in `deliver`'s log of the last
    24 hours, which is also how long a LiveKit server of your own remembers a recording. Shows names of rooms.
    Exit code: 0 fine, also when Ctrl-C ends --watch; 1 something needs a person, see the last lines; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json

    def task() -> int:
        if watch and as_json:
            raise UsageError("--watch is a table that changes; for a program: callrec status --json, again and again")
        observer = Observer(deployment=context.deployment(), most=last)
        if watch:
            return watched(observer, output())
        with progress(context.console, "looking"):
            found = observer.look()
        if as_json:
            print_document(document(found))
        else:
            output().print(shown(found))
        return ATTENTION if found.attention else FINE

    raise typer.Exit(guarded(context, "status", task, as_json=as_json))


def watched(observer: Observer, console: Console, wait: Callable[[float], None] = time.sleep) -> int:
    """Show one snapshot after the other in the same place, or one under the other where there is no terminal."""
    try:
        if not console.is_terminal:
            while True:
                console.print(shown(observer.look()))
                wait(WATCH_SECONDS)
        found: Snapshot = observer.look()
        with Live(shown(found), console=console, auto_refresh=False) as live:
            while True:
                wait(WATCH_SECONDS)
                live.update(shown(observer.look()), refresh=True)
    except Interrupted:
        return FINE


def main() -> None:
    """Run the command by itself: `python -m scripts.status.command --stack STACK`."""
    run_alone(status)


if __name__ == "__main__":
    main()
