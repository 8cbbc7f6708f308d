"""Every body that a real LiveKit sent, byte for byte, through the deployed `receive` and `deliver`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.package import ROOT
from scripts.local.airtable.conversations import UNRELATED
from tests.pipeline.calls import announce, cells, depth, drained, upload, wait_for
from tests.pipeline.conftest import Local

EVENTS = sorted(path for path in (ROOT / "tests" / "events").glob("*.json") if not path.name.endswith(".meta.json"))
RECORDING = (ROOT / "tests" / "recordings" / "call1.mp4").read_bytes()
OFFICE = {name: f"the office's own {name}" for name in UNRELATED}

pytestmark = pytest.mark.pipeline


def conversation(local: Local, body: bytes) -> str:
    """A conversation of the event's room that began when the room's recording did."""
    event: dict[str, Any] = json.loads(body)
    egress = event.get("egressInfo", {})
    room = event.get("room", {}).get("name") or egress["roomName"]
    started = int(egress.get("startedAt", int(event["createdAt"]) * 10**9)) // 10**9
    stamp = datetime.fromtimestamp(started, UTC).isoformat()
    return local.airtable.seed({"room_name": room, "started_at": stamp, **OFFICE})


def test_there_are_twelve_of_them() -> None:
    assert len(EVENTS) == 12


def test_a_finished_recording_gets_a_link_that_plays_it(local: Local) -> None:
    body = (ROOT / "tests" / "events" / "egress_ended.json").read_bytes()
    key = json.loads(body)["egressInfo"]["fileResults"][0]["filename"]
    record = conversation(local, body)
    upload(local, key, RECORDING)
    assert announce(local, body).status_code == 200
    seen = cells(local, record, "audio_recording_url")
    link = seen.pop("audio_recording_url")
    assert link.startswith(f"{local.deployment.outputs.play_url}/r/")
    assert seen == {
        "room_name": "call1",
        "started_at": "2026-11-24T00:00:35.000Z",
        "egress_id": "EG_qSre47Ggpyvq",
        "room_id": "RM_xRvi3HAA2vta",
        "recording_duration": 11.8,
        "recording_size": 191897,
        "recording_started_at": seen["recording_started_at"],
        "recording_ended_at": seen["recording_ended_at"],
        "recording_status": seen["recording_status"],
        **OFFICE,
    }
    played = requests.get(link, verify=local.services.ca_bundle, timeout=30)
    assert played.content == RECORDING
    part = requests.get(link, headers={"Range": "bytes=100-199"}, verify=local.services.ca_bundle, timeout=30)
    assert (part.status_code, part.content) == (206, RECORDING[100:200])


@pytest.mark.parametrize("name", ["egress_ended.failed.auth3", "egress_ended.aborted.nopub1"])
def test_a_lost_recording_is_told_in_words_and_gets_no_link(local: Local, name: str) -> None:
    body = (ROOT / "tests" / "events" / f"{name}.json").read_bytes()
    record = conversation(local, body)
    assert announce(local, body).status_code == 200
    seen = cells(local, record, "recording_status")
    assert "audio_recording_url" not in seen
    assert seen["recording_status"]
    assert {name: seen[name] for name in UNRELATED} == OFFICE


@pytest.mark.parametrize(
    "path", [path for path in EVENTS if not path.name.startswith("egress_ended")], ids=lambda path: path.stem
)
def test_every_other_event_is_accepted_and_changes_nothing(local: Local, path: Path) -> None:
    body = path.read_bytes()
    record = conversation(local, body)
    before = local.airtable.read(record)
    dead = depth(local, local.deployment.outputs.dead_letter_queue_url)
    assert announce(local, body).status_code == 200
    wait_for(lambda: drained(local), "an empty queue")
    assert local.airtable.read(record) == before
    assert depth(local, local.deployment.outputs.dead_letter_queue_url) == dead
