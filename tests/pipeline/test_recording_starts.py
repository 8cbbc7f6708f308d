"""A call that nobody but LiveKit knows of: joined, recorded, uploaded, linked and played, by a deployed stack alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import requests
from pulumi.automation import ConfigValue, PulumiCommand

from infra.package import ROOT
from scripts.dashboard.emf import Datapoint, datapoints
from scripts.local import services, stack
from tests.alarm_state import rings
from tests.pipeline.calls import announce, cells, drained, wait_for
from tests.pipeline.conftest import Local

RECORDING = (ROOT / "tests" / "recordings" / "call1.mp4").read_bytes()
CHANGES = {
    "callrec:recordRooms": ConfigValue("true"),
    "callrec:audioMixing": ConfigValue("dual-agent"),
    "callrec:accessLogs": ConfigValue("false"),
}

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def recorded(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A stack that starts recordings, with services of its own."""
    said: list[str] = []
    with services.run(tmp_path_factory.mktemp("starts")) as (found, airtable, livekit):
        deployment = stack.up(found, engine, said.append, CHANGES)
        livekit.recorder.recording = RECORDING
        yield Local(
            services=found, airtable=airtable, livekit=livekit, deployment=deployment, engine=engine, said=tuple(said)
        )


def test_a_phone_call_is_recorded_from_its_beginning_to_a_link_that_plays(recorded: Local) -> None:
    name = "call-_+15105550100_Xy7"
    recorded.livekit.join(name, "agent", "agent")
    for number in range(3):
        recorded.livekit.join(name, f"caller-{number}", "sip")
    room_id = recorded.livekit.rooms.get(name).info.sid
    record = recorded.airtable.seed({"room_name": name, "room_id": room_id})
    wait_for(lambda: recorded.livekit.rooms.get(name).shown().active_recording, "a recording")
    wait_for(lambda: drained(recorded), "an empty queue")
    (info,) = recorded.livekit.recorder.all()
    assert info.file_results[0].filename.startswith(f"calls/{room_id}-")
    assert info.room_composite.audio_mixing == 1
    assert info.room_composite.webhooks[0].url == recorded.deployment.outputs.webhook_url
    for number in range(3):
        recorded.livekit.leave(name, f"caller-{number}")
    seen = cells(recorded, record, "audio_recording_url")
    assert seen["egress_id"] == info.egress_id
    played = requests.get(seen["audio_recording_url"], verify=recorded.services.ca_bundle, timeout=30)
    assert played.content == RECORDING
    wait_for(lambda: drained(recorded), "an empty queue")
    assert recorded.livekit.journal.count("StartRoomCompositeEgress") == 1


def test_a_test_room_is_not_recorded(recorded: Local) -> None:
    recorded.livekit.join("test-1", "caller", "sip")
    recorded.livekit.settle()
    wait_for(lambda: drained(recorded), "an empty queue")
    assert recorded.livekit.journal.count("StartRoomCompositeEgress") == 1


def test_a_recording_that_could_not_begin_rings_the_alarm(recorded: Local) -> None:
    """An event that comes hours late: LiveKit could not be asked in time."""
    outputs, aws = recorded.deployment.outputs, recorded.deployment.aws
    logs, cloudwatch, began = aws.client("logs"), aws.client("cloudwatch"), time.time()
    body = (ROOT / "tests" / "events" / "participant_joined.json").read_bytes()
    assert announce(recorded, body).status_code == 200

    def counted() -> list[Datapoint]:
        found = logs.filter_log_events(
            logGroupName=outputs.log_groups["deliver"], startTime=int(began * 1000), filterPattern='"start_missed"'
        )
        return [point for event in found["events"] for point in datapoints(event.get("message", ""))]

    points = wait_for(counted, "the count of what was missed")
    [alarm] = cloudwatch.describe_alarms(AlarmNames=["callrec-local-start-missed"])["MetricAlarms"]
    assert rings(alarm, points, time.time())
    assert not rings(alarm, [], time.time())
    wait_for(lambda: drained(recorded), "an empty queue")


def test_no_log_holds_the_upload_key_or_a_number(recorded: Local) -> None:
    outputs, logs = recorded.deployment.outputs, recorded.deployment.aws.client("logs")
    text = "".join(
        json.dumps(page["events"], default=str)
        for group in outputs.log_groups.values()
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    )
    assert "recording_started" in text
    for private in (outputs.uploader_secret_access_key, recorded.services.livekit_api_secret, "5105550100"):
        assert private not in text
