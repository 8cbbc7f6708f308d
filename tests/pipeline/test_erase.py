"""`callrec erase` on the local stack: killed on its way, gone on with, and nothing brings the recording back."""

from __future__ import annotations

import json
import secrets
import textwrap
from pathlib import Path

import pytest
import requests

from scripts.erase.command import erase
from scripts.local import stack
from scripts.reconcile.command import reconcile
from tests.pipeline.calls import drained, wait_for
from tests.pipeline.conftest import Local
from tests.pipeline.killing import killed_when
from tests.pipeline.recorded import call, run, send, versions

pytestmark = pytest.mark.pipeline

PROGRAM = """
    import sys
    from pathlib import Path
    import typer
    from rich.console import Console
    from scripts.context import Context
    from scripts.erase.command import erase
    from scripts.local import stack
    from scripts.local.engine.find import find
    from scripts.local.services import Services
    from tests.pipeline.killing import Halting

    found = Services.load(Path(sys.argv[1]))
    app = typer.Typer()

    @app.callback()
    def common(ctx: typer.Context) -> None:
        console = Console(file=Halting(sys.argv[3]))
        ctx.obj = Context(stack="local", console=console, local={"local": lambda: stack.handle(found, find(print))})

    app.command()(erase)
    app(["erase", sys.argv[2], "--stack", "local", "--confirm", sys.argv[2]])
"""


def kill_at(local: Local, egress: str, word: str, folder: Path) -> None:
    """Erase in a process of its own, and kill it when it says `word`."""
    killed_when(word, local.services, folder, ["-c", textwrap.dedent(PROGRAM)], egress, word)


def play(local: Local, link: str) -> requests.Response:
    return requests.get(link, verify=local.services.ca_bundle, allow_redirects=False, timeout=30)


def missing(local: Local) -> list[str]:
    return [item["egress"] for item in json.loads(run(local, reconcile, "--since", "1h").stdout)["missing"]]


STEPS = ("writing the erasure record", "deleting versions", "clearing conversations")


def test_killed_at_every_step_it_is_gone_for_good_in_the_end(local: Local, tmp_path: Path) -> None:
    name = secrets.token_hex(6)
    room = f"erased-{name}"
    erased, neighbour = call(local, f"{name}a", room), call(local, f"{name}b", room)
    s3 = local.deployment.aws.client("s3")
    link = str(local.airtable.read(erased.record)["audio_recording_url"])
    beside = local.airtable.read(neighbour.record)

    assert play(local, link).status_code == 302
    for word in STEPS[:2]:
        kill_at(local, erased.egress, word, tmp_path)
    assert versions(local, erased.key)  # nothing is deleted yet, and nobody listens any more
    assert play(local, link).status_code == 410
    s3.delete_object(Bucket=stack.BUCKET, Key=erased.key)  # leaves a delete marker
    s3.create_multipart_upload(Bucket=stack.BUCKET, Key=erased.key)
    kill_at(local, erased.egress, STEPS[2], tmp_path)
    done = run(local, erase, erased.egress, "--confirm", erased.egress)
    assert done.exit_code == 0, done.output
    again = run(local, erase, erased.egress)
    assert json.loads(again.stdout)["erasures"][0]["outcome"] == "already erased"

    assert versions(local, erased.key) == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=stack.BUCKET, Prefix=erased.key)
    answer = play(local, link)
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
