"""What the LiveKit stand-in's egress stores, and under which name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from livekit import api

from scripts.local.livekit_server import LiveKitServer
from scripts.local.livekit_standin.filenames import manifest_key, object_key
from scripts.local.livekit_standin.redaction import redacted
from tests.unit.livekit_support import SCALE, Store, ask, listed, room_egress, storing

MP4, OGG, MP3 = api.EncodedFileType.MP4, api.EncodedFileType.OGG, api.EncodedFileType.MP3
AT = datetime(2026, 11, 24, 1, 0, 35, 123_000, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=SCALE) as server:
        yield server


@pytest.fixture
def s3() -> Iterator[Store]:
    with storing() as store:
        yield store


def recorded(livekit: LiveKitServer, request: api.RoomCompositeEgressRequest) -> api.EgressInfo:
    """A call recorded from begin to end."""
    livekit.join("camille", "caller")
    request.room_name = "camille"
    egress_id = ask(livekit, lambda client: client.egress.start_room_composite_egress(request)).egress_id
    livekit.settle()
    ask(livekit, lambda client: client.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))
    livekit.settle()
    [info] = listed(livekit, egress_id=egress_id)
    return info


def test_the_recording_and_its_manifest_are_put_with_the_key_of_the_request(livekit: LiveKitServer, s3: Store) -> None:
    livekit.recorder.recording = b"the whole recording"
    livekit.recorder.seconds = 11.8
    info = recorded(livekit, room_egress(s3.url))
    key = info.file_results[0].filename
    assert s3.objects[f"/recordings/{key}"] == b"the whole recording"
    assert s3.signers == {"AKIAUNIT"}
    assert s3.calls == [("PUT", ""), ("PUT", "")]
    assert (info.file.size, info.file.duration) == (19, 11_800_000_000)
    assert info.status == api.EgressStatus.EGRESS_COMPLETE
    host = s3.url.removeprefix("http://")
    assert info.file.location == f"https://{host}/recordings/{key}"
    assert info.manifest_location == f"https://{host}/recordings/calls/camille/{info.egress_id}.json"
    manifest = json.loads(s3.objects[f"/recordings/calls/camille/{info.egress_id}.json"])
    assert (manifest["egress_id"], manifest["room_name"]) == (info.egress_id, "camille")
    assert manifest["files"] == [{"filename": key, "location": info.file.location}]


def test_no_manifest_where_the_request_says_so(livekit: LiveKitServer, s3: Store) -> None:
    livekit.recorder.recording = b"x"
    request = room_egress(s3.url)
    request.file_outputs[0].disable_manifest = True
    info = recorded(livekit, request)
    assert list(s3.objects) == [f"/recordings/{info.file.filename}"]
    assert info.manifest_location == ""


def test_a_large_recording_goes_up_in_parts(livekit: LiveKitServer, s3: Store) -> None:
    livekit.recorder.recording = bytes(range(256)) * (6 * 4096)
    request = room_egress(s3.url)
    request.file_outputs[0].disable_manifest = True
    info = recorded(livekit, request)
    assert s3.objects[f"/recordings/{info.file.filename}"] == livekit.recorder.recording
    assert [verb for verb, _ in s3.calls] == ["POST", "PUT", "PUT", "POST"]


def test_a_refused_recording_is_lost(livekit: LiveKitServer) -> None:
    livekit.recorder.recording = b"x"
    with storing(refuses=403) as s3:
        info = recorded(livekit, room_egress(s3.url))
    assert s3.calls == [("PUT", "")]
    assert (info.status, info.error_code) == (api.EgressStatus.EGRESS_FAILED, 400)
    assert (info.file.size, info.file.location, info.manifest_location) == (0, "", "")
    assert "s3-secret-of-the-request" not in info.error


def test_an_s3_that_is_not_there_is_told(livekit: LiveKitServer) -> None:
    livekit.recorder.recording = b"x"
    info = recorded(livekit, room_egress("http://127.0.0.1:9"))
    assert info.status == api.EgressStatus.EGRESS_FAILED
    assert "EndpointConnectionError" in info.error


def test_an_s3_that_is_out_of_order_is_tried_five_times(livekit: LiveKitServer) -> None:
    livekit.recorder.recording = b"x"
    with storing(refuses=503) as s3:
        info = recorded(livekit, room_egress(s3.url))
    assert info.status == api.EgressStatus.EGRESS_FAILED
    assert s3.calls == [("PUT", "")] * 5


def test_without_a_recording_nothing_is_stored_and_the_size_follows_the_bitrate(
    livekit: LiveKitServer, s3: Store
) -> None:
    livekit.recorder.seconds = 1800.0
    assert recorded(livekit, room_egress(s3.url)).file.size == 28_800_000  # 128 kb/s
    advanced = api.EncodingOptions(audio_bitrate=32)
    assert recorded(livekit, room_egress(s3.url, advanced=advanced)).file.size == 7_200_000
    assert s3.objects == {}


def test_virtual_host_style_is_told_without_region(livekit: LiveKitServer) -> None:
    request = room_egress("")
    request.file_outputs[0].s3.force_path_style = False
    info = recorded(livekit, request)
    assert info.file.location == f"https://recordings.s3.amazonaws.com/{info.file.filename}"


def key(filepath: str, kind: Any = MP4, *, room: str = "camille", audio_only: bool = True) -> str:
    output = api.EncodedFileOutput(file_type=kind, filepath=filepath)
    return object_key(output, audio_only=audio_only, room_name=room, room_id="RM_1", at=AT)


@pytest.mark.parametrize(
    ("filepath", "expected"),
    [
        ("recordings/{room_name}-{time}.mp4", "recordings/camille-2026-11-24T000035.mp4"),
        ("recordings/{room_id}-{utc}.mp4", "recordings/RM_1-20261124000035123.mp4"),
        ("recordings/{retry}x.mp4", "recordings/{retry}x.mp4"),
        ("", "camille-2026-11-24T000035.mp4"),
        ("calls/", "calls/camille-2026-11-24T000035.mp4"),
        ("call", "call.mp4"),
        ("call.ogg", "call.mp4"),
        ("call.v2", "call.v2.mp4"),
        ("a/../../../b/./c.mp4", "b/c.mp4"),
        ("//calls//x.mp4", "/calls/x.mp4"),
        ("..", "camille-2026-11-24T000035.mp4"),
    ],
)
def test_object_keys(filepath: str, expected: str) -> None:
    assert key(filepath) == expected


def test_times_are_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert key("{time}") == "2026-11-24T000035.mp4"
    time.tzset()


def test_a_rooms_name_can_leave_the_folder() -> None:
    assert key("recordings/{room_name}.mp4", room="../x") == "recordings/../x.mp4"


def test_the_kind_of_file_chooses_the_ending() -> None:
    default = api.EncodedFileType.DEFAULT_FILETYPE
    assert [key("x", kind) for kind in (MP4, OGG, MP3, default)] == ["x.mp4", "x.ogg", "x.mp3", "x.ogg"]
    assert key("x", default, audio_only=False) == "x.mp4"


def test_a_manifest_lies_beside_its_recording() -> None:
    assert manifest_key("a/b.mp4", "EG_1") == "a/EG_1.json"
    assert manifest_key("b.mp4", "EG_1") == "EG_1.json"
    assert AT.astimezone(UTC).hour == 0


def test_every_kind_of_storage_is_shown_without_credentials() -> None:
    outputs = [
        api.EncodedFileOutput(
            s3=api.S3Upload(
                access_key="A1", secret="B2", session_token="C3", assume_role_external_id="D4", bucket="kept"
            )
        ),
        api.EncodedFileOutput(gcp=api.GCPUpload(credentials="E5", bucket="kept")),
        api.EncodedFileOutput(azure=api.AzureBlobUpload(account_name="F6", account_key="G7", container_name="kept")),
        api.EncodedFileOutput(aliOSS=api.AliOSSUpload(access_key="H8", secret="I9", bucket="kept")),
    ]
    request = api.RoomCompositeEgressRequest(room_name="r", file_outputs=outputs)
    shown = redacted(request)
    s3, gcp, azure, ali = shown.file_outputs
    assert (s3.s3.access_key, s3.s3.secret, s3.s3.session_token, s3.s3.assume_role_external_id) == (
        "{access_key}",
        "{secret}",
        "{session_token}",
        "{external_id}",
    )
    assert gcp.gcp.credentials == "{credentials}"
    assert (azure.azure.account_name, azure.azure.account_key) == ("{account_name}", "{account_key}")
    assert (ali.aliOSS.access_key, ali.aliOSS.secret) == ("{access_key}", "{secret}")
    assert str(shown).count("kept") == 4
    assert request.file_outputs[0].s3.secret == "B2"
