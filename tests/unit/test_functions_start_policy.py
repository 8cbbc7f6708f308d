"""Which events start a recording, from the bodies LiveKit really sent; and what earlier egresses mean for a start."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.functions.livekit_webhook import parse_event
from infra.functions.start_policy import (
    PATIENCE_SECONDS,
    Egress,
    Past,
    Policy,
    Skip,
    Start,
    decide,
    past,
    running,
    says,
)
from tests.unit.functions_support import captured, captured_names, ended

ROOM_ID = "RM_xRvi3HAA2vta"
POLICY = Policy()


def event(
    name: str = "participant_joined", room: dict[str, Any] | None = None, participant: dict[str, Any] | None = None
) -> tuple[dict[str, Any], float]:
    """A captured event with changes, and when it came."""
    body, _, at = captured(name)
    payload = json.loads(body)
    payload["room"] |= room or {}
    if participant is not None:
        payload["participant"] = payload.get("participant", {}) | participant
    return payload, at


def decided(payload: dict[str, Any], at: float, policy: Policy = POLICY) -> Start | Skip:
    return decide(parse_event(json.dumps(payload).encode()), policy, sent_at=at, now=at)


@pytest.mark.parametrize("name", captured_names())
def test_of_all_captured_events_only_the_caller_s_arrival_starts_a_recording(name: str) -> None:
    body, _, at = captured(name)
    found = decide(parse_event(body), POLICY, sent_at=at, now=at)
    if name == "participant_joined":
        assert found == Start(room_id=ROOM_ID, room_name="call1", phone=False)
    elif name in ("participant_joined.egress_participant", "room_started"):
        assert found is Skip.NOBODY
    else:
        assert found is Skip.OTHER_EVENT


@pytest.mark.parametrize(
    ("participant", "real"),
    [
        ({}, True),
        ({"kind": "STANDARD"}, True),
        ({"kind": "SIP"}, True),
        ({"kind": 3}, True),
        ({"kind": "INGRESS"}, True),
        ({"kind": "CONNECTOR"}, True),
        ({"kind": "A_KIND_OF_NEXT_YEAR"}, True),
        ({"kind": 99}, True),
        ({"kind": "AGENT"}, False),
        ({"kind": 4}, False),
        ({"kind": "EGRESS"}, False),
        ({"kind": 2}, False),
        ({"permission": {"hidden": True}}, False),
        ({"permission": {"recorder": True}}, False),
        ({"permission": {"agent": True}}, False),
        ({"permission": {"hidden": False, "canPublish": True}}, True),
    ],
)
def test_who_counts_as_a_person(participant: dict[str, Any], real: bool) -> None:  # noqa: FBT001
    found = decided(*event(participant=participant))
    assert isinstance(found, Start) if real else found is Skip.NOBODY


def test_an_event_without_participant_starts_nothing() -> None:
    payload, at = event()
    del payload["participant"]
    assert decided(payload, at) is Skip.NOBODY


@pytest.mark.parametrize(("kind", "phone"), [("SIP", True), (3, True), ("STANDARD", False), ("AGENT ", False)])
def test_a_caller_by_phone_is_known(kind: object, phone: bool) -> None:  # noqa: FBT001
    found = decided(*event(participant={"kind": kind}))
    assert isinstance(found, Start)
    assert found.phone == phone


@pytest.mark.parametrize(
    ("name", "include", "exclude", "covered"),
    [
        ("camille", ("*",), ("test-*", "debug-*"), True),
        ("test-1", ("*",), ("test-*", "debug-*"), False),
        ("debug-", ("*",), ("test-*", "debug-*"), False),
        ("Test-1", ("*",), ("test-*", "debug-*"), True),
        ("latest-1", ("*",), ("test-*", "debug-*"), True),
        ("test", ("*",), ("test-*", "debug-*"), True),
        ("call-1", ("call-*", "visit-*"), (), True),
        ("visit-1", ("call-*", "visit-*"), (), True),
        ("camille", ("call-*", "visit-*"), (), False),
        ("call-x", ("call-*",), ("call-[xyz]",), False),
        ("call-7", ("call-?",), (), True),
        ("call-77", ("call-?",), (), False),
        ("a\nb", ("*",), (), True),
        ("camille", (), (), False),
        ("call.1", ("call?1",), (), True),
        ("callx1", ("call.1",), (), False),
    ],
)
def test_which_names_are_recorded(name: str, include: tuple[str, ...], exclude: tuple[str, ...], covered: bool) -> None:  # noqa: FBT001
    policy = Policy(include=include, exclude=exclude)
    assert policy.covers(name) == covered
    found = decided(*event(room={"name": name}), policy)
    assert isinstance(found, Start) if covered else found is Skip.NOT_COVERED


@pytest.mark.parametrize(
    ("metadata", "meant"),
    [
        ('{"record": false}', False),
        ('{"record": "false"}', False),
        ('{"record": "No"}', False),
        ('{"record": 0}', False),
        ('{"record": true}', True),
        ('{"record": "yes"}', True),
        ('{"record": 1}', True),
        ('{"record": null}', None),
        ('{"record": {}}', None),
        ('{"record": "later"}', None),
        ('{"other": false}', None),
        ('["record", false]', None),
        ("false", None),
        ("no json", None),
        ("", None),
        (None, None),
        ("[" * 100_000, None),
    ],
)
def test_what_metadata_say(metadata: str | None, meant: bool | None) -> None:  # noqa: FBT001
    assert says(metadata) is meant
    joined = decided(*event(room={"metadata": metadata}))
    started = decided(*event("room_started", room={"metadata": metadata}))
    assert joined is Skip.METADATA if meant is False else isinstance(joined, Start)
    assert {True: isinstance(started, Start), False: started is Skip.METADATA, None: started is Skip.NOBODY}[meant]


def test_a_room_that_asks_for_it_is_still_held_back_by_its_name() -> None:
    assert decided(*event("room_started", room={"metadata": '{"record": true}', "name": "test-1"})) is Skip.NOT_COVERED


@pytest.mark.parametrize("missing", ["sid", "name"])
def test_an_event_that_names_no_room_starts_nothing(missing: str) -> None:
    payload, at = event()
    del payload["room"][missing]
    assert decided(payload, at) is Skip.NO_ROOM


def test_what_comes_too_late_starts_nothing() -> None:
    payload, at = event()
    happened = int(payload["createdAt"])
    made = parse_event(json.dumps(payload).encode())
    assert isinstance(decide(made, POLICY, sent_at=at, now=happened + PATIENCE_SECONDS), Start)
    assert decide(made, POLICY, sent_at=at, now=happened + PATIENCE_SECONDS + 1) is Skip.TOO_LATE
    assert decide(made, POLICY, sent_at=at + 9999, now=at + 9999) is Skip.TOO_LATE  # sent again by hand
    del payload["createdAt"]
    made = parse_event(json.dumps(payload).encode())
    assert isinstance(decide(made, POLICY, sent_at=at, now=at + PATIENCE_SECONDS), Start)
    assert decide(made, POLICY, sent_at=at, now=at + PATIENCE_SECONDS + 1) is Skip.TOO_LATE


@pytest.mark.parametrize(
    ("info", "again"),
    [
        ({"errorCode": 500}, True),
        ({"errorCode": None}, True),
        ({"status": 4, "errorCode": 500}, True),
        ({"errorCode": 400}, False),
        ({"status": "EGRESS_ABORTED", "errorCode": 412}, False),
        ({"status": "EGRESS_COMPLETE", "errorCode": None}, False),
        ({"errorCode": 500, "roomName": "test-1"}, False),
    ],
)
def test_a_recording_that_broke_off_starts_another(info: dict[str, Any], again: bool) -> None:  # noqa: FBT001
    payload = ended("egress_ended.failed.auth3", **{"roomId": "RM_1", "roomName": "camille"} | info)
    payload["room"] = {"sid": "RM_1", "name": payload["egressInfo"]["roomName"]}
    at = float(payload["createdAt"])
    found = decided(payload, at)
    assert (found == Start(room_id="RM_1", room_name="camille", phone=True, again=True)) == again
    assert isinstance(found, Start) == again
    late = decide(parse_event(json.dumps(payload).encode()), POLICY, sent_at=at, now=at + PATIENCE_SECONDS + 1)
    assert late in (Skip.OTHER_EVENT, Skip.NOT_COVERED)  # it comes again until it is delivered: nothing is missed then


def test_a_start_does_not_show_the_room_s_name() -> None:
    assert "5550100" not in repr(Start(room_id="RM_1", room_name="call-5550100", phone=True))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PARTS = st.dictionaries(st.sampled_from(["sid", "name", "kind", "permission", "metadata"]), JSON)


@given(st.dictionaries(st.sampled_from(["room", "participant", "createdAt", "id"]), JSON | PARTS))
def test_no_event_makes_the_policy_fail(payload: dict[str, Any]) -> None:
    for name in ("participant_joined", "room_started"):
        made = parse_event(json.dumps({"event": name} | payload).encode())
        assert isinstance(decide(made, POLICY, sent_at=0, now=0), (Start, Skip))


def egress(status: str, **changes: Any) -> Egress:
    made: dict[str, Any] = {"egress_id": "EG_1", "room_id": "RM_1", "whole_room": True, "buckets": frozenset({"ours"})}
    return Egress(status=f"EGRESS_{status}", **(made | changes))


@pytest.mark.parametrize(
    ("egresses", "meant"),
    [
        ([], Past.NONE),
        ([egress("STARTING")], Past.RUNNING),
        ([egress("ACTIVE")], Past.RUNNING),
        ([egress("ENDING")], Past.RUNNING),
        ([egress("COMPLETE")], Past.STOPPED),
        ([egress("ABORTED")], Past.STOPPED),
        ([egress("LIMIT_REACHED")], Past.STOPPED),
        ([egress("OF_NEXT_YEAR")], Past.STOPPED),
        ([egress("FAILED")], Past.NONE),
        ([egress("FAILED"), egress("FAILED")], Past.FAILED),
        ([egress("FAILED"), egress("ACTIVE")], Past.RUNNING),
        ([egress("FAILED"), egress("FAILED"), egress("ACTIVE")], Past.RUNNING),
        ([egress("FAILED"), egress("COMPLETE")], Past.STOPPED),
        ([egress("ACTIVE", room_id="RM_2")], Past.NONE),
        ([egress("COMPLETE", room_id="RM_2"), egress("FAILED")], Past.NONE),
        ([egress("ACTIVE", whole_room=False)], Past.NONE),
        ([egress("ACTIVE", buckets=frozenset({"theirs"}))], Past.NONE),
        ([egress("ACTIVE", buckets=frozenset({"theirs", "ours"}))], Past.RUNNING),
        ([egress("ACTIVE", buckets=frozenset())], Past.RUNNING),
    ],
)
def test_what_earlier_egresses_mean(egresses: list[Egress], meant: Past) -> None:
    assert past(egresses, "RM_1", "ours") is meant
    assert past(reversed(egresses), "RM_1", "ours") is meant
    assert running(egresses, "RM_1", "ours") == ("EG_1" if meant is Past.RUNNING else None)
