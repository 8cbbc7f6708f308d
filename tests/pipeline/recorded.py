"""Calls that were recorded and linked, and `callrec` commands on a local stack."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import typer
from rich.console import Console
from typer.testing import CliRunner

from infra.package import ROOT
from scripts.context import Context
from scripts.local import stack
from tests.pipeline.calls import announce, cells, upload
from tests.pipeline.conftest import Local

BODY = (ROOT / "tests" / "events" / "egress_ended.json").read_bytes()
RECORDING = (ROOT / "tests" / "recordings" / "call1.mp4").read_bytes()


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that was recorded, linked, and is listed by LiveKit."""

    egress: str
    key: str
    record: str
    body: str


def call(local: Local, name: str, room: str) -> Call:
    ended = datetime.now(UTC) - timedelta(minutes=5)
    started = ended - timedelta(minutes=1)
    key, event = f"calls/{name}.mp4", json.loads(BODY)
    times = {"startedAt": _nanoseconds(started), "endedAt": _nanoseconds(ended), "updatedAt": _nanoseconds(ended)}
    event["egressInfo"] |= {"egressId": f"EG_{name}", "roomId": f"RM_{name}", "roomName": room, **times}
    for file in event["egressInfo"]["fileResults"]:
        file |= {
            "filename": key,
            "size": str(len(RECORDING)),
            "startedAt": times["startedAt"],
            "endedAt": times["endedAt"],
        }
    cells_ = {"room_name": room, "room_id": f"RM_{name}", "started_at": started.isoformat(), "patient_name": name}
    record = local.airtable.seed(cells_)
    upload(local, key, RECORDING)
    local.livekit.add_egress(json.dumps(event))
    made = Call(egress=f"EG_{name}", key=key, record=record, body=json.dumps(event))
    send(local, made)
    cells(local, record, "audio_recording_url")
    return made


def send(local: Local, made: Call) -> None:
    """LiveKit's event, as one that SQS has not seen before."""
    event = json.loads(made.body) | {"id": f"EV_{secrets.token_hex(6)}"}
    assert announce(local, json.dumps(event).encode()).status_code == 200


def _nanoseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 10**6) * 1000)


def run(local: Local, command: Callable[..., None], *arguments: str) -> Any:
    """A command on the local stack."""
    app, handle = typer.Typer(), stack.handle(local.services, local.engine)

    @app.callback()
    def common(ctx: typer.Context) -> None:
        console = Console(file=io.StringIO(), highlight=False)
        ctx.obj = Context(stack="local", console=console, local={"local": lambda: handle})

    app.command()(command)
    return CliRunner().invoke(app, [command.__name__, "--stack", "local", "--json", *arguments])


def versions(local: Local, key: str) -> list[Any]:
    answer = local.deployment.aws.client("s3").list_object_versions(Bucket=stack.BUCKET, Prefix=key)
    return [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
