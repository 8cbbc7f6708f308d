"""`callrec dashboard`: the figures of the stack in the terminal. Exit code 0 shown, 2 could not run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from scripts.context import Context, StackOption, run_alone
from scripts.dashboard import report
from scripts.dashboard.readings import Page, read
from scripts.dashboard.span import Span
from scripts.dead_letters.progress import shown as progress
from scripts.dead_letters.report import output
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded
from scripts.interruption import Interrupted
from scripts.reconcile.span import seconds

SHOWN = 0
# CloudWatch's values are a minute old at best, and each look costs a thirtieth of a cent.
WATCH_SECONDS = 60.0

Since = Annotated[str, typer.Option("--since", metavar="SPAN", help="How far to look back: 90m, 24h, 7d; up to 30d.")]
WatchIt = Annotated[bool, typer.Option("--watch", help="Keep looking, every minute, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def dashboard(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    since: Since = "24h",
    watch: WatchIt = False,
    as_json: AsJson = False,
) -> None:
    """Show the figures of the stack's CloudWatch dashboard here: what was delivered, waits, failed, was played.

    Counts over the time shown stand beside a bar for each part of it; what wants a person is red, with the command to
    begin with. Changes nothing. Where CloudWatch has no metrics, as on the local stack, the functions' logs are counted
    instead. Asks AWS for cloudwatch:GetMetricData and cloudwatch:DescribeAlarms; a look costs a thirtieth of a cent.
    Exit code: 0 shown, also when Ctrl-C ends --watch; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json

    def task() -> int:
        if watch and as_json:
            raise UsageError("--watch is a page that changes; for a program: callrec dashboard --json, again and again")
        length, deployment = seconds(since, "dashboard"), context.deployment()

        def look() -> Page:
            return read(deployment, Span.of(length, time.time()))

        if watch:
            return watched(look, output())
        with progress(context.console, "looking"):
            page = look()
        if as_json:
            print_document(report.document(page))
        else:
            _show(page, output())
        return SHOWN

    raise typer.Exit(guarded(context, "dashboard", task, as_json=as_json))


def watched(look: Callable[[], Page], console: Console, wait: Callable[[float], None] = time.sleep) -> int:
    """One page after the other in the same place, or one under the other where there is no terminal."""
    blocks = console.encoding.startswith("utf")
    try:
        if not console.is_terminal:
            while True:
                _show(look(), console)
                wait(WATCH_SECONDS)
        with Live(report.shown(look(), blocks=blocks), console=console, auto_refresh=False) as live:
            while True:
                wait(WATCH_SECONDS)
                live.update(report.shown(look(), blocks=blocks), refresh=True)
    except Interrupted:
        return SHOWN


def _show(page: Page, console: Console) -> None:
    console.print(report.shown(page, blocks=console.encoding.startswith("utf")))


def main() -> None:
    """Run the command by itself: `python -m scripts.dashboard.command --stack STACK`."""
    run_alone(dashboard)


if __name__ == "__main__":
    main()
