"""Egresses of the LiveKit stand-in: their life, and what LiveKit tells of it; through LiveKit's own client."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from livekit import api
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from scripts.local.livekit_server import LiveKitServer
from tests.unit.livekit_support import EVENTS, SCALE, ask, listed, refusal, room_egress, wait_until

Status = api.EgressStatus


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=SCALE) as server:
        yield server


def start(livekit: LiveKitServer, room: str = "camille", **changes: Any) -> api.EgressInfo:
    request = room_egress(room_name=room, **changes)
    return ask(livekit, lambda client: client.egress.start_room_composite_egress(request))


def stop(livekit: LiveKitServer, egress_id: str) -> api.EgressInfo:
    request = api.StopEgressRequest(egress_id=egress_id)
    return ask(livekit, lambda client: client.egress.stop_egress(request))


def one(livekit: LiveKitServer, egress_id: str) -> api.EgressInfo:
    [info] = listed(livekit, egress_id=egress_id)
    return info


def wait_for(livekit: LiveKitServer, egress_id: str, status: api.EgressStatus) -> api.EgressInfo:
    wait_until(lambda: one(livekit, egress_id).status == status)
    return one(livekit, egress_id)


def recording(livekit: LiveKitServer, room: str = "camille") -> str:
    """An egress that has become active."""
    livekit.join(room, "caller")
    egress_id = start(livekit, room).egress_id
    wait_for(livekit, egress_id, Status.EGRESS_ACTIVE)
    return egress_id


def test_from_start_to_end(livekit: LiveKitServer) -> None:
    sid = livekit.add_room("camille")
    livekit.join("camille", "caller")
    begin = time.time_ns()
    started = start(livekit)
    assert started.egress_id.startswith("EG_")
    assert (started.room_id, started.room_name, started.status) == (sid, "camille", Status.EGRESS_STARTING)
    assert begin <= started.started_at <= time.time_ns()
    active = wait_for(livekit, started.egress_id, Status.EGRESS_ACTIVE)
    assert active.file_results[0].started_at >= started.started_at
    stopped = stop(livekit, started.egress_id)
    assert stopped.status == Status.EGRESS_ENDING
    ended = wait_for(livekit, started.egress_id, Status.EGRESS_COMPLETE)
    assert ended.details == "End reason: StopEgress API"
    [file] = ended.file_results
    assert file == ended.file
    assert re.fullmatch(r"calls/camille/\d{4}-\d{2}-\d{2}T\d{6}\.mp4", file.filename)
    assert file.ended_at - file.started_at == file.duration > 0
    assert file.size > 0
    assert file.location == f"https://127.0.0.1:45661/recordings/{file.filename}"
    assert ended.manifest_location.endswith(f"/calls/camille/{ended.egress_id}.json")
    assert ended.ended_at >= ended.started_at


def test_credentials_are_shown_by_name_only(livekit: LiveKitServer) -> None:
    livekit.add_room("camille")
    started = start(livekit)
    for info in (started, one(livekit, started.egress_id)):
        s3 = info.room_composite.file_outputs[0].s3
        assert (s3.access_key, s3.secret, s3.session_token) == ("{access_key}", "{secret}", "")
        assert (s3.bucket, s3.region) == ("recordings", "us-east-1")
    held = repr(livekit.recorder._known)
    assert "s3-secret-of-the-request" not in held
    assert "AKIAUNIT" not in held


def test_an_egress_is_a_hidden_participant(livekit: LiveKitServer) -> None:
    egress_id = recording(livekit)
    question = api.ListParticipantsRequest(room="camille")
    people = ask(livekit, lambda client: client.room.list_participants(question)).participants
    [egress] = [person for person in people if person.kind == ParticipantInfo.Kind.EGRESS]
    assert (egress.identity, egress.permission.hidden, egress.permission.recorder) == (egress_id, True, True)
    rooms = ask(livekit, lambda client: client.room.list_rooms(api.ListRoomsRequest())).rooms
    assert (rooms[0].num_participants, rooms[0].active_recording) == (1, True)
    stop(livekit, egress_id)
    livekit.settle()
    people = ask(livekit, lambda client: client.room.list_participants(question)).participants
    assert [person.identity for person in people] == ["caller"]


def test_it_becomes_active_when_somebody_talks(livekit: LiveKitServer) -> None:
    livekit.join("camille", "caller", publish=False)
    egress_id = start(livekit).egress_id
    livekit.settle()
    assert one(livekit, egress_id).status == Status.EGRESS_STARTING
    livekit.publish("camille", "caller")
    wait_for(livekit, egress_id, Status.EGRESS_ACTIVE)


@pytest.mark.parametrize("by_room", [False, True])
def test_where_nobody_talked_it_is_aborted(livekit: LiveKitServer, *, by_room: bool) -> None:
    livekit.join("camille", "caller", publish=False)
    egress_id = start(livekit).egress_id
    livekit.settle()
    if by_room:
        ask(livekit, lambda client: client.room.delete_room(api.DeleteRoomRequest(room="camille")))
        livekit.settle()
    else:
        assert stop(livekit, egress_id).status == Status.EGRESS_ABORTED
    ended = one(livekit, egress_id)
    assert (ended.status, ended.error, ended.error_code) == (
        Status.EGRESS_ABORTED,
        "Start signal not received",
        412,
    )
    assert not ended.file_results[0].size
    assert not ended.file_results[0].location


@pytest.mark.parametrize("how", ["deleted", "left"])
def test_it_ends_with_its_room(livekit: LiveKitServer, how: str) -> None:
    egress_id = recording(livekit)
    if how == "deleted":
        ask(livekit, lambda client: client.room.delete_room(api.DeleteRoomRequest(room="camille")))
    else:
        livekit.leave("camille", "caller")
    ended = wait_for(livekit, egress_id, Status.EGRESS_COMPLETE)
    assert ended.details == "End reason: Source closed"


def test_a_room_is_recorded_from_its_creation(livekit: LiveKitServer) -> None:
    wanted = api.CreateRoomRequest(name="outbound", egress=api.RoomEgress(room=room_egress()))
    room = ask(livekit, lambda client: client.room.create_room(wanted))
    [info] = listed(livekit)
    assert (info.room_id, info.room_name, info.room_composite.room_name) == (room.sid, "outbound", "outbound")
    again = ask(livekit, lambda client: client.room.create_room(wanted))
    assert again.sid == room.sid
    assert len(listed(livekit)) == 1
    livekit.join("outbound", "callee", "sip")
    wait_for(livekit, info.egress_id, Status.EGRESS_ACTIVE)


def test_what_cannot_be_recorded_is_refused(livekit: LiveKitServer) -> None:
    assert refusal(livekit, lambda client: client.egress.start_room_composite_egress(
        room_egress(room_name="nowhere")
    )).code == "not_found"  # fmt: skip
    livekit.add_room("camille")
    for request in (
        room_egress(),
        room_egress(room_name="camille", file_outputs=[]),
        room_egress(room_name="camille", video_only=True),
    ):
        error = refusal(livekit, lambda client, what=request: client.egress.start_room_composite_egress(what))
        assert (error.status, error.code) == (400, "invalid_argument")
    other = api.RoomEgress(tracks=api.AutoTrackEgress(filepath="x"))
    wanted = api.CreateRoomRequest(name="tracks", egress=other)
    assert refusal(livekit, lambda client: client.room.create_room(wanted)).status == 501
    assert listed(livekit) == []


def test_filters(livekit: LiveKitServer) -> None:
    first, second = recording(livekit, "a"), recording(livekit, "b")
    stop(livekit, first)
    livekit.settle()
    third = start(livekit, "a").egress_id
    assert [info.egress_id for info in listed(livekit)] == [first, second, third]
    assert [info.egress_id for info in listed(livekit, room_name="a")] == [first, third]
    assert [info.egress_id for info in listed(livekit, active=True)] == [second, third]
    assert [info.egress_id for info in listed(livekit, room_name="a", active=True)] == [third]
    assert [info.egress_id for info in listed(livekit, egress_id=first)] == [first]
    assert listed(livekit, room_name="nowhere") == []
    error = refusal(livekit, lambda client: client.egress.list_egress(api.ListEgressRequest(egress_id="EG_none")))
    assert (error.status, error.code) == (404, "not_found")
    assert error.message == "twirp error unknown: egress does not exist"


def test_pages(livekit: LiveKitServer) -> None:
    ids = [livekit.add_egress(api.EgressInfo(egress_id=f"EG_{number}", room_name="r")) for number in range(5)]
    livekit.egress.page_size = 2
    seen: list[list[str]] = []
    token = api.TokenPagination()
    while True:
        request = api.ListEgressRequest(room_name="r", page_token=token)
        answer = ask(livekit, lambda client, what=request: client.egress.list_egress(what))
        seen.append([info.egress_id for info in answer.items])
        token = answer.next_page_token
        if not token.token:
            break
    assert seen == [ids[:2], ids[2:4], ids[4:]]
    livekit.egress.page_size = None
    assert [info.egress_id for info in listed(livekit)] == ids
    for bad in ("x", "e30="):
        request = api.ListEgressRequest(page_token=api.TokenPagination(token=bad))
        assert refusal(livekit, lambda client, what=request: client.egress.list_egress(what)).status == 400


def test_what_cannot_be_stopped(livekit: LiveKitServer) -> None:
    egress_id = recording(livekit)
    stop(livekit, egress_id)
    livekit.settle()
    over = refusal(livekit, lambda client: client.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))
    assert (over.status, over.code) == (412, "failed_precondition")
    assert over.message == "egress with status EGRESS_COMPLETE cannot be stopped"
    unknown = refusal(livekit, lambda client: client.egress.stop_egress(api.StopEgressRequest(egress_id="EG_x")))
    assert (unknown.status, unknown.code) == (404, "not_found")


def test_a_host_that_dies_leaves_it_active_for_ever(livekit: LiveKitServer) -> None:
    egress_id = recording(livekit)
    livekit.recorder.kill(egress_id)
    ask(livekit, lambda client: client.room.delete_room(api.DeleteRoomRequest(room="camille")))
    livekit.settle()
    assert one(livekit, egress_id).status == Status.EGRESS_ACTIVE
    error = refusal(livekit, lambda client: client.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))
    assert (error.status, error.code) == (408, "deadline_exceeded")
    assert one(livekit, egress_id).status == Status.EGRESS_ACTIVE


@pytest.mark.parametrize("name", ["egress_ended", "egress_ended.failed.auth3", "egress_ended.aborted.nopub1"])
def test_captured_events_can_be_planted(name: str) -> None:
    body = (EVENTS / f"{name}.json").read_bytes()
    with LiveKitServer(now_ns=lambda: 1_795_480_000_000_000_000) as livekit:  # soon after they were captured
        egress_id = livekit.add_egress(body)
        assert livekit.recorder.all() == [Parse(body, WebhookEvent()).egress_info]
        assert egress_id.encode() in body


def test_a_captured_one_that_runs_can_be_stopped(livekit: LiveKitServer) -> None:
    egress_id = livekit.add_egress((EVENTS / "egress_updated.active.json").read_bytes())
    assert [info.egress_id for info in listed(livekit, active=True)] == [egress_id]
    assert stop(livekit, egress_id).status == Status.EGRESS_ENDING
    ended = wait_for(livekit, egress_id, Status.EGRESS_COMPLETE)
    assert ended.file.size > 0
    assert ended.manifest_location == f"https://127.0.0.1:45661/recordings/calls/call1/{egress_id}.json"


def test_a_planted_one_can_be_dead_or_of_any_make(livekit: LiveKitServer) -> None:
    info = api.EgressInfo(egress_id="EG_dead", status=Status.EGRESS_ACTIVE, room_name="r")
    assert livekit.add_egress(info, dead=True) == "EG_dead"
    assert refusal(livekit, lambda client: client.egress.stop_egress(api.StopEgressRequest(egress_id="EG_dead")))
    assert livekit.add_egress('{"egressId": "EG_json", "status": "EGRESS_ACTIVE", "newField": 1}') == "EG_json"
    assert stop(livekit, "EG_json").status == Status.EGRESS_ENDING
    info.room_name = "changed afterwards"
    assert one(livekit, "EG_dead").room_name == "r"
    for wrong in ("[]", '{"egressId": 3}'):
        with pytest.raises(ValueError, match="egress"):
            livekit.add_egress(wrong)


def test_a_planted_one_ends_with_its_room(livekit: LiveKitServer) -> None:
    sid = livekit.add_room("camille", sid="RM_camille")
    info = api.EgressInfo(egress_id="EG_1", status=Status.EGRESS_ACTIVE, room_name="camille", room_id=sid)
    livekit.add_egress(info)
    other = api.EgressInfo(egress_id="EG_2", status=Status.EGRESS_ACTIVE, room_name="camille", room_id="RM_before")
    livekit.add_egress(other)
    ask(livekit, lambda client: client.room.delete_room(api.DeleteRoomRequest(room="camille")))
    assert wait_for(livekit, "EG_1", Status.EGRESS_COMPLETE).details == "End reason: Source closed"
    livekit.settle()
    assert one(livekit, "EG_2").status == Status.EGRESS_ACTIVE


def test_a_day_after_its_end_it_is_forgotten() -> None:
    now = 1_795_478_447_000_000_000
    hour = 3600 * 1_000_000_000
    with LiveKitServer(now_ns=lambda: now) as livekit:
        for name, ended, status in (
            ("EG_old", now - 25 * hour, Status.EGRESS_COMPLETE),
            ("EG_new", now - 23 * hour, Status.EGRESS_COMPLETE),
            ("EG_runs", 0, Status.EGRESS_ACTIVE),
        ):
            livekit.add_egress(api.EgressInfo(egress_id=name, ended_at=ended, status=status))
        assert [info.egress_id for info in livekit.recorder.all()] == ["EG_new", "EG_runs"]


def test_settling_has_its_limit(livekit: LiveKitServer) -> None:
    livekit.pace.scale = 50
    livekit.join("camille", "caller")
    start(livekit)
    with pytest.raises(TimeoutError, match="still busy"):
        livekit.settle(0.05)
