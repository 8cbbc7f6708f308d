"""`callrec verify`: prove a stack end to end. Exit code 0 all hold, 1 something fails, 2 could not run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from pulumi.automation import CommandError
from rich.console import Console

from scripts.context import Context, StackOption, run_alone
from scripts.deployment import engine_words
from scripts.document import print_document
from scripts.errors import ScriptError, UsageError
from scripts.guarded import tell_failure
from scripts.interruption import Interrupted
from scripts.verify import report
from scripts.verify.hop import Outcome, Result
from scripts.verify.live import run as live_run
from scripts.verify.progress import shown
from scripts.verify.run import run

OK, FAILED, COULD_NOT_RUN = 0, 1, 2


def verify(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Call once for real: a synthetic caller speaks in a room of your LiveKit.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML.")] = None,
) -> None:
    """Try every hop of a call's way, with probes that are removed again.

    A hop holds, fails (then the likely cause and the next command stand under it), warns (of keys older than 90 days,
    which is no failure) or is not tried.
    With --live a real call is made instead: a room, a caller who speaks for 12 seconds, its recording, the link, and
    what is heard on it; each row says how long its step took. One run at a time for each stack.
    Exit code: 0 nothing fails, 1 something fails, 2 could not run.
    """
    context: Context = ctx.obj
    raise typer.Exit(execute(context, as_json=as_json or context.json, junit=junit, live=live))


def execute(context: Context, *, as_json: bool, junit: Path | None, live: bool = False) -> int:
    """Run, report, and say with which code to exit."""
    try:
        if junit is not None:
            _writable(junit)
        results = _run(context, live=live)
        if junit is not None:
            _write(junit, report.junit(context.stack, results))
    except Interrupted:
        return _could_not(context, "interrupted; what had been made was removed as the last line says", as_json=as_json)
    except ScriptError as error:
        return _could_not(context, str(error), as_json=as_json)
    except CommandError as error:
        return _could_not(context, f"Pulumi could not open the stack: {engine_words(error)}", as_json=as_json)
    show(context, results, as_json=as_json)
    return exit_code(results)


def exit_code(results: list[Result]) -> int:
    """0 when nothing fails, else 1."""
    return FAILED if any(result.outcome is Outcome.FAILED for result in results) else OK


def _run(context: Context, *, live: bool) -> list[Result]:
    way = live_run.run if live else run
    with shown(context.console) as progress:
        return way(context.deployment(), on_start=progress.start, on_result=progress.result)


def show(context: Context, results: list[Result], *, as_json: bool) -> None:
    """Print the results on stdout, as a table or as JSON."""
    if as_json:
        print_document(report.document(context.stack, results))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=report.PIPE_WIDTH)
    console.print(report.table(results, console))
    console.print(report.summary(results))


def _could_not(context: Context, sentence: str, *, as_json: bool) -> int:
    tell_failure(context, "verify", sentence, as_json=as_json)
    return COULD_NOT_RUN


def _writable(path: Path) -> None:
    """Raises UsageError before anything is tried, rather than after."""
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"--junit: {path} cannot be written. Name a file in a folder that is there")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"--junit: {path} could not be written: {error.strerror}") from None


def main() -> None:
    """Run the command by itself: `python -m scripts.verify.command --stack STACK`."""
    run_alone(verify)


if __name__ == "__main__":
    main()
