"""Recordings that run while the stack goes: found by their bucket, stopped, and waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from livekit import api

from scripts.errors import StackError
from scripts.livekit_access import LiveKit
from scripts.teardown import egresses
from tests.unit.verify_support import API_KEY, API_SECRET, BUCKET, Answer, Request, web


def upload(bucket: str) -> api.EncodedFileOutput:
    return api.EncodedFileOutput(filepath="calls/x.mp4", s3=api.S3Upload(bucket=bucket))


def into(egress_id: str, bucket: str) -> api.EgressInfo:
    composite = api.RoomCompositeEgressRequest(room_name="camille", file_outputs=[upload(bucket)])
    return api.EgressInfo(egress_id=egress_id, room_composite=composite)


@dataclass
class FakeLiveKit:
    """Lists what runs; a stopped egress is listed `lag` times more, while it uploads."""

    running: list[api.EgressInfo] = field(default_factory=list[api.EgressInfo])
    lag: int = 0
    stopped: list[str] = field(default_factory=list[str])
    error: Answer | None = None

    def respond(self, request: Request) -> Answer:
        if request.path.endswith("/ListEgress"):
            if self.stopped:
                if self.lag == 0:
                    self.running = [info for info in self.running if info.egress_id not in self.stopped]
                else:
                    self.lag -= 1
            return 200, {}, api.ListEgressResponse(items=self.running).SerializeToString()
        if self.error is not None:
            return self.error
        wanted = api.StopEgressRequest.FromString(request.body).egress_id
        self.stopped.append(wanted)
        return 200, {}, api.EgressInfo(egress_id=wanted).SerializeToString()


def refused(status: int, code: str) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps({"code": code, "msg": "no"}).encode()


def serving(livekit: FakeLiveKit, task: Callable[[LiveKit], Any]) -> Any:
    with web(livekit.respond) as url:
        return task(LiveKit(url=url, key=API_KEY, secret=API_SECRET))


def test_without_a_livekit_in_the_configuration_there_is_none() -> None:
    assert LiveKit.of({}) is None
    assert LiveKit.of({"livekitUrl": ""}) is None
    found = LiveKit.of({"livekitUrl": "wss://x", "livekitApiKey": "k", "livekitApiSecret": "hidden"})
    assert found is not None
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    "info",
    [
        into("EG_1", BUCKET),
        api.EgressInfo(egress_id="EG_1", room_composite=api.RoomCompositeEgressRequest(file=upload(BUCKET))),
        api.EgressInfo(
            egress_id="EG_1", track=api.TrackEgressRequest(file=api.DirectFileOutput(s3=api.S3Upload(bucket=BUCKET)))
        ),
        api.EgressInfo(
            egress_id="EG_1",
            participant=api.ParticipantEgressRequest(
                segment_outputs=[api.SegmentedFileOutput(s3=api.S3Upload(bucket=BUCKET))]
            ),
        ),
    ],
)
def test_what_uploads_into_the_bucket_is_found_wherever_it_says_so(info: api.EgressInfo) -> None:
    livekit = FakeLiveKit(running=[info, into("EG_2", "another"), api.EgressInfo(egress_id="EG_3")])
    assert serving(livekit, lambda at: egresses.recording_into(at, BUCKET)) == ["EG_1"]


def test_stopping_waits_until_the_files_are_uploaded() -> None:
    livekit = FakeLiveKit(running=[into("EG_1", BUCKET), into("EG_2", BUCKET)], lag=3)
    pauses: list[float] = []
    serving(livekit, lambda at: egresses.stop(at, BUCKET, ["EG_1"], pauses.append))
    assert livekit.stopped == ["EG_1"]
    assert len(pauses) == 3


@pytest.mark.parametrize("code", ["not_found", "failed_precondition"])
def test_one_that_ended_meanwhile_needs_no_stopping(code: str) -> None:
    livekit = FakeLiveKit(error=refused(404, code))
    serving(livekit, lambda at: egresses.stop(at, BUCKET, ["EG_1"], lambda _: None))


def test_another_refusal_to_stop_is_said() -> None:
    livekit = FakeLiveKit(running=[into("EG_1", BUCKET)], error=refused(403, "permission_denied"))
    with pytest.raises(StackError, match=r"permission_denied.*Nothing was removed"):
        serving(livekit, lambda at: egresses.stop(at, BUCKET, ["EG_1"], lambda _: None))


def test_one_that_does_not_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egresses, "UPLOAD_SECONDS", -1.0)
    livekit = FakeLiveKit(running=[into("EG_1", BUCKET)], lag=-1)
    with pytest.raises(StackError, match=r"do not end: EG_1.*--ignore-livekit"):
        serving(livekit, lambda at: egresses.stop(at, BUCKET, ["EG_1"], lambda _: None))


def test_a_livekit_that_cannot_be_asked_is_said() -> None:
    nobody = LiveKit(url="http://127.0.0.1:9", key=API_KEY, secret=API_SECRET)
    with pytest.raises(StackError, match=r"cannot be asked.*--ignore-livekit"):
        egresses.recording_into(nobody, BUCKET)
