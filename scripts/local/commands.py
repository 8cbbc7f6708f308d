"""`callrec local …`: the whole pipeline on this machine, without an account."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer
from pulumi.automation import PulumiCommand
from rich.console import Console

from scripts.context import LOCAL, Context
from scripts.deployment import ROOT, Deployment, StackHandle
from scripts.document import print_document
from scripts.errors import LocalStackError
from scripts.local import services, stack, supervisor
from scripts.local.engine.find import find
from scripts.local.progress import step
from scripts.local.replay import Replay
from scripts.local.services import Services
from scripts.verify.command import exit_code, show
from scripts.verify.hop import Result, run_all
from scripts.verify.progress import shown
from scripts.verify.run import run

FOLDER = ROOT / ".local" / "stack"
DEMO_FOLDER = ROOT / ".local" / "demo"

app = typer.Typer(help="The whole pipeline on this machine: no account, no cost, nothing that outlives it.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of text.")]


def engine(console: Console) -> PulumiCommand:
    """Find the Pulumi engine, showing what it takes."""
    with step(console, "finding the Pulumi engine") as report:
        return find(report)


def handle() -> StackHandle:
    """The stack that `callrec local up` made.

    Raises LocalStackError when it is not running.
    """
    found = supervisor.running(FOLDER)
    if found is None:
        raise LocalStackError("the local stack is not running. Run: callrec local up")
    return stack.handle(found, engine(Console(stderr=True, quiet=True)))


@app.command()
def up(*, as_json: AsJson = False) -> None:
    """Start AWS's, Airtable's and LiveKit's stand-ins, run the Pulumi program on them, and keep all of it running.

    Run it again after a change of the program: only the difference is made. The Airtable token and the LiveKit key for
    playing around stand in .local/stack/services.json, which only you can read.
    """
    console = Console(stderr=True, highlight=False)
    command = engine(console)
    with step(console, "starting the services"):
        found = supervisor.start(FOLDER)
    deployment = provision(console, found, command)
    addresses = {
        "stack": deployment.stack,
        "webhookUrl": deployment.outputs.webhook_url,
        "playUrl": deployment.outputs.play_url,
        "awsEndpoint": found.endpoint_url,
        "awsCaBundle": found.ca_bundle,
        "airtableUrl": found.airtable_url,
        "airtableBase": found.airtable_base,
        "livekitUrl": found.livekit_url,
        "secretsFile": str(supervisor.state_file(FOLDER)),
    }
    if as_json:
        print_document(addresses)
        return
    for name, value in addresses.items():
        typer.echo(f"{name:12} {value}")
    typer.echo("Prove it with: callrec verify --stack local. Stop it with: callrec local down")


@app.command()
def down(*, as_json: AsJson = False) -> None:
    """Stop everything that `up` started and remove its files; harmless when nothing runs."""
    stopped = supervisor.stop(FOLDER)
    if as_json:
        print_document({"stopped": stopped})
    else:
        typer.echo("stopped, and its files removed" if stopped else "nothing was running")


@app.command()
def demo(*, as_json: AsJson = False) -> None:
    """Send one real call's data the whole way, prove every hop, and leave nothing running.

    The engine is the real one; AWS, Airtable and LiveKit's API are stand-ins; the recording and the webhook were made
    by a real LiveKit. Exit code 0 when every hop holds, 1 when one does not.
    """
    context = Context(stack=LOCAL, json=as_json)
    began = time.monotonic()
    results = proved(context.console)
    show(context, results, as_json=as_json)
    context.console.print(f"{time.monotonic() - began:.0f} s in all; nothing is left running")
    raise typer.Exit(exit_code(results))


def proved(console: Console) -> list[Result]:
    """One real call on a stack made for it, then every hop of `callrec verify`; its files are removed again."""
    command = engine(console)
    try:
        with started(console) as found:
            deployment = provision(console, found, command)
            with shown(console) as progress:
                replay = Replay(deployment).hops()
                replayed = run_all(replay, on_start=progress.start, on_result=progress.result)
                verified = run(deployment, on_start=progress.start, on_result=progress.result)
    finally:
        shutil.rmtree(DEMO_FOLDER, ignore_errors=True)
    return [*replayed, *verified]


@contextmanager
def started(console: Console) -> Generator[Services]:
    """The services for the length of the block, showing that they come up."""
    with ExitStack() as running:
        with step(console, "starting AWS's, Airtable's and LiveKit's stand-ins"):
            found, _, _ = running.enter_context(services.run(DEMO_FOLDER))
        yield found


def provision(console: Console, found: Services, command: PulumiCommand) -> Deployment:
    """Run `pulumi up` on the local services, showing each resource as it comes."""
    with step(console, "pulumi up") as report:
        return stack.up(found, command, report)
