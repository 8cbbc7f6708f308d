"""Tokens at the LiveKit stand-in: what a running livekit-server 1.13 answered to the same ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests
from livekit import api

from scripts.local.livekit_server import LiveKitServer
from tests.unit.livekit_support import SCALE, refusal, room_egress, token

LIST = "RoomService/ListRooms"
MAY_LIST = {"roomList": True}


@pytest.fixture(scope="module")
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=SCALE, other_keys={"APIother": "o" * 40}) as server:
        yield server


def post(
    server: LiveKitServer, method: str = LIST, message: Any = None, query: str = "", **headers: str
) -> requests.Response:
    body = b"" if message is None else message.SerializeToString()
    given = {"Content-Type": "application/protobuf", **headers}
    return requests.post(f"{server.url}/twirp/livekit.{method}{query}", data=body, headers=given, timeout=60)


def with_token(server: LiveKitServer, text: str, method: str = LIST, message: Any = None) -> requests.Response:
    return post(server, method, message, Authorization=f"Bearer {text}")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Basic abc", "invalid authorization header. Must start with Bearer "),
        ("bearer abc", "invalid authorization header. Must start with Bearer "),
        ("Bearer garbage", "invalid authorization token"),
    ],
)
def test_what_is_no_token_is_refused_in_plain_text(livekit: LiveKitServer, header: str, says: str) -> None:
    answer = post(livekit, Authorization=header)
    assert (answer.status_code, answer.text) == (401, says)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"iss": "APInobody"}, "invalid API key"),
        ({"iss": None}, "invalid API key"),
        ({"iss": "APIother"}, "signature is invalid"),
        ({"exp": 1}, "token is expired"),
        ({"exp": None}, "exp claim"),
        ({"nbf": 9_999_999_999}, "token is not valid yet"),
        ({"video": {"roomList": "yes"}}, "could not JSON decode claim"),
    ],
)
def test_a_token_that_is_no_good_is_refused_with_the_reason(
    livekit: LiveKitServer, claims: dict[str, Any], says: str
) -> None:
    answer = with_token(livekit, token(livekit, **{"video": MAY_LIST, **claims}))
    assert answer.status_code == 401
    assert says in answer.text


@pytest.mark.parametrize("claims", [{"exp": -30}, {"nbf": 30}, {"nbf": None}, {"iat": 1000}])
def test_a_minute_is_forgiven_and_iat_not_asked(livekit: LiveKitServer, claims: dict[str, int | None]) -> None:
    now = int(time.time())
    times = {name: None if offset is None else now + offset for name, offset in claims.items()}
    assert with_token(livekit, token(livekit, video=MAY_LIST, **times)).status_code == 200


@pytest.mark.parametrize(("secret", "algorithm"), [("another-secret" * 4, "HS256"), ("same", "HS384"), (None, "none")])
def test_only_the_right_secret_and_hs256_count(livekit: LiveKitServer, secret: str | None, algorithm: str) -> None:
    claims = {"iss": livekit.api_key, "exp": time.time() + 60, "video": MAY_LIST}
    key: Any = livekit.api_secret if secret == "same" else secret
    answer = with_token(livekit, jwt.encode(claims, key, algorithm=algorithm))
    assert answer.status_code == 401
    assert "signature is invalid" in answer.text


def test_a_second_key_of_the_project_counts_as_the_first(livekit: LiveKitServer) -> None:
    claims = {"iss": "APIother", "exp": time.time() + 60, "video": MAY_LIST}
    assert with_token(livekit, jwt.encode(claims, "o" * 40)).status_code == 200
    assert livekit.journal.entries[-1].key == "APIother"


def test_a_token_in_the_query_counts(livekit: LiveKitServer) -> None:
    assert post(livekit, query=f"?access_token={token(livekit, video=MAY_LIST)}").status_code == 200


ROOM = {"room": "camille"}
METHODS: dict[str, tuple[Any, dict[str, Any]]] = {
    "RoomService/CreateRoom": (api.CreateRoomRequest(name="camille"), {"video": {"roomCreate": True}}),
    "RoomService/ListRooms": (api.ListRoomsRequest(), {"video": MAY_LIST}),
    "RoomService/ListParticipants": (
        api.ListParticipantsRequest(room="camille"),
        {"video": {"roomAdmin": True, **ROOM}},
    ),
    "RoomService/UpdateRoomMetadata": (
        api.UpdateRoomMetadataRequest(room="camille"),
        {"video": {"roomAdmin": True, **ROOM}},
    ),
    "Egress/ListEgress": (api.ListEgressRequest(), {"video": {"roomRecord": True}}),
    "Egress/StartRoomCompositeEgress": (room_egress(room_name="camille"), {"video": {"roomRecord": True}}),
    "Egress/StopEgress": (api.StopEgressRequest(egress_id="EG_none"), {"video": {"roomRecord": True}}),
    "SIP/ListSIPDispatchRule": (api.ListSIPDispatchRuleRequest(), {"sip": {"admin": True}}),
    "SIP/CreateSIPDispatchRule": (api.CreateSIPDispatchRuleRequest(), {"sip": {"admin": True}}),
    "SIP/UpdateSIPDispatchRule": (api.UpdateSIPDispatchRuleRequest(), {"sip": {"admin": True}}),
    "SIP/DeleteSIPDispatchRule": (api.DeleteSIPDispatchRuleRequest(), {"sip": {"admin": True}}),
    "RoomService/DeleteRoom": (api.DeleteRoomRequest(room="camille"), {"video": {"roomCreate": True}}),
}
EVERYTHING_ELSE = {"roomCreate", "roomList", "roomRecord", "roomAdmin"}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_asks_for_its_grant_and_for_no_other(livekit: LiveKitServer, method: str) -> None:
    message, grants = METHODS[method]
    mine = set(grants.get("video", {}))
    others = {**ROOM, **dict.fromkeys(EVERYTHING_ELSE - mine, True)}
    lacking = token(livekit, video=others, **({} if "sip" in grants else {"sip": {"admin": True}}))
    for answer in (post(livekit, method, message), with_token(livekit, lacking, method, message)):
        assert (answer.status_code, answer.json()) == (401, {"code": "unauthenticated", "msg": "permissions denied"})
    answer = with_token(livekit, token(livekit, **grants), method, message)
    assert answer.status_code != 401, answer.text


@pytest.mark.parametrize("method", ["RoomService/ListParticipants", "RoomService/UpdateRoomMetadata"])
def test_an_admin_of_another_room_is_none_here(livekit: LiveKitServer, method: str) -> None:
    other = token(livekit, video={"roomAdmin": True, "room": "another"})
    assert with_token(livekit, other, method, METHODS[method][0]).status_code == 401


def test_livekits_client_tells_a_wrong_secret_as_401(livekit: LiveKitServer) -> None:
    error = refusal(livekit, lambda client: client.room.list_rooms(api.ListRoomsRequest()), secret="w" * 40)
    assert (error.status, error.code) == (401, "unknown")


def test_the_journal_knows_grants_but_no_token_and_no_room(livekit: LiveKitServer) -> None:
    livekit.journal.clear()
    text = token(livekit, video={"roomAdmin": True, "room": "phone-4915112345678"}, sip={"admin": True})
    with_token(livekit, text, "RoomService/ListParticipants", api.ListParticipantsRequest(room="phone-4915112345678"))
    post(livekit, Authorization="Bearer garbage")
    first, second = livekit.journal.entries
    assert (first.service, first.method, first.status) == ("RoomService", "ListParticipants", 200)
    assert (first.key, first.grants) == (livekit.api_key, ("roomAdmin", "sip.admin"))
    assert (second.key, second.grants, second.status, second.code) == ("", (), 401, None)
    written = f"{livekit.journal.entries} {[entry.shown() for entry in livekit.journal.entries]}"
    assert text not in written
    assert "4915112345678" not in written
