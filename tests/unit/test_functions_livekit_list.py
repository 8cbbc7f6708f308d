"""LiveKit's lists over real HTTP, and what they say of each egress."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from livekit import api

from infra.functions.egress_info import Egresses, sort
from infra.functions.errors import LiveKitError
from infra.functions.livekit_list import LiveKit, Rooms
from infra.functions.livekit_webhook import parse_event
from infra.functions.recording import Recording, Status, check_place
from scripts.local.livekit_server import LiveKitServer
from tests.unit.functions_reconcile import (
    BUCKET,
    PREFIX,
    FakeLiveKit,
    composite,
    egress,
    nanoseconds,
    running,
    twirp_error,
)
from tests.unit.functions_support import END, KEY, SECRET, START, captured, captured_names
from tests.unit.verify_support import web


@pytest.fixture
def server() -> FakeLiveKit:
    return FakeLiveKit()


@pytest.fixture
def livekit(server: FakeLiveKit) -> Iterator[LiveKit]:
    with web(server.respond) as url:
        yield LiveKit(url.replace("http", "ws"), KEY, SECRET)


def ids(infos: Any) -> set[str]:
    return {info["egressId"] for info in infos}


def sorted_(*infos: api.EgressInfo) -> Egresses:
    return sort([MessageToDict(info) for info in infos], BUCKET, PREFIX)


def test_rooms_and_egresses_are_listed_in_this_order(server: FakeLiveKit, livekit: LiveKit) -> None:
    server.rooms = ["1", "2"]
    server.egresses = [egress(1), running(2)]
    found = livekit.listing(START, 10)
    assert found.rooms == Rooms(ids=frozenset({"RM_1", "RM_2"}), names=frozenset({"room 1", "room 2"}))
    assert ids(found.egresses) == {"EG_1", "EG_2"}
    assert server.asked == ["ListRooms", "ListEgress"]
    assert livekit.requests == 2
    assert ids(livekit.listing(None, 10).egresses) == {"EG_2"}


def test_a_room_is_known_by_its_id_and_without_one_by_its_name() -> None:
    rooms = Rooms(ids=frozenset({"RM_1"}), names=frozenset({"camille"}))
    assert rooms.has("RM_1", "another")
    assert not rooms.has("RM_2", "camille")
    assert rooms.has(None, "camille")
    assert not rooms.has(None, "else")


def test_pages_are_read_until_they_are_too_old(server: FakeLiveKit, livekit: LiveKit) -> None:
    server.page = 10
    minute = timedelta(minutes=1)
    server.egresses = [
        egress(number, begin=START - number * 60 * minute, end=END - number * 60 * minute) for number in range(100)
    ]
    found = livekit.listing(START - timedelta(hours=2), 10)
    assert ids(found.egresses) >= {f"EG_{number}" for number in range(3)}
    # 26 hours are pages 1 to 3; the fourth is the first that is older as a whole.
    assert server.asked == ["ListRooms"] + ["ListEgress"] * 4
    assert len(ids(livekit.listing(START - timedelta(days=9), 10).egresses)) == 100


def test_an_old_one_that_is_heard_of_keeps_the_pages_coming(server: FakeLiveKit, livekit: LiveKit) -> None:
    server.page = 1
    long_ago = START - timedelta(days=9)
    server.egresses = [running(1, begin=long_ago, seen=END), egress(2, begin=long_ago - timedelta(days=1))]
    assert ids(livekit.listing(START, 10).egresses) == {"EG_1", "EG_2"}


def test_pages_without_an_end_end(server: FakeLiveKit, livekit: LiveKit) -> None:
    answer = api.ListEgressResponse(items=[running(1)], next_page_token=api.TokenPagination(token="again"))
    server.failing["ListEgress"] = (200, {}, answer.SerializeToString())
    with pytest.raises(LiveKitError, match="livekit_unavailable"):
        livekit.listing(START, 10)
    assert livekit.requests == 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (twirp_error(401, "unauthenticated"), "livekit_refused"),
        (twirp_error(403, "permission_denied"), "livekit_refused"),
        (twirp_error(503, "unavailable"), "livekit_unavailable"),
        (twirp_error(404, "bad_route"), "livekit_unavailable"),
        ((200, {}, b"\xff\xffnot protobuf"), "livekit_unavailable"),
        ((500, {}, b"<html>"), "livekit_unavailable"),
    ],
)
def test_a_list_that_cannot_be_had_is_an_error_with_a_code(
    server: FakeLiveKit, livekit: LiveKit, answer: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.failing["ListEgress"] = answer
    with pytest.raises(LiveKitError) as error:
        livekit.listing(START, 10)
    assert error.value.reason == reason
    assert json.loads(capsys.readouterr().out)["event"] == "livekit_failed"


def test_rooms_that_are_refused_do_not_keep_the_egresses_back(server: FakeLiveKit, livekit: LiveKit) -> None:
    server.failing["ListRooms"] = twirp_error(403, "permission_denied")
    server.egresses = [egress(1)]
    found = livekit.listing(START, 10)
    assert found.rooms is None
    assert ids(found.egresses) == {"EG_1"}


def test_nobody_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LiveKitError, match="livekit_unavailable"):
        LiveKit("ws://127.0.0.1:9", KEY, SECRET).listing(START, 10)
    assert SECRET not in capsys.readouterr().out


@contextmanager
def hanging(server: FakeLiveKit, *methods: str) -> Generator[None]:
    """For the length of the block these are not answered. Whoever waits for them all the same gets a good answer."""
    over = threading.Event()

    def hang(method: str) -> None:
        if method in methods:
            over.wait(60)

    server.before = hang
    yield
    over.set()


def test_a_livekit_that_hangs_is_left(server: FakeLiveKit, livekit: LiveKit) -> None:
    with hanging(server, "ListRooms"), pytest.raises(LiveKitError, match="livekit_unavailable"):
        livekit.listing(START, 0.3)


def test_each_request_has_its_time(server: FakeLiveKit, livekit: LiveKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.functions.livekit_list.REQUEST_SECONDS", 0.3)
    with hanging(server, "ListEgress"), pytest.raises(LiveKitError, match="livekit_unavailable"):
        livekit.listing(START, 600)


def test_the_stand_in_of_the_local_stack_is_understood() -> None:
    with LiveKitServer() as standin:
        standin.join("camille", "caller")
        livekit = LiveKit(standin.url, standin.api_key, standin.api_secret)
        found = livekit.listing(START, 10)
        assert found.rooms is not None
        assert found.rooms.names == {"camille"}
        with pytest.raises(LiveKitError, match="livekit_refused"):
            LiveKit(standin.url, standin.api_key, "wrong-" * 8).listing(START, 10)


def test_livekit_is_not_loaded_before_it_is_asked() -> None:
    import subprocess  # noqa: PLC0415

    code = "import infra.functions.reconcile, sys; sys.exit('livekit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# What the list says of an egress.


def test_an_ended_egress_is_the_recording_its_webhook_would_have_been() -> None:
    for name in captured_names():
        body = captured(name)[0]
        payload = json.loads(body)
        if payload["event"] != "egress_ended":
            continue
        (ended,) = sort([payload["egressInfo"]], BUCKET, PREFIX).ended
        assert ended.recording == Recording.from_payload(payload)
        assert ended.at == ended.recording.ended_at


def test_the_made_event_is_taken_by_deliver_and_holds_no_credentials() -> None:
    (ended,) = sorted_(egress(1)).ended
    body = ended.event("reconcile-1")
    assert "access-key" not in body
    assert "upload-secret" not in body
    event = parse_event(body.encode())
    assert (event.event, event.id, event.room_id) == ("egress_ended", "reconcile-1", "RM_1")
    assert Recording.from_payload(event.payload) == ended.recording
    check_place(ended.recording, BUCKET, PREFIX)
    assert (ended.recording.key, ended.recording.size_bytes, ended.recording.buckets) == ("calls/1.mp4", 100, (BUCKET,))
    assert (ended.recording.started_at, ended.recording.ended_at) == (START, END)
    assert "calls/" not in repr(ended)


@pytest.mark.parametrize("status", ["COMPLETE", "FAILED", "ABORTED", "LIMIT_REACHED"])
def test_every_end_is_an_end(status: str) -> None:
    (ended,) = sorted_(egress(1, status=status)).ended
    assert ended.recording.status is Status(f"EGRESS_{status}")


def test_what_is_not_ours_is_counted_only() -> None:
    stream = api.EgressInfo(egress_id="EG_S", status="EGRESS_COMPLETE", stream_results=[api.StreamInfo(url="rtmp://x")])
    elsewhere = egress(3, bucket=None, file_results=[api.FileInfo(filename="other/3.mp4", size=1)])
    found = sorted_(egress(1, bucket="another"), stream, elsewhere)
    assert (found.ended, found.running, found.foreign) == ((), (), 3)


def test_a_probe_of_verify_is_nobodys_recording() -> None:
    """It is removed again; who looked for it later would find it missing."""
    found = sorted_(egress(1, room_name="callrec-verify-1"), egress(2, room_name="callrec-verified"))
    assert [one.recording.egress_id for one in found.ended] == ["EG_2"]
    assert found.foreign == 1


def test_without_a_bucket_the_path_says_whose_it_is() -> None:
    """A self-hosted egress with storage of its own names no bucket."""
    told = egress(1, bucket=None)
    planned = egress(2, bucket=None, status="ABORTED", file=False)
    nowhere = egress(3, status="ABORTED", file=False, room_composite=api.RoomCompositeEgressRequest(room_name="r"))
    found = sorted_(told, planned, nowhere)
    assert [one.recording.egress_id for one in found.ended] == ["EG_1", "EG_2"]
    assert found.foreign == 1


def test_what_says_too_little_is_counted_only() -> None:
    without_file = egress(1, file=False)
    without_time = api.EgressInfo(egress_id="EG_2", status="EGRESS_FAILED", room_composite=composite(BUCKET))
    newer: Any = 9
    unknown = api.EgressInfo(egress_id="EG_3", status=newer, room_composite=composite(BUCKET))
    found = sorted_(without_file, without_time, unknown)
    assert (found.ended, found.unreadable) == ((), 3)


def test_of_an_egress_told_twice_the_later_end_counts() -> None:
    later = egress(1, end=END + timedelta(seconds=5))
    for pair in ((egress(1), later), (later, egress(1))):
        (ended,) = sorted_(*pair).ended
        assert ended.at == END + timedelta(seconds=5)


def test_a_running_egress_is_known_by_its_last_sign_of_life() -> None:
    found = sorted_(running(1, seen=END), running(2, status=0), running(3, status=2, updated_at=0))
    assert [(one.egress_id, one.started_at, one.seen_at) for one in found.running] == [
        ("EG_1", START, END),
        ("EG_2", START, START),
        ("EG_3", START, START),
    ]
    assert found.running[0].key == "calls/1.mp4"
    starting = running(4, status=0, started_at=0, updated_at=nanoseconds(END), file_results=[])
    assert sorted_(starting).running[0].started_at == END


def test_a_running_egress_without_a_time_or_a_file_is_none_of_ours() -> None:
    timeless = running(1, started_at=0, updated_at=0)
    stream = api.EgressInfo(
        egress_id="EG_2", status="EGRESS_ACTIVE", started_at=1, stream_results=[api.StreamInfo(url="rtmp://x")]
    )
    foreign = running(3, file_results=[api.FileInfo(filename="other/3.mp4")])
    assert sorted_(timeless, stream, foreign).running == ()


def test_a_recorder_that_is_gone_failed_when_it_began() -> None:
    ended = sorted_(running(1)).running[0].failed()
    recording = ended.recording
    assert (recording.status, recording.reason, recording.has_file) == (Status.FAILED, "recorder_failed", False)
    assert recording.status_text == "Not recorded: the recorder stopped unexpectedly"
    assert (recording.started_at, recording.ended_at, ended.at) == (START, START, START)
    assert (recording.room_id, recording.room_name, recording.buckets) == ("RM_1", "room 1", (BUCKET,))
    assert Recording.from_payload(json.loads(ended.event("x"))) == recording


def test_a_recorder_that_is_gone_may_have_left_its_file() -> None:
    recording = sorted_(running(1)).running[0].failed(size=7, until=END).recording
    assert (recording.has_file, recording.partial, recording.key) == (True, True, "calls/1.mp4")
    assert (recording.size_bytes, recording.ended_at) == (7, END)
