"""Starting recordings at a LiveKit over HTTP: each room session once, whatever LiveKit answers, and never for long."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from livekit import api

from infra.functions import egress_list, livekit_egress
from infra.functions.egress import EgressSettings
from infra.functions.errors import WaitError
from infra.functions.livekit_egress import Answer, Outcome, Recorder, start_all
from infra.functions.start_policy import Start
from scripts.local.livekit_server import Fault, LiveKitServer
from scripts.local.livekit_server import Outcome as Ends

SECRET = "upload-secret-upload-secret"
EGRESS = EgressSettings(bucket="ours", region="eu-central-1", access_key_id="AKIA", secret_access_key=SECRET)
START = "StartRoomCompositeEgress"


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=0.01) as server:
        yield server


def recorder(livekit: LiveKitServer, **changes: Any) -> Recorder:
    made: dict[str, Any] = {"url": livekit.url, "key": livekit.api_key, "secret": livekit.api_secret, "egress": EGRESS}
    return Recorder(**(made | changes))


def room(livekit: LiveKitServer, name: str = "camille", **more: Any) -> Start:
    """A room with somebody in it, and the start that it is worth."""
    room_id = livekit.add_room(name, **more)
    livekit.join(name, "caller")
    return Start(room_id=room_id, room_name=name, phone=False)


def outcome(answers: dict[str, Answer | WaitError], start: Start) -> Outcome | str:
    answer = answers[start.room_id]
    return answer.outcome if isinstance(answer, Answer) else answer.reason


def planted(start: Start, status: str, number: int = 1, **changes: Any) -> api.EgressInfo:
    """An egress of this session that LiveKit knows of already."""
    s3 = api.S3Upload(bucket="ours", region="eu-central-1", access_key="{access_key}", secret="{secret}")
    request = api.RoomCompositeEgressRequest(
        room_name=start.room_name, file_outputs=[api.EncodedFileOutput(filepath="recordings/1.mp4", s3=s3)]
    )
    made: dict[str, Any] = {
        "egress_id": f"EG_{number}",
        "room_id": start.room_id,
        "room_name": start.room_name,
        "status": api.EgressStatus.Value(f"EGRESS_{status}"),
        "started_at": time.time_ns(),
        "ended_at": time.time_ns(),
        "room_composite": request,
    }
    made |= changes
    return api.EgressInfo(**{name: value for name, value in made.items() if value is not None})


def test_a_room_is_recorded_as_the_builder_says(livekit: LiveKitServer) -> None:
    start = room(livekit)
    answer = start_all(recorder(livekit), [start])[start.room_id]
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.STARTED
    (info,) = livekit.recorder.all()
    assert (info.egress_id, info.room_id) == (answer.egress_id, start.room_id)
    assert info.room_composite.audio_only
    assert info.room_composite.advanced.audio_bitrate == 32
    assert info.file_results[0].filename.startswith("recordings/camille-")
    (entry,) = [entry for entry in livekit.journal.entries if entry.method == START]
    assert "roomRecord" in entry.grants


def test_a_session_is_started_once_in_a_batch_and_once_over_batches(livekit: LiveKitServer) -> None:
    start, other = room(livekit), room(livekit, "theo")
    first = start_all(recorder(livekit), [start, other, start, start])
    second = start_all(recorder(livekit), [start, other])
    assert {outcome(first, start), outcome(first, other)} == {Outcome.STARTED}
    assert {outcome(second, start), outcome(second, other)} == {Outcome.RUNNING}
    assert [answer.egress_id for answer in second.values() if isinstance(answer, Answer)] == [
        answer.egress_id for answer in first.values() if isinstance(answer, Answer)
    ]
    assert livekit.journal.counts() == {"ListEgress": 2 * 2 + 2, "ListRooms": 2, START: 2}  # the second time costs one


def test_a_caller_by_phone_among_the_joins_of_a_session_decides_its_path(livekit: LiveKitServer) -> None:
    start = room(livekit)
    start_all(recorder(livekit), [start, replace(start, phone=True)])
    assert livekit.recorder.all()[0].file_results[0].filename.startswith(f"recordings/{start.room_id}-")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("STARTING", Outcome.RUNNING),
        ("ACTIVE", Outcome.RUNNING),
        ("ENDING", Outcome.RUNNING),
        ("COMPLETE", Outcome.STOPPED),
        ("ABORTED", Outcome.STOPPED),
        ("LIMIT_REACHED", Outcome.STOPPED),
        ("FAILED", Outcome.STARTED),
    ],
)
def test_what_the_session_had_before_decides(livekit: LiveKitServer, status: str, expected: Outcome) -> None:
    start = room(livekit)
    livekit.add_egress(planted(start, status), dead=True)
    assert outcome(start_all(recorder(livekit), [start]), start) is expected


def test_a_recording_that_failed_is_replaced_once(livekit: LiveKitServer) -> None:
    start = replace(room(livekit), again=True)
    livekit.add_egress(planted(start, "FAILED"), dead=True)
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.STARTED
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.RUNNING
    lost = room(livekit, "theo")
    for number in (2, 3):
        livekit.add_egress(planted(lost, "FAILED", number), dead=True)
    assert outcome(start_all(recorder(livekit), [lost]), lost) is Outcome.FAILED


@pytest.mark.parametrize("event", ["nobody left", "room closed"])
def test_a_recording_that_broke_off_with_its_room_is_not_replaced(livekit: LiveKitServer, event: str) -> None:
    start = replace(room(livekit), again=True)
    livekit.join("camille", "agent", "agent")
    if event == "room closed":
        start = replace(start, room_name="theo")
    else:
        livekit.leave("camille", "caller")
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.GONE
    assert livekit.journal.count(START) == 0


OTHER = api.S3Upload(bucket="theirs", region="x", access_key="a", secret="s")
STREAM = api.StreamOutput(protocol=api.StreamProtocol.RTMP, urls=["rtmp://x"])


@pytest.mark.parametrize(
    "changes",
    [
        {"room_id": "RM_earlier"},
        {"room_composite": api.RoomCompositeEgressRequest(file_outputs=[api.EncodedFileOutput(s3=OTHER)])},
        {"room_composite": api.RoomCompositeEgressRequest(file=api.EncodedFileOutput(s3=OTHER))},
        {"room_composite": api.RoomCompositeEgressRequest(stream_outputs=[STREAM])},
        {"room_composite": None, "track": api.TrackEgressRequest(file=api.DirectFileOutput(filepath="x"))},
        {"room_composite": None, "participant": api.ParticipantEgressRequest(identity="caller")},
    ],
    ids=["another session", "another bucket", "another bucket, old field", "a stream", "one track", "one person"],
)
def test_other_egresses_are_no_recording_of_ours(livekit: LiveKitServer, changes: dict[str, Any]) -> None:
    start = room(livekit)
    livekit.add_egress(planted(start, "ACTIVE", **changes), dead=True)
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.STARTED


@pytest.mark.parametrize(
    "changes",
    [
        {"room_composite": None},
        {"room_composite": api.RoomCompositeEgressRequest(file_outputs=[api.EncodedFileOutput(filepath="x")])},
        {
            "room_composite": None,
            "egress": api.StartEgressRequest(
                room_name="camille", storage=api.StorageConfig(s3=api.S3Upload(bucket="ours"))
            ),
        },
    ],
    ids=["nothing told", "no bucket told", "by the newer request"],
)
def test_what_may_be_a_recording_of_ours_counts_as_one(livekit: LiveKitServer, changes: dict[str, Any]) -> None:
    start = room(livekit)
    livekit.add_egress(planted(start, "ACTIVE", **changes), dead=True)
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.RUNNING


def test_the_next_session_of_a_room_name_is_not_recorded_for_the_last_one(livekit: LiveKitServer) -> None:
    room(livekit)
    last = Start(room_id="RM_earlier", room_name="camille", phone=False)
    assert outcome(start_all(recorder(livekit), [last]), last) is Outcome.GONE
    assert livekit.journal.count(START) == 0


def test_metadata_that_changed_since_the_event_are_heeded(livekit: LiveKitServer) -> None:
    start = room(livekit, metadata='{"record": false}')
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.METADATA
    assert livekit.journal.count(START) == 0


def test_a_room_that_is_gone_is_missed(livekit: LiveKitServer) -> None:
    start = Start(room_id="RM_1", room_name="camille", phone=False)
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.GONE


@pytest.mark.parametrize("status", [404, 403])
def test_a_livekit_that_does_not_list_rooms_is_asked_to_start_all_the_same(livekit: LiveKitServer, status: int) -> None:
    start = room(livekit)
    methods = frozenset({"ListRooms"})
    livekit.faults.add(Fault(outcome=Ends.STATUS, status=status, methods=methods))
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.STARTED


@pytest.mark.parametrize("method", ["ListEgress", "ListRooms", START])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(outcome=Ends.STATUS, status=503), "livekit_unavailable"),
        (Fault(outcome=Ends.STATUS, status=500), "livekit_unavailable"),
        (Fault(outcome=Ends.STATUS, status=502), "livekit_unavailable"),
        (Fault(outcome=Ends.CLOSE), "livekit_unavailable"),
    ],
    ids=["503", "500", "502", "closed"],
)
def test_an_outage_makes_the_start_wait(livekit: LiveKitServer, method: str, fault: Fault, reason: str) -> None:
    start = room(livekit)
    livekit.faults.add(replace(fault, methods=frozenset({method})))
    assert outcome(start_all(recorder(livekit), [start]), start) == reason
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.STARTED


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "livekit_refused"), (403, "livekit_refused"), (429, "livekit_throttled"), (400, "livekit_rejected")],
)
@pytest.mark.parametrize("method", ["ListEgress", START])
def test_refusals_are_told_apart(livekit: LiveKitServer, status: int, reason: str, method: str) -> None:
    start = room(livekit)
    livekit.faults.add(Fault(outcome=Ends.STATUS, status=status, methods=frozenset({method})))
    assert outcome(start_all(recorder(livekit), [start]), start) == reason


def test_a_wrong_secret_is_a_refusal(livekit: LiveKitServer) -> None:
    start = room(livekit)
    wrong = recorder(livekit, secret="another-secret-another-secret-another")
    assert outcome(start_all(wrong, [start]), start) == "livekit_refused"


def test_nobody_there_is_an_outage() -> None:
    start = Start(room_id="RM_1", room_name="camille", phone=False)
    nobody = Recorder(url="http://127.0.0.1:9", key="k", secret="s" * 32, egress=EGRESS)
    assert outcome(start_all(nobody, [start]), start) == "livekit_unavailable"


def test_a_livekit_without_egress_is_not_waited_for(livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers 503 after 22 s; and the session next to it is started meanwhile."""
    real, over = asyncio.wait_for, threading.Event()

    async def wait_for(start: Coroutine[Any, Any, Answer], seconds: float) -> Answer:
        """The time begins when the other session is started, however long that takes."""
        starting = asyncio.ensure_future(start)
        while not starting.done() and not livekit.journal.count(START):
            await asyncio.sleep(0.01)
        return await real(starting, seconds)

    monkeypatch.setattr(asyncio, "wait_for", wait_for)
    monkeypatch.setattr(livekit_egress, "TOTAL_SECONDS", 2)
    monkeypatch.setattr(livekit.pace, "wait", lambda _: not over.wait(60))
    slow, other = room(livekit), room(livekit, "theo")
    livekit.faults.add(Fault(outcome=Ends.STATUS, delay_seconds=22, methods=frozenset({START})))
    answers = start_all(recorder(livekit), [slow, other])
    assert livekit.journal.count(START) == 1  # the other one is not answered yet
    over.set()
    assert sorted([outcome(answers, slow), outcome(answers, other)]) == ["livekit_unavailable", "started"]


def test_a_start_whose_answer_was_lost_is_not_made_twice(livekit: LiveKitServer) -> None:
    """As after a crash between the start and its acknowledgement."""
    start = room(livekit)
    livekit.faults.add(Fault(outcome=Ends.CLOSE, applied=True, methods=frozenset({START})))
    assert outcome(start_all(recorder(livekit), [start]), start) == "livekit_unavailable"
    assert outcome(start_all(recorder(livekit), [start]), start) is Outcome.RUNNING
    assert livekit.journal.count(START) == 1


def test_a_fault_of_ours_is_told_without_texts(
    livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> bool:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(egress_list, "_whole_room", fail)
    start = room(livekit)
    livekit.add_egress(planted(start, "ACTIVE"), dead=True)
    assert outcome(start_all(recorder(livekit), [start]), start) == "fault"
    assert "RuntimeError" in (told := capsys.readouterr().out)
    assert SECRET not in told


def test_pages_of_the_list_are_followed_and_bounded(livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiveKit Cloud lists by pages; the stand-in, as a server of one's own, does not: so the service is replaced."""
    pages = [[f"EG_{page}"] for page in range(100)]
    asked: list[str] = []

    async def list_egress(_: Any, request: api.ListEgressRequest) -> api.ListEgressResponse:
        page = int(request.page_token.token or 0)
        asked.append(request.page_token.token)
        items = [api.EgressInfo(egress_id=one, room_id="RM_1") for one in pages[page]]
        following = api.TokenPagination(token=str(page + 1)) if page + 1 < len(pages) else None
        return api.ListEgressResponse(items=items, next_page_token=following)

    monkeypatch.setattr("livekit.api.egress_service.EgressService.list_egress", list_egress)

    async def listed() -> list[str]:
        async with livekit_egress.client(livekit.url, "k", "s" * 32) as client:
            return [one.egress_id for one in await egress_list.list_egresses(client, "camille", active=False)]

    assert asyncio.run(listed()) == [f"EG_{page}" for page in range(20)]
    pages, asked = pages[:3], []
    assert asyncio.run(listed()) == ["EG_0", "EG_1", "EG_2"]
    assert asked == ["", "1", "2"]


def test_nothing_shows_the_secrets(livekit: LiveKitServer) -> None:
    shown = repr(recorder(livekit))
    assert SECRET not in shown
    assert livekit.api_secret not in shown
