"""A call on the local stack's own LiveKit: recorded into its bucket, told by its webhooks, linked in its Airtable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from tests.pipeline.calls import cells, drained, wait_for
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline

ROOM = "test-of-the-stand-in"  # a name that no policy records by itself
RECORDING = Path(__file__).resolve().parents[1] / "recordings" / "call1.mp4"


@pytest.fixture
def recording(local: Local) -> Iterator[bytes]:
    """What the stand-in's egress uploads meanwhile."""
    content = local.livekit.recorder.recording = RECORDING.read_bytes()
    local.livekit.recorder.seconds = 11.8
    yield content
    local.livekit.recorder.recording = local.livekit.recorder.seconds = None


def ask(local: Local, question: Callable[[api.LiveKitAPI], Awaitable[Any]]) -> Any:
    async def asked() -> Any:
        config = local.deployment.config
        url = local.deployment.outputs.livekit_url
        async with api.LiveKitAPI(url, config["livekitApiKey"], config["livekitApiSecret"]) as client:
            return await question(client)

    return asyncio.run(asked())


def request(local: Local) -> api.RoomCompositeEgressRequest:
    """Into the stack's bucket, with its write-only key."""
    outputs = local.deployment.outputs
    upload = api.S3Upload(
        access_key=outputs.uploader_access_key_id,
        secret=outputs.uploader_secret_access_key,
        region=outputs.region,
        bucket=outputs.bucket,
        endpoint=local.services.endpoint_url,
        force_path_style=True,
    )
    path = outputs.prefix + "{room_name}/{time}.mp4"
    output = api.EncodedFileOutput(file_type=api.EncodedFileType.MP4, filepath=path, disable_manifest=True, s3=upload)
    return api.RoomCompositeEgressRequest(audio_only=True, file_outputs=[output])


def test_a_call_is_recorded_told_and_linked(local: Local, recording: bytes) -> None:
    started = datetime.now(UTC).isoformat()
    record = local.airtable.seed({"room_name": ROOM, "started_at": started})
    wanted = api.CreateRoomRequest(name=ROOM, egress=api.RoomEgress(room=request(local)))
    room = ask(local, lambda client: client.room.create_room(wanted))
    local.livekit.join(ROOM, "caller", "sip")
    active = wait_for(
        lambda: [
            info
            for info in ask(local, lambda client: client.egress.list_egress(api.ListEgressRequest(active=True))).items
            if info.status == api.EgressStatus.EGRESS_ACTIVE and info.room_id == room.sid
        ],
        "an active egress",
    )
    ask(local, lambda client: client.room.delete_room(api.DeleteRoomRequest(room=ROOM)))
    local.livekit.settle(60)
    seen = cells(local, record, "audio_recording_url")
    assert seen["egress_id"] == active[0].egress_id
    assert seen["room_id"] == room.sid
    assert (seen["recording_duration"], seen["recording_size"]) == (11.8, len(recording))
    key = active[0].file_results[0].filename
    stored = local.deployment.aws.client("s3").get_object(Bucket=local.deployment.outputs.bucket, Key=key)
    assert stored["Body"].read() == recording
    sent = [entry for entry in local.livekit.webhooks.sent if entry.url == local.deployment.outputs.webhook_url]
    assert {entry.event for entry in sent} >= {"room_started", "participant_joined", "egress_ended", "room_finished"}
    assert {entry.tries for entry in sent} == {(200,)}
    wait_for(lambda: drained(local), "the end of the queue")


def test_an_upload_with_a_key_that_s3_does_not_know_is_lost_and_told(local: Local, recording: bytes) -> None:
    room = f"{ROOM}-lost"
    record = local.airtable.seed({"room_name": room, "started_at": datetime.now(UTC).isoformat()})
    local.livekit.join(room, "caller")
    wanted = request(local)
    wanted.room_name, wanted.file_outputs[0].s3.access_key = room, "AKIANOBODY"
    egress_id = ask(local, lambda client: client.egress.start_room_composite_egress(wanted)).egress_id
    local.livekit.settle(60)
    ask(local, lambda client: client.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))
    local.livekit.settle(60)
    question = api.ListEgressRequest(egress_id=egress_id)
    [info] = ask(local, lambda client: client.egress.list_egress(question)).items
    assert (info.status, info.error_code, info.file.size) == (api.EgressStatus.EGRESS_FAILED, 400, 0)
    assert "InvalidAccessKeyId" in info.error
    seen = cells(local, record, "recording_status")
    assert seen["egress_id"] == egress_id
    assert "audio_recording_url" not in seen
    ask(local, lambda client: client.room.delete_room(api.DeleteRoomRequest(room=room)))
    local.livekit.settle(60)
    wait_for(lambda: drained(local), "the end of the queue")
