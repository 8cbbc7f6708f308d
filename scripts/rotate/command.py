"""`callrec rotate`: replace keys. Exit code 0 done, or nothing to do yet; 1 a person has to act; 2 could not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Annotated

import typer

from scripts.context import Context, StackOption, run_alone
from scripts.dead_letters.progress import shown
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded
from scripts.reconcile.span import UNITS
from scripts.rotate import airtable as airtables
from scripts.rotate import links as link_keys
from scripts.rotate import livekit as livekits
from scripts.rotate import new_secret
from scripts.rotate import settings as notes
from scripts.rotate import uploader as uploaders
from scripts.rotate.ground import StackGround
from scripts.rotate.settings import StackSettings
from scripts.rotate.steps import Machine, Report, Rotation
from scripts.verify.airtable import Conversations

DONE = 0
MOST_DAYS = 3650
WAIT_SECONDS = 600
LIVEKIT_SECRET, AIRTABLE_TOKEN = "CALLREC_NEW_LIVEKIT_API_SECRET", "CALLREC_NEW_AIRTABLE_TOKEN"

app = typer.Typer(
    help="Replace keys, step by step. A run that was killed is gone on with by the same command.", no_args_is_help=True
)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the steps, and which are done.")]
Finish = Annotated[bool, typer.Option("--finish", help="Only go on with one that has begun; never begin one.")]
Grace = Annotated[str | None, typer.Option(metavar="SPAN", help="How long the old one stays, as 24h or 7d.")]
Force = Annotated[bool, typer.Option("--force", help="Go on although something may still use the old key.")]
Wait = Annotated[int, typer.Option(min=0, max=86_400, metavar="SECONDS", help="Wait so long for recordings to end.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Make = Callable[[StackGround], Rotation]


@app.command()
def uploader(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    grace: Grace = None,
    copies_replaced: Annotated[
        bool, typer.Option("--copies-replaced", help="No agent's .env, nor anything of yours, holds the old key.")
    ] = False,
    wait: Wait = WAIT_SECONDS,
    force: Force = False,
    finish: Finish = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Replace the key that LiveKit's egress uploads with.

    New key, proven by an upload, handed to dispatch rules and functions; once nothing that began with the old key runs
    and you say that no copy of it is left (--copies-replaced), it is inactive, and deleted --grace (7d) later by the
    same command. Exit code: 0 done, or nothing to do yet; 1 something is in the way, with what to do; 2 could not run.
    """
    wish = uploaders.Wish(
        grace=_seconds(grace, uploaders.GRACE), patience=wait, copies_replaced=copies_replaced, force=force
    )
    make: Make = lambda ground: uploaders.UploaderRotation(ground=ground, wish=wish)  # noqa: E731
    _run(ctx, "uploader", make, finish=finish, dry=dry_run, as_json=as_json)


@app.command()
def livekit(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    key: Annotated[
        str | None, typer.Option(metavar="API…", help="The new key's name; its secret is asked for.")
    ] = None,
    grace: Grace = None,
    wait: Wait = WAIT_SECONDS,
    force: Force = False,
    finish: Finish = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Replace LiveKit's API key, which signs the webhooks and starts recordings.

    Make the new key in LiveKit first. Its secret comes by a pipe, when asked for, or by CALLREC_NEW_LIVEKIT_API_SECRET.
    Both keys are honoured until nothing is signed with the old one, at least for --grace (7d); then the same command
    removes it. Exit code: 0 done, or nothing to do yet; 1 something is in the way, with what to do; 2 could not run.
    """
    secret = cache(partial(new_secret.ask, "the new key's secret", LIVEKIT_SECRET))
    wish = livekits.Wish(
        key=lambda: _named(key),
        secret=secret,
        grace=_seconds(grace, uploaders.GRACE),
        patience=wait,
        force=force,
    )
    make: Make = lambda ground: livekits.LiveKitRotation(ground=ground, wish=wish)  # noqa: E731
    _run(ctx, "livekit", make, asked=secret, finish=finish, dry=dry_run, as_json=as_json)


@app.command()
def links(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    grace: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="How long old links play; 0 ends all at once; else linkGraceDays."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --grace 0: end every link at once.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Replace the key that signs the links in Airtable.

    Old links play for linkGraceDays more, or --grace; `callrec link refresh` signs those in Airtable anew meanwhile.
    Exit code: 0 done; 1 the engine could not, run it again; 2 could not run.
    """
    wish = link_keys.Wish(grace=None if grace is None else _seconds(grace, 0.0), yes=yes)
    make: Make = lambda ground: link_keys.LinksRotation(ground=ground, wish=wish)  # noqa: E731
    _run(ctx, "links", make, finish=False, dry=dry_run, as_json=as_json)


@app.command()
def airtable(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Replace Airtable's token.

    Make it first: https://airtable.com/create/tokens. It comes by a pipe, when asked for, or by
    CALLREC_NEW_AIRTABLE_TOKEN, and is stored only when it reaches the same base, table and fields.
    Exit code: 0 done; 1 the token is no good, or the engine could not; 2 could not run.
    """
    token = cache(partial(new_secret.ask, "the new token", AIRTABLE_TOKEN))
    wish = airtables.Wish(token=token)

    def make(ground: StackGround) -> Rotation:
        table: Callable[[str], Conversations] = lambda given: replace(  # noqa: E731
            Conversations.of(ground.deployment()), token=given
        )
        return airtables.AirtableRotation(ground=ground, wish=wish, table=table)

    _run(ctx, "airtable", make, asked=token, finish=False, dry=dry_run, as_json=as_json)


def _run(
    ctx: typer.Context,
    name: str,
    make: Make,
    *,
    asked: Callable[[], object] = lambda: None,
    finish: bool,
    dry: bool,
    as_json: bool,
) -> None:
    context: Context = ctx.obj
    as_json = as_json or context.json
    stopped = f"interrupted. What is done is done: callrec rotate {name} goes on from there"
    task = lambda: execute(context, name, make, asked=asked, finish=finish, dry=dry, as_json=as_json)  # noqa: E731
    raise typer.Exit(guarded(context, f"rotate {name}", task, as_json=as_json, interrupted=stopped))


def execute(
    context: Context,
    name: str,
    make: Make,
    *,
    asked: Callable[[], object] = lambda: None,
    finish: bool = False,
    dry: bool = False,
    as_json: bool = False,
) -> int:
    """Take the rotation as far as it goes now, and say how far that is.

    `asked` asks for what a new one needs, before anything moves on the screen.
    """
    handle = context.handle()
    with handle.engine() as opened:
        if not (dry or finish) and notes.load(StackSettings(stack=opened), name) is None:
            asked()
        with shown(context.console, f"rotate {name}") as say:
            ground = StackGround(handle=handle, stack=opened, tell=say)
            machine = Machine(stack=handle.stack, settings=ground.settings, say=say, dry=dry, finish=finish)
            report = machine.run(make(ground))
    _print(report, as_json=as_json)
    return DONE


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_document(report.document())
        return
    for line in report.lines():
        typer.echo(line)


def _named(key: str | None) -> str:
    if not key:
        raise UsageError("name the new key: callrec rotate livekit --key API…; its secret is asked for")
    return key


def _seconds(text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    found = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    seconds = int(found[1]) * UNITS[found[2]] if found else 0
    if text != "0" and not 0 < seconds <= MOST_DAYS * UNITS["d"]:
        raise typer.BadParameter(f"--grace: a number and its unit (m, h or d), or 0; got {text!r}. For example: 7d")
    return float(seconds)


def main() -> None:
    """Run the command by itself: `python -m scripts.rotate.command uploader --stack STACK`."""
    run_alone(uploader)


if __name__ == "__main__":
    main()
