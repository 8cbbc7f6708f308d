"""Rooms of the LiveKit stand-in, through LiveKit's own client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from livekit import api
from livekit.protocol.models import ParticipantInfo

from scripts.local.livekit_server import LiveKitServer
from tests.unit.livekit_support import SCALE, ask, refusal, token, wait_until


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=SCALE) as server:
        yield server


def create(livekit: LiveKitServer, name: str, **fields: Any) -> api.Room:
    return ask(livekit, lambda client: client.room.create_room(api.CreateRoomRequest(name=name, **fields)))


def rooms(livekit: LiveKitServer, *names: str) -> list[api.Room]:
    return list(ask(livekit, lambda client: client.room.list_rooms(api.ListRoomsRequest(names=names))).rooms)


def people(livekit: LiveKitServer, room: str) -> list[ParticipantInfo]:
    question = api.ListParticipantsRequest(room=room)
    return list(ask(livekit, lambda client: client.room.list_participants(question)).participants)


def delete(livekit: LiveKitServer, room: str) -> None:
    ask(livekit, lambda client: client.room.delete_room(api.DeleteRoomRequest(room=room)))


def test_a_room_is_made_once_and_then_stays_as_it_is(livekit: LiveKitServer) -> None:
    made = create(livekit, "camille", empty_timeout=30, departure_timeout=5, metadata="first", max_participants=3)
    assert made.sid.startswith("RM_")
    assert abs(made.creation_time_ms / 1000 - time.time()) < 60
    assert made.creation_time == made.creation_time_ms // 1000
    assert (made.empty_timeout, made.departure_timeout, made.max_participants) == (30, 5, 3)
    assert [codec.mime for codec in made.enabled_codecs][:2] == ["audio/PCMU", "audio/PCMA"]
    again = create(livekit, "camille", metadata="second", max_participants=9)
    assert again == made
    defaults = create(livekit, "other")
    assert (defaults.empty_timeout, defaults.departure_timeout) == (300, 20)


def test_listing_takes_names(livekit: LiveKitServer) -> None:
    assert rooms(livekit) == []
    made = [create(livekit, name) for name in ("a", "b", "c")]
    assert rooms(livekit) == made
    assert rooms(livekit, "c", "a", "nowhere") == [made[0], made[2]]
    assert rooms(livekit, "nowhere") == []


def test_a_deleted_room_is_gone_and_its_name_free_for_another(livekit: LiveKitServer) -> None:
    first = create(livekit, "camille")
    livekit.join("camille", "caller")
    delete(livekit, "camille")
    assert rooms(livekit) == []
    assert people(livekit, "camille") == []
    error = refusal(livekit, lambda client: client.room.delete_room(api.DeleteRoomRequest(room="camille")))
    assert (error.status, error.code) == (404, "not_found")
    assert error.message == "twirp error unknown: requested room does not exist"
    assert create(livekit, "camille").sid != first.sid


def test_metadata_is_replaced(livekit: LiveKitServer) -> None:
    create(livekit, "camille", metadata="old")
    change = api.UpdateRoomMetadataRequest(room="camille", metadata='{"record": false}')
    assert ask(livekit, lambda client: client.room.update_room_metadata(change)).metadata == '{"record": false}'
    assert rooms(livekit)[0].metadata == '{"record": false}'
    nowhere = api.UpdateRoomMetadataRequest(room="nowhere", metadata="x")
    assert refusal(livekit, lambda client: client.room.update_room_metadata(nowhere)).code == "not_found"


def test_limits_are_livekits(livekit: LiveKitServer) -> None:
    long = "x" * (512 * 1024 + 1)
    for request in (
        api.CreateRoomRequest(name="x" * 257),
        api.CreateRoomRequest(name="big", metadata=long),
        api.CreateRoomRequest(name="pre", room_preset="unknown"),
    ):
        assert refusal(livekit, lambda client, what=request: client.room.create_room(what)).status == 400
    error = refusal(
        livekit,
        lambda client: client.room.update_room_metadata(api.UpdateRoomMetadataRequest(room="a", metadata=long)),
    )
    assert (error.code, error.metadata) == ("invalid_argument", {"argument": "metadata size exceeds limits"})
    assert rooms(livekit) == []
    create(livekit, "x" * 256)


def test_who_is_in_a_room(livekit: LiveKitServer) -> None:
    create(livekit, "camille", departure_timeout=100_000)
    livekit.join("camille", "+4915112345678", "sip", attributes={"sip.callID": "SCL_1"}, metadata="m", name="Caller")
    livekit.join("camille", "agent-1", "agent", publish=False)
    caller, agent = people(livekit, "camille")
    assert (caller.identity, caller.kind, caller.name) == ("+4915112345678", ParticipantInfo.Kind.SIP, "Caller")
    assert (caller.metadata, dict(caller.attributes)) == ("m", {"sip.callID": "SCL_1"})
    assert (caller.state, caller.is_publisher) == (ParticipantInfo.State.ACTIVE, True)
    assert (agent.kind, agent.is_publisher) == (ParticipantInfo.Kind.AGENT, False)
    [room] = rooms(livekit)
    assert (room.num_participants, room.num_publishers, room.active_recording) == (1, 1, False)
    livekit.publish("camille", "agent-1")
    assert rooms(livekit)[0].num_publishers == 2
    livekit.leave("camille", "+4915112345678")
    assert [person.identity for person in people(livekit, "camille")] == ["agent-1"]


def test_a_second_one_of_an_identity_takes_the_place_of_the_first(livekit: LiveKitServer) -> None:
    first = livekit.join("camille", "caller")
    second = livekit.join("camille", "caller")
    assert first != second
    assert [person.sid for person in people(livekit, "camille")] == [second]


def test_a_kind_that_livekit_has_not_is_named(livekit: LiveKitServer) -> None:
    with pytest.raises(ValueError, match=r"standard, .*not 'phone'"):
        livekit.join("camille", "x", "phone")


def test_a_room_that_everybody_left_closes_and_one_with_a_caller_does_not(livekit: LiveKitServer) -> None:
    create(livekit, "empty", empty_timeout=5, departure_timeout=100_000)
    create(livekit, "left", departure_timeout=5, empty_timeout=100_000)
    livekit.join("left", "caller")
    livekit.join("left", "agent", "agent")
    livekit.join("busy", "caller")
    livekit.leave("left", "caller")
    wait_until(lambda: [room.name for room in rooms(livekit)] == ["busy"])


def post(livekit: LiveKitServer, path: str, verb: str = "POST", **request: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token(livekit, video={'roomList': True, 'roomCreate': True})}"}
    headers |= request.pop("headers", {})
    return requests.request(verb, livekit.url + path, headers=headers, timeout=60, **request)


PROTOBUF, JSON = {"Content-Type": "application/protobuf"}, {"Content-Type": "application/json"}
LIST = "/twirp/livekit.RoomService/ListRooms"


def test_twirp_takes_json_too_and_answers_in_kind(livekit: LiveKitServer) -> None:
    answer = post(
        livekit, "/twirp/livekit.RoomService/CreateRoom", headers=JSON, data='{"name": "j", "emptyTimeout": 3}'
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    made = answer.json()
    assert (made["name"], made["empty_timeout"], made["max_participants"]) == ("j", 3, 0)
    assert made["creation_time"].isdigit()
    assert answer.text.startswith('{"sid":"RM_')
    assert list(made)[:5] == ["sid", "name", "empty_timeout", "departure_timeout", "max_participants"]


@pytest.mark.parametrize(
    ("verb", "kind", "body", "says"),
    [
        ("GET", "application/protobuf", b"", 'unsupported method "GET" (only POST is allowed)'),
        ("POST", "text/plain", b"", 'unexpected Content-Type: "text/plain"'),
        ("POST", "application/protobuf", b"\xff\xff\xff", "the protobuf request could not be decoded"),
        ("POST", "application/json", b"{", "the json request could not be decoded"),
        ("POST", "application/json", b'{"names": 3}', "the json request could not be decoded"),
    ],
)
def test_what_twirp_cannot_read(livekit: LiveKitServer, verb: str, kind: str, body: bytes, says: str) -> None:
    answer = post(livekit, LIST, verb, headers={"Content-Type": kind}, data=body)
    assert answer.headers["Content-Type"] == "application/json"
    if "decoded" in says:
        assert (answer.status_code, answer.json()) == (400, {"code": "malformed", "msg": says})
    else:
        meta = {"twirp_invalid_route": f"{verb} {LIST}"}
        assert (answer.status_code, answer.json()) == (404, {"code": "bad_route", "msg": says, "meta": meta})


def test_paths_that_lead_nowhere(livekit: LiveKitServer) -> None:
    for path in ("/nope", "/twirp/livekit.Nope/Nope", "/twirp/x/livekit.RoomService/ListRooms", "/settings/regions"):
        answer = post(livekit, path, headers=PROTOBUF)
        assert (answer.status_code, answer.text) == (404, "404 page not found\n")
    unknown = post(livekit, "/twirp/livekit.RoomService/Nope", headers=PROTOBUF)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "bad_route")
    left_out = post(livekit, "/twirp/livekit.RoomService/SendData", headers=PROTOBUF)
    assert (left_out.status_code, left_out.json()["code"]) == (501, "unimplemented")
    assert post(livekit, "/" + LIST, headers={"Content-Type": "Application/Protobuf; charset=x"}).status_code == 200
    assert requests.get(livekit.url, timeout=60).text == "OK"
