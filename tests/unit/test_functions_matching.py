"""Matching: one call's recording never on another's conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.functions.errors import WaitError
from infra.functions.matching import CLOCK_SKEW, Carried, Conversation, Decision, Rules, assign
from infra.functions.recording import Recording, Status
from tests.unit.functions_support import END, NOW, START, recording

WINDOW = timedelta(minutes=10)
RULES = Rules(window=WINDOW, settle=timedelta(0), now=NOW + 10_000)


def conversation(record_id: str = "rec1", **changes: Any) -> Conversation:
    made: dict[str, Any] = {"record_id": record_id, "room_name": "camille", "started_at": START}
    return Conversation(**(made | changes))


def decide(made: Recording, *conversations: Conversation, rules: Rules = RULES) -> Decision | WaitError:
    return assign([("g", made)], conversations, rules)[0]


def reason(verdict: Decision | WaitError) -> str:
    assert isinstance(verdict, WaitError)
    return verdict.reason


def written(record_id: str) -> Decision:
    return Decision(record_id=record_id, write=True)


def kept(record_id: str) -> Decision:
    return Decision(record_id=record_id, write=False)


def carried(**changes: Any) -> Carried:
    made: dict[str, Any] = {"egress_id": "EG_1", "room_id": "RM_1", "duration_s": 12.0, "ended_at": END.timestamp()}
    return Carried(**(made | changes))


# -- which one ------------------------------------------------------------------------------------------------------


def test_none_waits() -> None:
    assert reason(decide(recording())) == "no_conversation"
    assert reason(decide(recording(), conversation(room_name="other"))) == "no_conversation"
    assert reason(decide(recording(room_name=None), conversation(room_name=None))) == "no_conversation"


@pytest.mark.parametrize(
    ("offset", "found"),
    [
        (START - WINDOW - timedelta(microseconds=1), False),
        (START - WINDOW, True),
        (START, True),
        (END + WINDOW, True),
        (END + WINDOW + timedelta(microseconds=1), False),
    ],
)
def test_by_name_within_the_window(offset: Any, found: bool) -> None:  # noqa: FBT001
    verdict = decide(recording(), conversation(started_at=offset))
    assert verdict == written("rec1") if found else reason(verdict) == "no_conversation"


@pytest.mark.parametrize(
    ("offset", "found"),
    [
        (START - WINDOW, True),
        (END + CLOCK_SKEW, True),
        (END + CLOCK_SKEW + timedelta(microseconds=1), False),
        (END + WINDOW, False),
    ],
)
def test_a_call_that_began_after_the_recordings_end_is_another(offset: Any, found: bool) -> None:  # noqa: FBT001
    """While a call's own conversation is missing, the next caller's in the same room must not take its place."""
    verdict = decide(recording(), conversation(started_at=offset, own_start=True))
    assert verdict == written("rec1") if found else reason(verdict) == "no_conversation"


def test_by_name_with_half_a_time_and_with_none() -> None:
    assert decide(recording(started_at=None), conversation(started_at=END)) == written("rec1")
    assert decide(recording(ended_at=None), conversation()) == written("rec1")
    assert reason(decide(recording(started_at=None, ended_at=None), conversation())) == "no_conversation"


def test_several_by_name_are_never_guessed() -> None:
    near, far = conversation("near"), conversation("far", started_at=START - timedelta(minutes=9))
    for order in ((near, far), (far, near)):
        assert reason(decide(recording(), *order)) == "ambiguous"


@pytest.mark.parametrize(
    "changes",
    [
        {"egress_id": "EG_other"},
        {"room_id": "RM_other"},
        {"egress_id": "EG_other", "room_id": "RM_other"},
        {"carries": carried(egress_id="EG_other", room_id="RM_other")},
        {"carries": carried(egress_id="EG_other", room_id=None)},
        {"foreign_link": True},
    ],
)
def test_a_conversation_that_is_taken_is_not_found_by_name(changes: dict[str, Any]) -> None:
    assert reason(decide(recording(), conversation(**changes))) == "no_conversation"
    assert decide(recording(), conversation(**changes), conversation("free")) == written("free")


def test_without_a_room_id_of_its_own_a_recording_takes_no_conversation_that_has_one() -> None:
    assert reason(decide(recording(room_id=None), conversation(room_id="RM_1"))) == "no_conversation"


@pytest.mark.parametrize(
    "changes",
    [
        {"egress_id": "EG_1"},
        {"room_id": "RM_1"},
        {"carries": carried()},
        {"carries": carried(egress_id="EG_0", duration_s=1)},
    ],
)
def test_ids_decide_whatever_name_and_time_say(changes: dict[str, Any]) -> None:
    far = conversation("far", room_name="renamed", started_at=START - timedelta(days=9), **changes)
    assert decide(recording(), conversation("near"), far) == written("far")


def test_an_egress_id_goes_before_a_room_id() -> None:
    assert decide(
        recording(), conversation("room", room_id="RM_1"), conversation("egress", egress_id="EG_1")
    ) == written("egress")


@pytest.mark.parametrize("changes", [{"egress_id": "EG_1"}, {"room_id": "RM_1"}])
def test_several_by_id_are_never_guessed(changes: dict[str, Any]) -> None:
    assert reason(decide(recording(), conversation("a", **changes), conversation("b", **changes))) == "ambiguous"


def test_another_room_session_is_never_it_even_with_the_same_egress_id() -> None:
    assert reason(decide(recording(), conversation(egress_id="EG_1", room_id="RM_2"))) == "no_conversation"
    assert reason(decide(recording(), conversation(carries=carried(room_id="RM_2")))) == "no_conversation"


def test_two_sessions_that_want_one_conversation_by_name_get_none() -> None:
    later = recording(egress_id="EG_2", room_id="RM_2", started_at=END, ended_at=END + timedelta(minutes=1))
    verdicts = assign([("RM_1", recording()), ("RM_2", later)], [conversation()], RULES)
    assert [reason(verdict) for verdict in verdicts] == ["ambiguous", "ambiguous"]


def test_a_conversation_claimed_by_id_is_not_contested_by_name() -> None:
    later = recording(egress_id="EG_2", room_id="RM_2")
    verdicts = assign([("RM_1", recording()), ("RM_2", later)], [conversation(room_id="RM_2")], RULES)
    assert reason(verdicts[0]) == "no_conversation"
    assert verdicts[1] == written("rec1")


def test_by_name_waits_until_late_conversations_are_there() -> None:
    ended = END.timestamp()
    rules = replace(RULES, settle=timedelta(minutes=5), now=ended + 60)
    verdict = decide(recording(), conversation(), rules=rules)
    assert reason(verdict) == "settling"
    assert isinstance(verdict, WaitError)
    assert verdict.delay == pytest.approx(240)
    assert decide(recording(), conversation(room_id="RM_1"), rules=rules) == written("rec1")
    assert decide(recording(), conversation(), rules=replace(rules, now=ended + 300)) == written("rec1")


# -- what stays -----------------------------------------------------------------------------------------------------


def test_the_same_again_is_written_again() -> None:
    assert decide(recording(), conversation(egress_id="EG_1", carries=carried())) == written("rec1")


@pytest.mark.parametrize(("offset", "verdict"), [(-1, kept("rec1")), (0, written("rec1")), (1, written("rec1"))])
def test_of_one_egress_the_later_end_stays(offset: int, verdict: Decision) -> None:
    made = recording(ended_at=END + timedelta(seconds=offset), duration_s=12.0 - offset)
    assert decide(made, conversation(carries=carried())) == verdict


@pytest.mark.parametrize(
    ("duration", "ended", "verdict"),
    [
        (13.0, END, written("rec1")),
        (11.0, END + timedelta(hours=1), kept("rec1")),
        (12.0, END + timedelta(seconds=1), written("rec1")),
        (12.0, END, kept("rec1")),
        (None, END + timedelta(hours=1), kept("rec1")),
    ],
)
def test_of_one_room_session_the_longer_stays(duration: float | None, ended: Any, verdict: Decision) -> None:
    made = recording(egress_id="EG_2", duration_s=duration, ended_at=ended)
    assert decide(made, conversation(carries=carried())) == verdict


def test_what_has_no_file_replaces_no_link() -> None:
    lost = recording(status=Status.FAILED, size_bytes=None, ended_at=END + timedelta(hours=1), duration_s=999.0)
    assert decide(lost, conversation(carries=carried())) == kept("rec1")
    assert decide(replace(lost, egress_id="EG_2"), conversation(carries=carried())) == kept("rec1")
    assert decide(lost, conversation(room_id="RM_1")) == written("rec1")


def test_a_link_of_another_session_under_our_own_room_id_is_replaced() -> None:
    wrong = carried(egress_id="EG_9", room_id="RM_9", duration_s=999.0)
    assert decide(recording(), conversation(room_id="RM_1", carries=wrong)) == written("rec1")


def test_a_foreign_link_is_replaced_where_the_ids_agree() -> None:
    assert decide(recording(), conversation(room_id="RM_1", foreign_link=True)) == written("rec1")


def test_what_stands_behind_a_waiting_recording_of_its_group_waits() -> None:
    first, second = recording(room_name="other"), recording(egress_id="EG_2")
    verdicts = assign([("g", first), ("g", second), ("h", second)], [conversation()], RULES)
    assert [reason(verdict) for verdict in verdicts[:2]] == ["no_conversation", "behind"]
    assert verdicts[2] == written("rec1")


def last_written(recordings: list[Recording]) -> Recording:
    """Which recording a conversation shows when these arrive one by one."""
    current = conversation(room_id="RM_1")
    shown = None
    for made in recordings:
        verdict = decide(made, current)
        assert isinstance(verdict, Decision)
        if verdict.write:
            current, shown = current.carrying(made), made
    assert shown is not None
    return shown


SESSION = st.lists(
    st.builds(
        lambda egress, ended, duration, status: recording(
            egress_id=f"EG_{egress}",
            ended_at=END + timedelta(seconds=ended),
            duration_s=float(duration),
            status=status,
            size_bytes=100 if status is Status.COMPLETE else None,
        ),
        st.integers(1, 4),
        st.integers(0, 5),
        st.integers(1, 5),
        st.sampled_from([Status.COMPLETE, Status.FAILED]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda made: made.egress_id,
)


@settings(max_examples=150)
@given(SESSION)
def test_whatever_the_order_of_arrival_the_same_recording_is_shown(recordings: list[Recording]) -> None:
    shown = {last_written(list(order)) for order in permutations(recordings)}
    whole = {made for made in shown if made.has_file}
    assert len({(made.duration_s, made.ended_at) for made in whole}) <= 1
    if any(made.has_file for made in recordings):
        assert whole == shown
        assert max(made.duration_s or 0 for made in recordings if made.has_file) == next(iter(shown)).duration_s


@given(st.permutations([recording(ended_at=END + timedelta(seconds=second)) for second in range(4)]))
def test_two_complete_of_one_egress_end_with_the_later(recordings: list[Recording]) -> None:
    assert last_written(recordings).ended_at == END + timedelta(seconds=3)


IDS = st.none() | st.sampled_from(["1", "2"])
TABLES = st.lists(
    st.builds(
        lambda name, egress, room, minutes, link, foreign: conversation(
            room_name=name,
            egress_id=egress and f"EG_{egress}",
            room_id=room and f"RM_{room}",
            started_at=START + timedelta(minutes=minutes),
            carries=link and carried(egress_id=f"EG_{link[0]}", room_id=link[1] and f"RM_{link[1]}"),
            foreign_link=foreign and not link,
        ),
        st.sampled_from(["camille", "other"]),
        IDS,
        IDS,
        st.integers(-20, 20),
        st.none() | st.tuples(st.sampled_from(["1", "2"]), IDS),
        st.booleans(),
    ),
    max_size=3,
).map(lambda rows: [replace(row, record_id=f"rec{index}") for index, row in enumerate(rows)])
BATCHES = st.lists(
    st.builds(
        lambda egress, room, minutes: recording(
            egress_id=f"EG_{egress}",
            room_id=room and f"RM_{room}",
            started_at=START + timedelta(minutes=minutes),
            ended_at=END + timedelta(minutes=minutes),
        ),
        st.sampled_from(["1", "2"]),
        IDS,
        st.integers(-20, 20),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=1500)
@given(BATCHES, TABLES)
def test_no_match_contradicts_an_id_and_none_is_a_guess(recordings: list[Recording], table: list[Conversation]) -> None:
    verdicts = assign([(str(index), made) for index, made in enumerate(recordings)], table, RULES)
    rows = {row.record_id: row for row in table}
    for made, verdict in zip(recordings, verdicts, strict=True):
        if isinstance(verdict, WaitError):
            assert verdict.reason in {"ambiguous", "no_conversation"}
            continue
        row = rows[verdict.record_id]
        assert row.room_id is None or made.room_id is None or row.room_id == made.room_id
        if verdict.write:
            rows[row.record_id] = row.carrying(made)
        by_id = made.egress_id in {row.egress_id, row.carries and row.carries.egress_id} or (
            made.room_id is not None and made.room_id in {row.room_id, row.carries and row.carries.room_id}
        )
        if not by_id:
            assert row.room_name == made.room_name
            assert row.egress_id is None
            assert row.room_id is None
            assert row.carries is None
            assert not row.foreign_link
            rivals = [
                other
                for other in table
                if other.room_name == "camille"
                and abs(other.started_at - (made.started_at or START)) <= WINDOW - timedelta(minutes=1)
                and not (other.egress_id or other.room_id or other.carries or other.foreign_link)
            ]
            assert len([rival for rival in rivals if rows[rival.record_id] is rival]) <= 1
