"""`callrec rooms create` against LiveKit's stand-in: recorded, or not and why."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from livekit import api
from livekit.protocol.models import RoomEndReason

from scripts.livekit_access import LiveKit
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from scripts.rooms import creation
from scripts.rooms.command import create
from tests.unit.configure_support import access, server
from tests.unit.stack_support import UPLOAD_SECRET, World, world


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with server() as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, livekit: LiveKitServer) -> World:
    monkeypatch.setattr(creation, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(creation, "STARTING_SECONDS", 0.1)
    monkeypatch.setattr(creation, "POLL_SECONDS", 0.05)
    return world(tmp_path, monkeypatch, livekit)


def path_of(livekit: LiveKitServer, room: str) -> str:
    [info] = access(livekit).egresses(room, active=False)
    return info.room_composite.file_outputs[0].filepath


def test_a_room_is_made_and_recorded(stack: World, livekit: LiveKitServer) -> None:
    done = stack.run(create, "camille", "--metadata", "clinic", "--json")
    document = done.document
    assert (done.code, document["ok"], document["reason"], document["room"]["existed"]) == (0, True, None, False)
    room = access(livekit).room("camille")
    assert room is not None
    assert (room.sid, room.metadata) == (document["room"]["sid"], "clinic")
    [info] = access(livekit).egresses("camille", active=True)
    assert (info.egress_id, info.room_id) == (document["egress"]["id"], room.sid)
    assert path_of(livekit, "camille") == "calls/{room_name}-{time}.mp4"


def test_for_the_phone_the_name_stays_out_of_the_path(stack: World, livekit: LiveKitServer) -> None:
    assert stack.run(create, "camille", "--phone").code == 0
    assert path_of(livekit, "camille") == "calls/{room_id}-{time}.mp4"


def test_the_grants_are_those_it_needs(stack: World, livekit: LiveKitServer) -> None:
    stack.run(create, "camille")
    grants = {entry.method: {name for name in entry.grants if "room" in name} for entry in livekit.journal.entries}
    assert grants == {"ListRooms": {"roomList"}, "CreateRoom": {"roomCreate"}, "ListEgress": {"roomRecord"}}


def test_livekit_answers_200_without_an_egress_and_that_is_told(stack: World, livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.NO_EGRESS, methods=frozenset({"CreateRoom"})))
    done = stack.run(create, "camille")
    assert (done.code, "is made, but not recorded: LiveKit started no egress" in done.said) == (1, True)
    assert access(livekit).room("camille") is not None


def test_a_room_that_was_there_is_said_and_not_recorded(stack: World, livekit: LiveKitServer) -> None:
    livekit.add_room("camille")
    done = stack.run(create, "camille", "--json")
    assert (done.code, done.document["room"]["existed"], done.document["ok"]) == (1, True, False)
    assert "LiveKit begins a recording only with the room" in done.document["reason"]


def test_a_room_that_was_there_and_is_recorded_is_fine(stack: World) -> None:
    stack.run(create, "camille")
    done = stack.run(create, "camille")
    assert (done.code, "was there already, and is recorded by EG_" in done.said) == (0, True)


def test_a_recording_that_ended_at_once_is_told_with_its_code(stack: World, livekit: LiveKitServer) -> None:
    sid = livekit.add_room("camille")
    ended = api.EgressInfo(egress_id="EG_1", room_id=sid, room_name="camille", ended_at=time.time_ns())
    ended.status, ended.error_code = api.EgressStatus.EGRESS_FAILED, 400
    livekit.add_egress(ended)
    done = stack.run(create, "camille")
    assert (done.code, "its recording ended at once: EGRESS_FAILED (400)" in done.said) == (1, True)


def test_the_recording_of_an_earlier_session_of_the_name_does_not_count(stack: World, livekit: LiveKitServer) -> None:
    status = api.EgressStatus.EGRESS_ACTIVE
    livekit.add_egress(api.EgressInfo(egress_id="EG_1", room_id="RM_old", room_name="camille", status=status))
    livekit.faults.add(Fault(outcome=Outcome.NO_EGRESS, methods=frozenset({"CreateRoom"})))
    assert stack.run(create, "camille").code == 1


def test_an_egress_that_shows_late_is_waited_for(stack: World, livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.ANSWER, delay_seconds=50, methods=frozenset({"ListEgress"})))
    assert stack.run(create, "camille").code == 0


@pytest.mark.parametrize(
    ("method", "status", "words"),
    [
        ("ListRooms", 401, "lacks roomList"),
        ("CreateRoom", 403, "lacks roomCreate"),
        ("CreateRoom", 503, "without its egress service"),
    ],
)
def test_what_livekit_refuses_is_said(
    stack: World, livekit: LiveKitServer, method: str, status: int, words: str
) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=status, methods=frozenset({method})))
    done = stack.run(create, "camille", "--json")
    assert (done.code, words in done.document["error"]) == (2, True)


@pytest.mark.parametrize(("status", "words"), [(401, "lacks roomRecord"), (500, "LiveKit is out of order")])
def test_a_room_whose_recording_cannot_be_told_is_made_and_counts_as_not_recorded(
    stack: World, livekit: LiveKitServer, status: int, words: str
) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=status, methods=frozenset({"ListEgress"})))
    done = stack.run(create, "camille", "--json")
    assert (done.code, done.document["ok"], words in done.document["reason"]) == (1, False, True)
    assert "cannot be told" in done.document["reason"]
    assert access(livekit).room("camille") is not None


def test_metadata_that_forbid_recording_contradict_it(stack: World, livekit: LiveKitServer) -> None:
    done = stack.run(create, "camille", "--metadata", '{"record": false}')
    assert (done.code, "made to be recorded" in done.told, livekit.journal.count()) == (2, True, 0)
    assert stack.run(create, " ").code == 2


def test_the_secret_is_in_nothing_said_nor_in_the_rooms_metadata(stack: World, livekit: LiveKitServer) -> None:
    done = stack.run(create, "camille", "--metadata", "m")
    livekit.faults.add(Fault(outcome=Outcome.NO_EGRESS, methods=frozenset({"CreateRoom"})))
    other = stack.run(create, "other", "--json")
    said = done.said + done.told + other.said + other.told + str(access(livekit).room("camille"))
    assert UPLOAD_SECRET not in said
    assert livekit.api_secret not in said


def test_a_recorder_that_fails_a_moment_later_is_no_recording(
    stack: World, livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen as starting first: the room is closed meanwhile, as when a recorder cannot reach LiveKit."""
    monkeypatch.setattr(creation, "STARTING_SECONDS", 2.0)
    listed = creation.LiveKit.egresses

    def egresses(self: LiveKit, *given: str, **options: bool) -> list[api.EgressInfo]:
        found = listed(self, *given, **options)
        room = livekit.rooms.find("camille")
        if found and room is not None:
            livekit.rooms.close(room, RoomEndReason.ROOM_END_API_DELETE)
        return found

    monkeypatch.setattr(creation.LiveKit, "egresses", egresses)
    done = stack.run(create, "camille")
    assert done.code == 1
    assert "ended at once" in done.said
