"""No secret in anything that a run writes: files, logs of functions, the engine's output, its state, our own output."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand
from rich.console import Console

from scripts.local.replay import Replay
from scripts.verify import report
from scripts.verify.hop import run_all
from scripts.verify.progress import shown
from scripts.verify.run import run
from tests.pipeline.conftest import Local, made

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def local(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A stack of its own: the queue drops an event that another test has sent within five minutes."""
    with made(tmp_path_factory.mktemp("secrets"), engine) as found:
        yield found


def test_no_secret_is_written_anywhere(local: Local) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=200)
    replay = Replay(local.deployment)
    with shown(console) as progress:
        results = run_all(replay.hops(), on_start=progress.start, on_result=progress.result)
        results += run(local.deployment, on_start=progress.start, on_result=progress.result)
    console.print(report.table(results, console))
    event = json.dumps({"by_hand": True, "since_seconds": 3600, "dry_run": True}).encode()
    function = local.deployment.outputs.functions["reconcile"]
    answer = local.deployment.aws.client("lambda").invoke(FunctionName=function, Payload=event)
    assert local.livekit.journal.count("ListEgress") >= 2, "reconcile did not ask LiveKit"
    services, outputs = local.services, local.deployment.outputs
    secrets = {
        "LiveKit secret": services.livekit_api_secret,
        "LiveKit admin token": services.livekit_admin_token,
        "Airtable token": services.airtable_token,
        "link-signing key": services.link_signing_key,
        "passphrase": services.passphrase,
        "uploader's secret": outputs.uploader_secret_access_key,
        "a link's token": replay.link.rpartition("/r/")[2],
    }
    assert all(len(secret) > 20 for secret in secrets.values())
    written = {
        "our own output": screen.getvalue() + repr(local.deployment) + repr(services) + repr(outputs),
        "reconcile's answer": answer["Payload"].read().decode(),
        "our JSON": json.dumps(report.document("local", results)),
        "our JUnit": report.junit("local", results).decode(),
        "the engine's output": "\n".join(local.said),
        **function_logs(local),
        **files(Path(services.folder)),
    }
    [state] = [text for place, text in written.items() if place.endswith("/stacks/callrec/local.json")]
    assert '"ciphertext"' in state
    found = [
        f"{name} in {place}" for place, text in written.items() for name, secret in secrets.items() if secret in text
    ]
    assert found == []


def function_logs(local: Local) -> dict[str, str]:
    """What each function has logged."""
    logs = local.deployment.aws.client("logs")
    texts = {
        f"log of {part}": "\n".join(
            event.get("message", "") for event in logs.filter_log_events(logGroupName=group)["events"]
        )
        for part, group in local.deployment.outputs.log_groups.items()
    }
    assert all(texts.values())
    return texts


def files(folder: Path) -> dict[str, str]:
    """Every file that the services and the engine wrote."""
    return {str(path): path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}


def test_files_with_keys_are_the_owners_alone(local: Local) -> None:
    folder = Path(local.services.folder)
    private = [*folder.rglob("*.key"), *folder.glob("*.log")]
    assert len(private) >= 2
    for path in private:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
