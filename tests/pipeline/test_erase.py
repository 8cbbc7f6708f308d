"""`callrec erase` on the local stack: killed on its way, gone on with, and nothing brings the recording back."""

from __future__ import annotations

import io
import json
import os
import secrets
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import typer
from rich.console import Console
from typer.testing import CliRunner

from infra.package import ROOT
from scripts.context import Context
from scripts.erase.command import erase
from scripts.local import stack
from scripts.reconcile.command import reconcile
from tests.pipeline.calls import announce, cells, drained, upload, wait_for
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline

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


PROGRAM = """
    import sys
    from pathlib import Path
    import typer
    from scripts.context import Context
    from scripts.erase.command import erase
    from scripts.local import stack
    from scripts.local.engine.find import find
    from scripts.local.services import Services

    found = Services.load(Path(sys.argv[1]))
    app = typer.Typer()

    @app.callback()
    def common(ctx: typer.Context) -> None:
        ctx.obj = Context(stack="local", local={"local": lambda: stack.handle(found, find(print))})

    app.command()(erase)
    app(["erase", sys.argv[2], "--stack", "local", "--confirm", sys.argv[2]])
"""


def kill_at(local: Local, egress: str, word: str, folder: Path) -> None:
    """Erase in a process of its own, and kill it when it says `word`."""
    file = folder / "services.json"
    local.services.save(file)
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(file), egress]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        stop = threading.Timer(60, process.kill)
        stop.start()
        heard = any(word in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGKILL)
        stop.cancel()
    assert heard


def versions(local: Local, key: str) -> list[Any]:
    answer = local.deployment.aws.client("s3").list_object_versions(Bucket=stack.BUCKET, Prefix=key)
    return [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]


def missing(local: Local) -> list[str]:
    return [item["egress"] for item in json.loads(run(local, reconcile, "--since", "1h").stdout)["missing"]]


@pytest.mark.parametrize("word", ["writing the erasure record", "deleting versions", "clearing conversations"])
def test_killed_and_run_again_it_is_gone_for_good(local: Local, word: str, tmp_path: Path) -> None:
    name = secrets.token_hex(6)
    room = f"erased-{name}"
    erased, neighbour = call(local, f"{name}a", room), call(local, f"{name}b", room)
    s3 = local.deployment.aws.client("s3")
    s3.delete_object(Bucket=stack.BUCKET, Key=erased.key)  # leaves a delete marker
    s3.create_multipart_upload(Bucket=stack.BUCKET, Key=erased.key)
    link = str(local.airtable.read(erased.record)["audio_recording_url"])
    beside = local.airtable.read(neighbour.record)

    kill_at(local, erased.egress, word, tmp_path)
    done = run(local, erase, erased.egress, "--confirm", erased.egress)
    assert done.exit_code == 0, done.output
    again = run(local, erase, erased.egress)
    assert json.loads(again.stdout)["erasures"][0]["outcome"] == "already erased"

    assert versions(local, erased.key) == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=stack.BUCKET, Prefix=erased.key)
    answer = requests.get(link, verify=local.services.ca_bundle, allow_redirects=False, timeout=30)
    assert answer.status_code == 410
    assert "erased" in answer.text.lower()
    cleared = local.airtable.read(erased.record)
    kept = {"room_name", "room_id", "egress_id", "started_at", "patient_name", "recording_status"}
    assert set(cleared) == kept
    assert str(cleared["recording_status"]).startswith("Erased on request on ")

    send(local, erased)
    wait_for(lambda: drained(local), "an empty queue")
    assert erased.egress not in missing(local)
    wait_for(lambda: drained(local), "an empty queue")
    assert local.airtable.read(erased.record) == cleared
    assert local.airtable.read(neighbour.record) == beside
    assert len(versions(local, neighbour.key)) == 1
