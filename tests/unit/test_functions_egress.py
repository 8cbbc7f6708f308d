"""The egress request, field by field, and that it shows its key to nobody."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from livekit import api

from infra.functions.egress import EgressOptions, EgressSettings, Mixing, room_egress, room_request
from infra.functions.errors import SettingsError

SECRET = "upload-secret-upload-secret-upload-secret"
SETTINGS = EgressSettings(
    bucket="practice-recordings",
    region="eu-central-1",
    access_key_id="AKIAEXAMPLE",
    secret_access_key=SECRET,
    options=EgressOptions(webhook_url="https://hook.example", signing_key="APIpractice"),
)
UPLOAD = {
    "accessKey": "AKIAEXAMPLE",
    "secret": SECRET,
    "bucket": "practice-recordings",
    "region": "eu-central-1",
}
GOLDEN: dict[str, Any] = {
    "roomName": "camille",
    "audioOnly": True,
    "advanced": {"audioCodec": "AAC", "audioBitrate": 32},
    "fileOutputs": [
        {
            "fileType": "MP4",
            "filepath": "recordings/{room_name}-{time}.mp4",
            "disableManifest": True,
            "s3": UPLOAD,
        }
    ],
    "webhooks": [{"url": "https://hook.example", "signingKey": "APIpractice"}],
}


def test_the_request_holds_what_it_should_and_nothing_else() -> None:
    """No layout and no page of one's own among it: those would need a browser."""
    assert MessageToDict(room_request(SETTINGS, "camille")) == GOLDEN


def test_a_room_and_a_dispatch_rule_get_the_same_content() -> None:
    assert room_egress(SETTINGS, "camille", phone=False) == api.RoomEgress(room=room_request(SETTINGS, "camille"))
    rule = MessageToDict(room_egress(SETTINGS))
    by_id = GOLDEN["fileOutputs"][0] | {"filepath": "recordings/{room_id}-{time}.mp4"}
    assert rule == {
        "room": {key: value for key, value in GOLDEN.items() if key != "roomName"} | {"fileOutputs": [by_id]}
    }


def test_options_reach_the_request() -> None:
    options = EgressOptions(
        prefix="calls/",
        template="calls/{room_name}/{utc}.mp4",
        phone_template="calls/{room_id}/{utc}.mp4",
        bitrate=64,
        mixing=Mixing.DUAL_AGENT,
        endpoint="https://127.0.0.1:4566",
    )
    made = room_request(replace(SETTINGS, options=options), "camille")
    assert made.file_outputs[0].filepath == "calls/{room_name}/{utc}.mp4"
    assert made.advanced.audio_bitrate == 64
    assert made.file_outputs[0].s3.endpoint == "https://127.0.0.1:4566"
    assert made.file_outputs[0].s3.force_path_style
    assert not made.webhooks


@pytest.mark.parametrize(
    ("mixing", "sent"),
    [
        (Mixing.MONO, api.AudioMixing.DEFAULT_MIXING),
        (Mixing.DUAL_AGENT, api.AudioMixing.DUAL_CHANNEL_AGENT),
        (Mixing.DUAL_ALTERNATE, api.AudioMixing.DUAL_CHANNEL_ALTERNATE),
    ],
)
def test_mixing(mixing: Mixing, sent: int) -> None:
    assert room_request(replace(SETTINGS, options=EgressOptions(mixing=mixing)), "camille").audio_mixing == sent


@pytest.mark.parametrize(
    ("room", "phone", "path"),
    [
        ("camille", False, "recordings/{room_name}-{time}.mp4"),
        ("camille", True, "recordings/{room_id}-{time}.mp4"),
        ("call-_+15105550100_Xy7", False, "recordings/{room_id}-{time}.mp4"),
        ("../camille", False, "recordings/{room_id}-{time}.mp4"),
    ],
)
def test_which_path_a_room_gets(room: str, phone: bool, path: str) -> None:  # noqa: FBT001
    assert room_request(SETTINGS, room, phone=phone).file_outputs[0].filepath == path


def test_the_secret_is_in_no_text_of_the_settings() -> None:
    assert SECRET not in f"{SETTINGS!r} {SETTINGS} {SETTINGS.options}"


def test_a_role_is_handed_on_in_place_of_a_key() -> None:
    settings = replace(
        SETTINGS, access_key_id="", secret_access_key="", role_arn="arn:aws:iam::1:role/r", external_id="said"
    )
    upload = room_request(settings, "camille").file_outputs[0].s3
    assert (upload.assume_role_arn, upload.assume_role_external_id) == ("arn:aws:iam::1:role/r", "said")
    assert (upload.access_key, upload.secret) == ("", "")
    with pytest.raises(SettingsError, match="external_id"):
        replace(settings, external_id="")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"bucket": ""}, "bucket"),
        ({"region": ""}, "region"),
        ({"access_key_id": ""}, "access_key_id"),
        ({"secret_access_key": ""}, "secret_access_key"),
    ],
)
def test_what_egress_would_fail_without_is_asked_for(changes: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        replace(SETTINGS, **changes)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"bitrate": 15}, "audioBitrate"),
        ({"bitrate": 321}, "audioBitrate"),
        ({"webhook_url": "https://hook.example"}, "signing_key"),
        ({"signing_key": "APIpractice"}, "signing_key"),
        ({"template": "elsewhere/{room_name}-{time}.mp4"}, "filePath"),
        ({"phone_template": "recordings/{room_name}-{time}.mp4"}, "phoneFilePath"),
    ],
)
def test_options_that_would_record_wrongly_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        EgressOptions(**changes)


def test_options_from_an_empty_environment_are_the_defaults() -> None:
    assert EgressOptions.from_env({}) == EgressOptions()


def test_options_from_the_environment() -> None:
    env = {
        "CALLREC_PREFIX": "calls/",
        "CALLREC_AUDIO_BITRATE": "48",
        "CALLREC_AUDIO_MIXING": "dual-alternate",
        "CALLREC_WEBHOOK_URL": "https://hook.example",
        "LIVEKIT_API_KEY": "APIpractice",
        "AWS_ENDPOINT_URL": "https://127.0.0.1:4566",
    }
    assert EgressOptions.from_env(env) == EgressOptions(
        prefix="calls/",
        template="calls/{room_name}-{time}.mp4",
        phone_template="calls/{room_id}-{time}.mp4",
        bitrate=48,
        mixing=Mixing.DUAL_ALTERNATE,
        webhook_url="https://hook.example",
        signing_key="APIpractice",
        endpoint="https://127.0.0.1:4566",
    )
    assert EgressOptions.from_env(env | {"CALLREC_LIVEKIT_KEY": "APIother"}).signing_key == "APIother"


@pytest.mark.parametrize("bad", [("CALLREC_AUDIO_BITRATE", "3²"), ("CALLREC_AUDIO_MIXING", "stereo")])
def test_a_bad_option_is_named(bad: tuple[str, str]) -> None:
    with pytest.raises(SettingsError, match="audio"):
        EgressOptions.from_env(dict([bad]))


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("infra.functions.egress, infra.functions.start_settings", ("livekit",)),
        ("infra.functions.receive, infra.functions.play", ("livekit", "aiohttp")),
        ("scripts.agent.recording", ("boto3", "botocore", "pulumi", "pyairtable", "typer", "livekit.agents")),
    ],
    ids=["builder", "receive and play", "an agent"],
)
def test_what_is_not_needed_is_not_imported(modules: str, absent: tuple[str, ...]) -> None:
    """`receive` and `play` must start fast; an agent has no more of this project than it uses."""
    code = f"import sys, {modules}; sys.exit(', '.join(set({absent!r}) & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stderr == ""
