"""The `callrec` command: every command of it, and what becomes of its errors."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from pulumi.automation import CommandError

from scripts.configure.command import configure
from scripts.configure.env import env
from scripts.configure.participant_token import check_token
from scripts.context import LOCAL, Context
from scripts.cost.command import cost
from scripts.dashboard.command import dashboard
from scripts.dead_letters.dlq import dlq
from scripts.dead_letters.redrive import redrive
from scripts.deployment import engine_words
from scripts.erase.command import erase
from scripts.errors import ScriptError
from scripts.hold.command import hold
from scripts.link import command as link
from scripts.local import commands as local
from scripts.reconcile.command import reconcile
from scripts.rooms import command as rooms
from scripts.rotate import command as rotate
from scripts.status.command import status
from scripts.teardown.command import teardown
from scripts.verify.command import verify

COULD_NOT_RUN = 2

app = typer.Typer(
    help="Keep the recordings of LiveKit calls in your own private bucket, and a link that plays them in Airtable.",
    epilog="Exit codes: 0 done, 1 something does not hold or could not be removed, 2 could not run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with the values of locals would show secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(configure)
app.command()(env)
app.command()(status)
app.command()(verify)
app.command()(dashboard)
app.command()(cost)
app.command()(reconcile)
app.command()(dlq)
app.command()(redrive)
app.command()(erase)
app.command()(hold)
app.command()(teardown)
app.command(name="check-token")(check_token)
app.add_typer(rooms.app, name="rooms")
app.add_typer(rotate.app, name="rotate")
app.add_typer(link.app, name="link")
app.add_typer(local.app, name="local")


def show_version(asked: bool) -> None:  # noqa: FBT001 -- Typer's way of calling back
    """Print the version and end."""
    if asked:
        typer.echo(version("livekit-call-recordings"))
        raise typer.Exit


@app.callback()
def common(
    ctx: typer.Context,
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Give the commands what they share."""
    ctx.obj = Context(stack="", local={LOCAL: local.handle})


def main() -> None:
    """Run `callrec`; an error of ours is one line on stderr and exit code 2, never a traceback."""
    try:
        app()
    except ScriptError as error:
        raise SystemExit(_said(str(error))) from None
    except CommandError as error:
        raise SystemExit(_said(f"the engine could not: {engine_words(error)}")) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(COULD_NOT_RUN) from None


def _said(sentence: str) -> int:
    print(f"callrec: {sentence}", file=sys.stderr)  # noqa: T201 -- the one place where a command fails
    return COULD_NOT_RUN
