"""Webhooks of the LiveKit stand-in: their bytes against captured ones, their signatures, their tries."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from google.protobuf.json_format import Parse
from livekit import api
from livekit.protocol.models import RoomEndReason
from livekit.protocol.webhook import WebhookEvent

from scripts.local.livekit_server import LiveKitServer
from scripts.local.livekit_standin.protojson import written
from scripts.local.livekit_standin.sending import retry_after
from tests.unit.livekit_support import (
    EVENTS,
    SCALE,
    Receiver,
    ask,
    open_house,
    receiving,
    room_egress,
    storing,
    wait_until,
)
from tests.unit.verify_support import Answer, Request, web

OTHER = "other-secret-other-secret-other-secret"


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with open_house(other_keys={"APIother": OTHER}) as server:
        yield server


def captured(name: str) -> bytes:
    return (EVENTS / f"{name}.json").read_bytes()


def shape(body: bytes) -> bytes:
    """A body with every text and number replaced: what is left is names, order, kinds of values and spacing."""
    return re.sub(rb'(?<=:)("(?:[^"\\]|\\.)*"|\d+)', lambda found: b'""' if found[0][:1] == b'"' else b"0", body)


def call(livekit: LiveKitServer, *, talk: bool = True, request: api.RoomCompositeEgressRequest | None = None) -> None:
    """The call that was captured, again."""
    room = api.CreateRoomRequest(name="call1", empty_timeout=20, departure_timeout=5, metadata='{"m":1}')
    ask(livekit, lambda client: client.room.create_room(room))
    livekit.join("call1", "caller", name="Caller", metadata='{"pm":"x"}', attributes={"k": "v"}, publish=False)
    if talk:
        livekit.publish("call1", "caller")
    wanted = request or room_egress(room_name="call1")
    egress_id = ask(livekit, lambda client: client.egress.start_room_composite_egress(wanted)).egress_id
    livekit.settle()
    ask(livekit, lambda client: client.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))
    livekit.settle()


def only(receiver: Receiver, name: str, which: Callable[[WebhookEvent], bool] = lambda _: True) -> bytes:
    """The body of the one event of that name."""
    [found] = [
        request.body
        for request in receiver.requests
        if (event := Parse(request.body, WebhookEvent())).event == name and which(event)
    ]
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("*.json") if ".meta" not in path.name))
def test_messages_are_written_in_the_bytes_of_the_real_server(name: str) -> None:
    assert written(Parse(captured(name), WebhookEvent())) == captured(name)


def test_a_calls_events_have_the_shape_of_the_captured_ones(livekit: LiveKitServer) -> None:
    with receiving() as receiver:
        livekit.webhooks.urls.append(receiver.url)
        room = api.CreateRoomRequest(name="call1", empty_timeout=20, departure_timeout=5, metadata='{"m":1}')
        ask(livekit, lambda client: client.room.create_room(room))
        livekit.join("call1", "caller", name="Caller", metadata='{"pm":"x"}', attributes={"k": "v"})
        request = room_egress(room_name="call1")
        egress_id = ask(livekit, lambda client: client.egress.start_room_composite_egress(request)).egress_id
        livekit.settle()
        with livekit.changed:  # the egress stays in the room until the caller has left it, as when it was captured
            stopped = livekit.recorder.stop(egress_id)
            livekit.leave("call1", "caller")
            livekit.rooms.close(livekit.rooms.get("call1"), RoomEndReason.ROOM_END_API_DELETE)
        livekit.settle()
    assert stopped.egress_id == egress_id

    def status(wanted: api.EgressStatus) -> Callable[[WebhookEvent], bool]:
        return lambda event: event.egress_info.status == wanted

    def of_egress(event: WebhookEvent) -> bool:
        return event.participant.identity == egress_id

    sent = {
        "room_started": only(receiver, "room_started"),
        "participant_joined": only(receiver, "participant_joined", lambda event: not of_egress(event)),
        "participant_joined.egress_participant": only(receiver, "participant_joined", of_egress),
        "egress_started": only(receiver, "egress_started"),
        "egress_updated.active": only(receiver, "egress_updated", status(api.EgressStatus.EGRESS_ACTIVE)),
        "egress_updated.ending": only(receiver, "egress_updated", status(api.EgressStatus.EGRESS_ENDING)),
        "egress_ended": only(receiver, "egress_ended"),
        "participant_left": only(receiver, "participant_left", lambda event: not of_egress(event)),
        "room_finished": only(receiver, "room_finished"),
    }
    for name, body in sent.items():
        assert shape(body) == shape(captured(name)), name
    assert sent["room_finished"].endswith(b'"roomEndReason":"ROOM_END_API_DELETE"}')


def test_an_aborted_egress_has_the_shape_of_the_captured_one(livekit: LiveKitServer) -> None:
    with receiving() as receiver:
        livekit.webhooks.urls.append(receiver.url)
        call(livekit, talk=False)
        assert shape(only(receiver, "egress_ended")) == shape(captured("egress_ended.aborted.nopub1"))
        assert "egress_updated" not in receiver.names()


def test_a_refused_upload_has_the_shape_of_the_captured_one(livekit: LiveKitServer) -> None:
    with receiving() as receiver, storing(refuses=403) as s3:
        livekit.webhooks.urls.append(receiver.url)
        livekit.recorder.recording = b"recording"
        call(livekit, request=room_egress(s3.url, room_name="call1"))
        ended = only(receiver, "egress_ended")
    assert shape(ended) == shape(captured("egress_ended.failed.auth3"))
    info = Parse(ended, WebhookEvent()).egress_info
    assert (info.status, info.error_code) == (api.EgressStatus.EGRESS_FAILED, 400)
    assert info.error == (
        "S3 upload failed: err: operation error S3: PutObject, https response error StatusCode: 403, "
        "RequestID: REQUEST, HostID: HOST, api error InvalidAccessKeyId: it does not exist., status code: 403"
    )


def test_headers_and_token_are_livekits(livekit: LiveKitServer) -> None:
    with receiving() as receiver:
        livekit.webhooks.urls.append(receiver.url)
        livekit.add_room("call1")
        livekit.settle()
        [event] = receiver.verified(livekit.api_key, livekit.api_secret)
        [request] = receiver.requests
    assert (event.event, event.room.name) == ("room_started", "call1")
    assert event.id.startswith("EV_")
    assert abs(event.created_at - time.time()) < 60
    assert (request.method, request.path) == ("POST", "/webhook")
    assert request.headers["content-type"] == "application/webhook+json"
    assert request.headers["user-agent"] == "LiveKit"
    assert not request.headers["authorization"].startswith("Bearer")
    claims = jwt.decode(request.headers["authorization"], livekit.api_secret, algorithms=["HS256"])
    assert set(claims) == {"iss", "iat", "nbf", "exp", "sha256"}
    assert claims["exp"] - claims["nbf"] == 300


def test_a_requests_own_webhook_comes_besides_and_signed_by_its_key(livekit: LiveKitServer) -> None:
    with receiving() as project, receiving() as own:
        livekit.webhooks.urls.append(project.url)
        webhook = api.WebhookConfig(url=own.url, signing_key="APIother")
        call(livekit, request=room_egress(room_name="call1", webhooks=[webhook]))
        assert [event.event for event in own.verified("APIother", OTHER)] == [
            "egress_started",
            "egress_updated",
            "egress_updated",
            "egress_ended",
        ]
        assert {"room_started", "participant_joined", *own.names()} <= set(project.names())
        assert project.names().count("egress_ended") == 1
        assert project.verified(livekit.api_key, livekit.api_secret)


def test_an_unnamed_key_is_the_projects_first(livekit: LiveKitServer) -> None:
    with receiving() as own:
        call(livekit, request=room_egress(room_name="call1", webhooks=[api.WebhookConfig(url=own.url)]))
        assert own.verified(livekit.api_key, livekit.api_secret)[-1].event == "egress_ended"


def test_an_unknown_key_is_silent_and_the_recording_works(livekit: LiveKitServer) -> None:
    with receiving() as project, receiving() as own:
        livekit.webhooks.urls.append(project.url)
        hooks = [api.WebhookConfig(url=own.url, signing_key=key) for key in ("APIunknown", livekit.api_key)]
        call(livekit, request=room_egress(room_name="call1", webhooks=hooks))
        assert own.requests == []
        [ended] = [
            event for event in project.verified(livekit.api_key, livekit.api_secret) if event.event == "egress_ended"
        ]
    assert ended.egress_info.status == api.EgressStatus.EGRESS_COMPLETE


def notified(livekit: LiveKitServer, receiver: Receiver) -> tuple[int | None, ...]:
    """The statuses of the tries for one event."""
    livekit.webhooks.urls.append(receiver.url)
    livekit.add_room("call1")
    livekit.settle()
    [sent] = livekit.webhooks.sent
    return sent.tries


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_five_tries_at_0_1_3_7_and_15_seconds_with_the_same_bytes(livekit: LiveKitServer, status: int) -> None:
    with receiving(*[status] * 9) as receiver:
        assert notified(livekit, receiver) == (status,) * 5
    assert len({(request.body, request.headers["authorization"]) for request in receiver.requests}) == 1
    waits = [later - earlier for earlier, later in zip(receiver.at, receiver.at[1:], strict=False)]
    for wait, seconds in zip(waits, (1, 2, 4, 8), strict=True):
        assert wait >= seconds * SCALE
    assert sum(waits) < 15


def test_a_server_that_comes_back_gets_it(livekit: LiveKitServer) -> None:
    with receiving(500, 503) as receiver:
        assert notified(livekit, receiver) == (500, 503, 200)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501])
def test_a_refusal_is_final(livekit: LiveKitServer, status: int) -> None:
    with receiving(status) as receiver:
        assert notified(livekit, receiver) == (status,)
        assert len(receiver.requests) == 1


def test_a_redirect_is_followed_as_a_get_without_body(livekit: LiveKitServer) -> None:
    seen: list[Request] = []

    def respond(request: Request) -> Answer:
        seen.append(request)
        return (302, {"Location": "/elsewhere"}, b"") if request.method == "POST" else (200, {}, b"")

    with web(respond) as url:
        assert notified(livekit, Receiver(url=url)) == (200,)
    assert [(request.method, request.path, bool(request.body)) for request in seen] == [
        ("POST", "/", True),
        ("GET", "/elsewhere", False),
    ]


def test_where_nobody_listens_it_is_tried_again(livekit: LiveKitServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert notified(livekit, Receiver(url=f"http://127.0.0.1:{free.getsockname()[1]}")) == (None,) * 5


def test_an_address_that_is_none_is_not_tried_again(livekit: LiveKitServer) -> None:
    assert notified(livekit, Receiver(url="webhook")) == (None,)


def test_a_slow_receiver_is_cut(livekit: LiveKitServer) -> None:
    livekit.webhooks.timeout_seconds = 0.05
    with receiving() as receiver:
        receiver.answering.clear()
        assert notified(livekit, receiver) == (None,) * 5
        receiver.answering.set()


def test_a_receiver_says_when_to_come_again(livekit: LiveKitServer) -> None:
    with receiving((503, {"Retry-After": "20"})) as receiver:
        assert notified(livekit, receiver) == (503, 200)
    assert receiver.at[1] - receiver.at[0] >= 20 * SCALE


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("-1", None), ("²", None)])
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(value, datetime.now(UTC)) == seconds


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert retry_after("Tue, 24 Nov 2026 00:00:30 GMT", now) == 30
    assert retry_after("Tue, 24 Nov 2026 00:00:30 GMT", now + timedelta(hours=1)) == 0


def test_events_of_one_room_wait_for_each_other_and_others_do_not(livekit: LiveKitServer) -> None:
    came: list[str] = []
    free = threading.Event()

    def respond(request: Request) -> Answer:
        event = Parse(request.body, WebhookEvent())
        came.append(f"{event.event} {event.room.name}")
        if event.room.name == "free":
            free.set()
        free.wait(5)
        return (500 if event.room.name == "stuck" and came.count("room_started stuck") < 3 else 200), {}, b""

    with web(respond) as url:
        livekit.webhooks.urls.append(url)
        livekit.add_room("stuck")
        livekit.join("stuck", "caller")
        livekit.add_room("free")
        livekit.settle()
    assert came.index("room_started free") < came.index("participant_joined stuck")
    assert came.count("room_started stuck") == 3
    assert came[-1] == "participant_joined stuck"


@contextmanager
def held(livekit: LiveKitServer, *answers: int) -> Generator[Receiver]:
    """A receiver that was sent the beginning of a room, and does not answer until it is told to."""
    livekit.webhooks.timeout_seconds = 60.0
    with receiving(*answers) as receiver:
        receiver.answering.clear()
        livekit.webhooks.urls.append(receiver.url)
        livekit.add_room("call1")
        wait_until(lambda: bool(receiver.requests))
        yield receiver


def test_what_waited_too_long_is_dropped_without_a_try(livekit: LiveKitServer) -> None:
    now = [time.time_ns()]
    livekit.webhooks._now_ns = lambda: now[0]
    with held(livekit, 500, 500) as receiver:
        livekit.join("call1", "caller")
        now[0] += int((livekit.webhooks.max_age_seconds + 1) * 1e9)
        receiver.answering.set()
        livekit.settle()
        assert [(sent.event, sent.tries) for sent in livekit.webhooks.sent] == [
            ("room_started", (500, 500, 200)),
            ("participant_joined", ()),
        ]
        assert receiver.names() == ["room_started"] * 3


def test_what_comes_to_a_full_queue_is_dropped(livekit: LiveKitServer) -> None:
    livekit.webhooks.max_depth = 2
    with held(livekit, 500) as receiver:
        for number in range(4):
            livekit.join("call1", f"caller-{number}")
        receiver.answering.set()
        livekit.settle()
        dropped = [sent.event for sent in livekit.webhooks.sent if not sent.tries]
        assert dropped == ["participant_joined"] * 2
        assert receiver.names() == ["room_started", "room_started", "participant_joined", "participant_joined"]


def test_an_end_loses_what_waits() -> None:
    answers: list[Any] = [500] * 9
    with receiving(*answers) as receiver, LiveKitServer(time_scale=300.0) as livekit:
        livekit.webhooks.urls.append(receiver.url)
        livekit.add_room("call1")
        livekit.join("call1", "caller")
        wait_until(lambda: bool(receiver.requests))
        livekit.stop()
        wait_until(lambda: livekit.webhooks.idle)
    assert len(receiver.requests) == 1


def test_addresses_are_told_apart_by_the_project(livekit: LiveKitServer) -> None:
    with receiving(500, 500) as slow, receiving() as quick:
        livekit.webhooks.urls.extend([slow.url, quick.url])
        livekit.add_room("call1")
        livekit.join("call1", "caller")
        livekit.settle()
        assert quick.names() == ["room_started", "participant_joined"]
        assert slow.names() == ["room_started"] * 3 + ["participant_joined"]
