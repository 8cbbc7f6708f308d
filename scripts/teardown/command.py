"""`callrec teardown`: remove a stack. Exit code 0 done or dry run, 1 something is left, 2 could not run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.automation import CommandError
from rich.console import Console
from rich.text import Text

from scripts.context import Context, StackOption, run_alone
from scripts.deployment import engine_words
from scripts.document import print_document
from scripts.errors import NoStackError, ScriptError, UnfinishedError, UsageError
from scripts.guarded import tell_failure
from scripts.interruption import Interrupted, interruptible
from scripts.teardown.engine import Engine, Say
from scripts.teardown.export import Exported
from scripts.teardown.recordings import size_words
from scripts.teardown.run import Teardown, Wish, agree
from scripts.teardown.unrecorded import words

DONE, LEFT, COULD_NOT_RUN = 0, 1, 2

Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without this, only show what would go.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would go, which is the default.")]
Delete = Annotated[bool, typer.Option("--delete-recordings", help="Also delete bucket, key and every recording.")]
Confirm = Annotated[str | None, typer.Option(metavar="BUCKET", help="The bucket's name, in place of typing it.")]
Ignore = Annotated[bool, typer.Option("--ignore-livekit", help="Do not ask LiveKit what it records now.")]
Into = Annotated[
    Path | None,
    typer.Option("--export", metavar="DIR", help="Download the recordings into DIR first; without --yes, only that."),
]
Bypass = Annotated[
    bool,
    typer.Option("--bypass-governance", help="Delete what Object Lock (governance) keeps; takes a right of its own."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def teardown(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    delete_recordings: Delete = False,
    confirm: Confirm = None,
    ignore_livekit: Ignore = False,
    export: Into = None,
    bypass_governance: Bypass = False,
    as_json: AsJson = False,
) -> None:
    """Remove the stack, and keep bucket, key and recordings.

    Calls that are being recorded are stopped first, so that their files are still stored. The bucket stays part of the
    stack: `pulumi up` builds the rest around it again. Only --delete-recordings together with the bucket's name removes
    everything, for ever; not what a legal hold or Object Lock keeps.

    --export downloads every version in the recordings' bucket with a manifest (key, version, size, SHA-256) and can be
    done again: what is there is not fetched twice. Nothing is touched before it is complete once. Without --yes it is
    all that is done. Exit code: 0 done, or only shown; 1 something is left, run it again; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json
    wish = Wish(
        yes=yes,
        delete_recordings=delete_recordings,
        confirm=confirm,
        ignore_livekit=ignore_livekit,
        export=None if dry_run else export,
        bypass_governance=bypass_governance,
        ask=_typed if sys.stdin.isatty() and not as_json else None,
    )
    if yes and dry_run:
        raise typer.Exit(_failed(context, UsageError("--yes and --dry-run contradict each other"), as_json=as_json))
    raise typer.Exit(execute(context, wish, as_json=as_json))


def execute(context: Context, wish: Wish, *, as_json: bool) -> int:
    """Plan, do, report, and say with which code to exit."""
    try:
        wish.check()
        with interruptible():
            return _execute(context, wish, as_json=as_json)
    except NoStackError as error:
        return _nothing(context, str(error), as_json=as_json)
    except Interrupted:
        error = UnfinishedError("interrupted. What is done is done: run teardown again")
        return _failed(context, error, as_json=as_json)
    except ScriptError as error:
        return _failed(context, error, as_json=as_json)
    except CommandError as error:
        return _failed(context, UsageError(f"the engine could not: {engine_words(error)}"), as_json=as_json)
    except (ClientError, BotoCoreError) as error:
        return _failed(context, UnfinishedError(f"{words(error)}. Run teardown again"), as_json=as_json)


def _execute(context: Context, wish: Wish, *, as_json: bool) -> int:
    handle = context.handle()
    with handle.engine() as opened:

        def task(say: Say) -> Teardown:
            engine = Engine(stack=opened, say=say)
            return Teardown(stack=handle.stack, engine=engine, aws=handle.aws, wish=wish, say=say)

        with _progress(context.console) as say:
            plan, livekit = task(say).plan()
        if not as_json:
            for line in plan.lines(dry=not wish.yes):
                typer.echo(line)
        if wish.yes:
            agree(plan, wish)
        exported = None
        with _progress(context.console) as say:
            if wish.yes:
                exported = task(say).do(plan, livekit)
            elif (export := task(say).export(plan)) is not None:
                exported = task(say).exported(export)
    if as_json:
        document = {**plan.document(), "export": _told(wish, exported), "dryRun": not wish.yes, "ok": True}
        print_document(document)
        return DONE
    if exported is not None:
        typer.echo(
            f"exported to {wish.export}: {exported.files:,} files, {size_words(exported.size)}; "
            f"{exported.fetched:,} of them fetched now"
        )
    if plan.going:
        typer.echo("removed" if wish.yes else _how(context, wish))
    return DONE


def _told(wish: Wish, exported: Exported | None) -> dict[str, object] | None:
    return None if exported is None else {"directory": str(wish.export), **asdict(exported)}


def _how(context: Context, wish: Wish) -> str:
    options = " --delete-recordings" * wish.delete_recordings + " --ignore-livekit" * wish.ignore_livekit
    options += " --bypass-governance" * wish.bypass_governance
    return f"Do it with: callrec teardown --stack {context.stack} --yes{options}"


def _nothing(context: Context, sentence: str, *, as_json: bool) -> int:
    """There is no stack: what was to be reached is reached."""
    if as_json:
        print_document({"stack": context.stack, "ok": True, "going": [], "note": sentence})
    else:
        typer.echo(f"nothing to remove: {sentence}")
    return DONE


def _failed(context: Context, error: ScriptError, *, as_json: bool) -> int:
    tell_failure(context, "teardown", str(error), as_json=as_json)
    return LEFT if isinstance(error, UnfinishedError) else COULD_NOT_RUN


def _typed(question: str) -> str:
    try:
        return str(typer.prompt(question, err=True))
    except typer.Abort:
        raise UsageError("not confirmed. Nothing was touched") from None


@contextmanager
def _progress(console: Console) -> Generator[Say]:
    """What the engine and S3 do, on stderr: the latest line on a terminal, every line elsewhere."""
    if not console.is_terminal:

        def line(words: str) -> None:
            if words.strip():
                console.print(words, markup=False, soft_wrap=True)

        yield line
        return
    with console.status("") as status:
        say: Callable[[str], None] = lambda words: status.update(Text(words.strip()[:120]))  # noqa: E731
        yield say


def main() -> None:
    """Run the command by itself: `python -m scripts.teardown.command --stack STACK`."""
    run_alone(teardown)


if __name__ == "__main__":
    main()
