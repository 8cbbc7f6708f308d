"""Waiting for an event of LiveKit's own: what counts, what does not, and the rooms that bring one about."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.configure.listening import ROOM, ROOM_SECONDS, Listening
from scripts.livekit_access import LiveKit
from scripts.local.livekit_server import Fault, Outcome
from tests.unit.configure_support import access, server
from tests.unit.verify_support import FakeClient, refusal


def line(kind: str, event: str = "accepted", name: str = "EV_1") -> dict[str, str]:
    return {"message": json.dumps({"event": event, "type": kind, "id": name})}


@dataclass
class Time:
    at: float = 0.0
    said: list[str] = field(default_factory=list[str])

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def clock(self) -> float:
        return self.at


def listening(logs: FakeClient, time: Time, livekit: LiveKit | None = None) -> Listening:
    client: Any = logs
    return Listening(
        logs=client,
        group="/receive",
        livekit=livekit,
        say=time.said.append,
        wait=time.wait,
        clock=time.clock,
        now=lambda: 1_000.0,
    )


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([line("room_started")], "room_started"),
        ([line("egress_ended"), line("participant_joined")], "participant_joined"),
        # An egress' events come by the request that started it, without any webhook of the project.
        ([line("egress_started")], None),
        # Our own test event.
        ([line("room_finished", name="EV_callrec-verify-12-finished")], None),
        ([line("room_started", event="refused")], None),
        ([{"message": "START RequestId"}, {"message": "[1]"}], None),
        ([], None),
    ],
)
def test_what_counts(lines: list[dict[str, str]], kind: str | None) -> None:
    time = Time()
    assert listening(FakeClient(filter_log_events={"events": lines}), time).arrived(10) == kind
    assert time.at == (0.0 if kind else 10.0)


def test_only_what_comes_from_now_on_is_looked_at() -> None:
    logs = FakeClient(filter_log_events={"events": []})
    listening(logs, Time()).arrived(0)
    assert logs.called("filter_log_events")[0]["startTime"] == 1_000_000


def test_a_busy_log_is_asked_again_and_a_closed_one_is_not() -> None:
    answers = [refusal("ThrottlingException"), {"events": [line("room_started")]}]

    def answer(**_: Any) -> Any:
        found = answers.pop(0)
        if isinstance(found, ClientError):
            raise found
        return found

    assert listening(FakeClient(filter_log_events=answer), Time()).arrived(10) == "room_started"
    with pytest.raises(ClientError):
        listening(FakeClient(filter_log_events=refusal("AccessDeniedException")), Time()).arrived(10)


def test_rooms_are_opened_and_closed_again_now_and_then() -> None:
    with server() as running:
        time = Time()
        assert listening(FakeClient(filter_log_events={"events": []}), time, access(running)).arrived(40) is None
        assert running.journal.count("CreateRoom") == 1 + int(40 // ROOM_SECONDS)
        assert running.journal.count("DeleteRoom") == running.journal.count("CreateRoom")
        assert access(running).room(ROOM) is None


def test_without_the_right_to_open_rooms_somebody_is_asked_to_call() -> None:
    with server() as running:
        running.faults.add(Fault(outcome=Outcome.STATUS, status=401, methods=frozenset({"CreateRoom"})))
        time = Time()
        logs = FakeClient(filter_log_events={"events": []})
        assert listening(logs, time, access(running)).arrived(5) is None
    assert any("make a call yourself" in said for said in time.said)


def test_the_names_of_these_rooms_are_excluded_from_recording() -> None:
    from infra.functions.start_policy import Policy  # noqa: PLC0415 -- the policy as it is by default

    assert not Policy().covers(f"{ROOM}123")
