"""`callrec rooms create`: a room for a call that you make. Exit code 0 recorded, 1 not recorded, 2 could not run."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.functions.start_policy import says
from scripts import egress_settings
from scripts.context import Context, StackOption, run_alone
from scripts.dead_letters.progress import shown
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded
from scripts.livekit_access import LiveKit
from scripts.rooms.creation import Created, Creation

RECORDED, NOT_RECORDED = 0, 1

app = typer.Typer(help="Rooms that are recorded from their first second.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The room's name; new for every call.")]
Metadata = Annotated[str, typer.Option(metavar="TEXT", help="The room's metadata.")]
Phone = Annotated[bool, typer.Option("--phone", help="Somebody will be on the phone: keep the name out of the path.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def create(
    ctx: typer.Context,
    *,
    name: Name,
    _stack: StackOption = None,
    metadata: Metadata = "",
    phone: Phone = False,
    as_json: AsJson = False,
) -> None:
    """Make a room that is recorded, before you call somebody into it or send an agent.

    CreateSIPParticipant and agent dispatch cannot record: they take the room that is there.
    Exit code: 0 its recording runs; 1 the room is there, but nothing records it, with the reason; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json
    task = lambda: _execute(context, name, metadata, phone=phone, as_json=as_json)  # noqa: E731
    stopped = "interrupted. The room may be there"
    raise typer.Exit(guarded(context, "rooms create", task, as_json=as_json, interrupted=stopped))


def _execute(context: Context, name: str, metadata: str, *, phone: bool, as_json: bool) -> int:
    if not name.strip():
        raise UsageError("a room needs a name: callrec rooms create NAME")
    if says(metadata) is False:
        raise UsageError('the metadata say {"record": false}, and this room is made to be recorded')
    deployment = context.deployment()
    livekit = LiveKit.required(deployment.stack, deployment.config)
    settings = egress_settings.of(deployment)
    with shown(context.console, "rooms create") as say:
        creation = Creation(livekit=livekit, settings=settings, name=name, metadata=metadata, phone=phone, say=say)
        created = creation.create()
    if as_json:
        print_document(document(deployment.stack, created))
    else:
        typer.echo(sentence(created))
    return RECORDED if created.reason is None else NOT_RECORDED


def sentence(created: Created) -> str:
    """For people."""
    room = f"room {created.name} ({created.sid}) {'was there already' if created.existed else 'is made'}"
    if created.reason is None:
        return f"{room}, and is recorded by {created.egress_id}"
    return f"{room}, but not recorded: {created.reason}"


def document(stack: str, created: Created) -> dict[str, object]:
    """For programs."""
    return {
        "stack": stack,
        "ok": created.reason is None,
        "room": {"name": created.name, "sid": created.sid, "existed": created.existed},
        "egress": None if created.egress_id is None else {"id": created.egress_id, "status": created.status},
        "reason": created.reason,
    }


def main() -> None:
    """Run the command by itself: `python -m scripts.rooms.command --stack STACK NAME`."""
    run_alone(create)


if __name__ == "__main__":
    main()
