"""Faults of the LiveKit stand-in, each seen from the client's side."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from livekit import api

from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from scripts.local.livekit_standin.faults import fault_of
from tests.unit.livekit_support import SCALE, ask, listed, open_house, refusal, room_egress, wait_until

Status = api.EgressStatus


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with open_house() as server:
        yield server


async def list_rooms(client: api.LiveKitAPI) -> list[api.Room]:
    return list((await client.room.list_rooms(api.ListRoomsRequest())).rooms)


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthenticated"), (403, "permission_denied"), (429, "resource_exhausted"), (503, "unavailable")],
)
def test_a_status_for_the_next_request_only(livekit: LiveKitServer, status: int, code: str) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=status))
    error = refusal(livekit, list_rooms)
    assert (error.status, error.code) == (status, code)
    assert ask(livekit, list_rooms) == []
    assert [(entry.status, entry.code, entry.fault) for entry in livekit.journal.entries] == [
        (status, code, "status"),
        (200, None, None),
    ]


def test_a_status_that_twirp_has_not_comes_as_from_a_proxy(livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=502))
    error = refusal(livekit, list_rooms)
    assert (error.status, error.code) == (502, "unknown")


def test_faults_choose_their_methods_and_their_number(livekit: LiveKitServer) -> None:
    number = livekit.faults.add(Fault(outcome=Outcome.STATUS, methods=frozenset({"ListRooms", "DeleteRoom"}), times=2))
    assert listed(livekit) == []
    assert refusal(livekit, list_rooms).status == 503
    assert refusal(livekit, list_rooms).status == 503
    assert ask(livekit, list_rooms) == []
    livekit.faults.remove(number)
    for_ever = livekit.faults.add(Fault(outcome=Outcome.STATUS, times=None))
    assert [refusal(livekit, list_rooms).status for _ in range(3)] == [503] * 3
    livekit.faults.remove(for_ever)
    assert ask(livekit, list_rooms) == []


def test_22_seconds_are_waited_at_the_stand_ins_pace(livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=503, delay_seconds=22))
    livekit.faults.add(Fault(outcome=Outcome.ANSWER, delay_seconds=22))
    for expected in (503, 200):
        begin = time.monotonic()
        if expected == 503:
            assert refusal(livekit, list_rooms).status == 503
        else:
            assert ask(livekit, list_rooms) == []
        assert 22 * SCALE <= time.monotonic() - begin < 22


def test_a_closed_connection(livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.CLOSE, times=9))
    with pytest.raises(aiohttp.ClientError):
        ask(livekit, list_rooms)
    assert livekit.journal.entries[-1].status is None


@pytest.mark.parametrize("outcome", [Outcome.CLOSE, Outcome.STATUS])
@pytest.mark.parametrize("applied", [True, False])
def test_a_request_may_take_effect_though_its_answer_is_lost(
    livekit: LiveKitServer, outcome: Outcome, *, applied: bool
) -> None:
    livekit.faults.add(Fault(outcome=outcome, applied=applied, methods=frozenset({"CreateRoom"}), times=9))
    with pytest.raises((aiohttp.ClientError, api.ServerError)):
        ask(livekit, lambda client: client.room.create_room(api.CreateRoomRequest(name="camille")))
    assert [room.name for room in ask(livekit, list_rooms)] == ["camille"] * applied


def test_without_an_egress_service_a_start_ends_in_503_after_22_seconds(livekit: LiveKitServer) -> None:
    livekit.add_room("camille")
    livekit.faults.add(Fault(outcome=Outcome.NO_EGRESS))
    request = room_egress(room_name="camille")
    begin = time.monotonic()
    error = refusal(livekit, lambda client: client.egress.start_room_composite_egress(request))
    assert time.monotonic() - begin >= 22 * SCALE
    assert (error.status, error.code) == (503, "unavailable")
    assert error.message == "twirp error unknown: no response from servers"
    assert listed(livekit) == []


def test_without_an_egress_service_a_room_is_made_and_not_recorded(livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.NO_EGRESS, methods=frozenset({"CreateRoom"}), times=None))
    wanted = api.CreateRoomRequest(name="outbound", egress=api.RoomEgress(room=room_egress()))
    begin = time.monotonic()
    room = ask(livekit, lambda client: client.room.create_room(wanted))
    assert time.monotonic() - begin >= 10 * SCALE
    assert room.sid
    assert listed(livekit) == []
    assert ask(livekit, list_rooms) == [room]


@pytest.mark.parametrize("method", ["CreateRoom", "StartRoomCompositeEgress"])
def test_what_starts_stays_active_for_ever(livekit: LiveKitServer, method: str) -> None:
    livekit.faults.add(Fault(outcome=Outcome.ENDLESS, methods=frozenset({method})))
    egress = api.RoomEgress(room=room_egress()) if method == "CreateRoom" else None
    wanted = api.CreateRoomRequest(name="camille", egress=egress)
    ask(livekit, lambda client: client.room.create_room(wanted))
    if egress is None:
        request = room_egress(room_name="camille")
        ask(livekit, lambda client: client.egress.start_room_composite_egress(request))
    livekit.join("camille", "caller")
    wait_until(lambda: [info.status for info in listed(livekit)] == [Status.EGRESS_ACTIVE])
    livekit.settle()
    ask(livekit, lambda client: client.room.delete_room(api.DeleteRoomRequest(room="camille")))
    livekit.settle()
    [info] = listed(livekit, active=True)
    stop = api.StopEgressRequest(egress_id=info.egress_id)
    assert refusal(livekit, lambda client: client.egress.stop_egress(stop)).code == "deadline_exceeded"


def test_stopping_ends_delays_and_connections() -> None:
    with LiveKitServer() as livekit:
        livekit.faults.add(Fault(outcome=Outcome.ANSWER, delay_seconds=600))

        async def begun() -> float:
            async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as client:
                question = asyncio.ensure_future(list_rooms(client))
                while len(livekit.faults):  # until the request is there
                    await asyncio.sleep(0.01)
                begin = time.monotonic()
                await asyncio.to_thread(livekit.stop)
                await asyncio.gather(question, return_exceptions=True)
                return time.monotonic() - begin

        assert asyncio.run(begun()) < 300
        livekit.stop()
        with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", livekit._front.port)):
            pass


def test_a_client_that_goes_away_is_no_error(livekit: LiveKitServer, caplog: pytest.LogCaptureFixture) -> None:
    livekit.faults.add(Fault(outcome=Outcome.ANSWER, delay_seconds=10))
    with caplog.at_level(logging.ERROR), socket.create_connection(("127.0.0.1", livekit._front.port)) as gone:
        gone.sendall(b"POST /twirp/livekit.RoomService/ListRooms HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    wait_until(lambda: livekit.journal.count() == 1)
    assert caplog.records == []


def test_a_body_beyond_all_bounds_is_refused_unread(livekit: LiveKitServer) -> None:
    with socket.create_connection(("127.0.0.1", livekit._front.port)) as client:
        client.sendall(b"POST /twirp/livekit.RoomService/ListRooms HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"outcome": "explode"}, "explode"),
        ({"outcome": "status", "colour": 1}, "has no 'colour'"),
        ({"outcome": "status", "status": "500"}, "whole numbers"),
        ({"outcome": "status", "delay_seconds": "1"}, "number"),
        ({"outcome": "status", "methods": "ListRooms"}, "list of names"),
    ],
)
def test_a_fault_that_is_none_is_named(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        fault_of(given)


def test_a_fault_from_json() -> None:
    given = {"outcome": "status", "status": 401, "delay_seconds": 22, "applied": True, "times": None, "methods": ["A"]}
    assert fault_of(given) == Fault(
        outcome=Outcome.STATUS, status=401, delay_seconds=22.0, applied=True, times=None, methods=frozenset({"A"})
    )


@pytest.mark.parametrize("scale", [0, -1])
def test_time_cannot_stand_still(scale: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        LiveKitServer(time_scale=scale)
