"""The comparison: what is told, missing, unwanted, nowhere, and when anybody looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from livekit import api

from infra.functions.arrivals import Arrival
from infra.functions.egress_info import Egresses, Ended, sort
from infra.functions.livekit_list import Rooms
from infra.functions.matching import Carried, Conversation, Rules
from infra.functions.reckoning import LONGEST_CALL, Facts, Findings, Plan, is_manifest, plan, reckon
from infra.functions.recording import Recording
from infra.functions.stuck import quiet, still, to_tell
from infra.functions.telling import Table, Telling, is_told
from infra.functions.timetable import GRACE, LAST, Timetable
from tests.unit.functions_reconcile import BUCKET, PREFIX, arrived, egress, running
from tests.unit.functions_support import END, START

WINDOW, QUARTER, HOUR = timedelta(minutes=10), timedelta(minutes=15), timedelta(hours=1)


def timetable(age: timedelta = 2 * QUARTER, *, by_hand: bool = False, hours: float = 2) -> Timetable:
    """A run so long after END."""
    now, lookback = END + age, timedelta(hours=hours)
    if by_hand:
        return Timetable(now=now, interval=QUARTER, lookback=lookback, by_hand=True)
    return Timetable.scheduled(now, QUARTER, lookback)


def known(*infos: api.EgressInfo) -> Egresses:
    return sort([MessageToDict(info) for info in infos], BUCKET, PREFIX)


def facts(*infos: api.EgressInfo, arrivals: Iterable[Arrival] = (), **more: Any) -> Facts:
    return Facts(egresses=known(*infos), arrivals=frozenset(arrivals), **more)


def one(info: api.EgressInfo) -> Recording:
    return known(info).ended[0].recording


def telling(*, lists: bool = False, says: bool = True) -> Telling:
    rules = Rules(window=WINDOW, settle=timedelta(0), now=END.timestamp())
    return Telling(rules=rules, lists=lists, can_say=lambda _: says)


def conversation(number: int, **changes: Any) -> Conversation:
    """The conversation of call `number`, without its recording."""
    made: dict[str, Any] = {"record_id": f"rec{number}", "room_name": f"room {number}", "started_at": START}
    return Conversation(**(made | changes))


def with_link(number: int, info: api.EgressInfo | None = None, **changes: Any) -> Conversation:
    recording = one(info or egress(number))
    return conversation(number, carries=Carried.of(recording), room_id=recording.room_id, **changes)


def compare(
    given_facts: Facts,
    conversations: Iterable[Conversation],
    when: Timetable,
    *,
    played: Iterable[tuple[str, str]] = (),
    how: Telling | None = None,
) -> Findings:
    planned = plan(given_facts, when)
    return reckon(
        given_facts,
        planned,
        conversations,
        played=frozenset(played),
        telling=how or telling(),
        timetable=when,
    )


def ids(ended: Iterable[Ended]) -> list[str]:
    return [item.recording.egress_id for item in ended]


def told(info: api.EgressInfo, *conversations: Conversation, how: Telling | None = None) -> bool:
    return is_told(one(info), Table(conversations), how or telling())


# When.


def test_looks_become_rarer() -> None:
    looked = [turn for turn in range(200) if timetable(turn * QUARTER + QUARTER / 2).due(END)]
    assert looked == [1, 2, 4, 8, 16, 32, 64, 128]
    assert all(timetable(turn * QUARTER, by_hand=True).due(END) for turn in range(20))


def test_a_clock_that_is_behind_looks_at_nothing_of_the_future() -> None:
    assert not timetable(-HOUR).due(END)


@pytest.mark.parametrize(("interval", "lookback"), [(15, 120), (1440, 60), (60, 60), (20, 30)])
def test_everything_gets_a_first_look_whatever_is_configured(interval: int, lookback: int) -> None:
    step = timedelta(minutes=interval)
    for offset in range(0, interval, max(1, interval // 7)):
        moment = END + timedelta(minutes=offset)
        runs = [Timetable.scheduled(END + turn * step, step, timedelta(minutes=lookback)) for turn in range(12)]
        assert any(run.due(moment) and moment >= run.since for run in runs)


def test_conversations_are_checked_once_in_a_lookback_each_by_two_runs() -> None:
    runs = [timetable(turn * QUARTER) for turn in range(200)]
    spans = [span for run in runs if (span := run.check())]
    assert len(spans) == 25
    for minutes in range(0, 24 * 60, 7):
        moment = END + timedelta(minutes=minutes)
        assert sum(begin <= moment < end for begin, end in spans) == 2


def test_by_hand_all_are_checked_but_the_youngest() -> None:
    assert timetable(by_hand=True, hours=24).check() == (END + 2 * QUARTER - 24 * HOUR, END + 2 * QUARTER - GRACE)
    assert timetable(by_hand=True, hours=0.5).check() is None


# What a run compares.


def quiet_run(age: timedelta) -> Timetable:
    """A scheduled run that checks no conversations."""
    found = timetable(age)
    while found.check() is not None:
        found = replace(found, now=found.now + timedelta(minutes=8))
    return found


def test_nothing_open_is_nothing_to_compare() -> None:
    assert plan(facts(), quiet_run(QUARTER)).start is None
    assert plan(facts(egress(1), arrivals=[arrived(1)]), quiet_run(timedelta(minutes=5))).start is None


def test_what_is_due_reaches_back_to_its_start() -> None:
    planned = plan(facts(egress(1)), quiet_run(QUARTER))
    assert (planned.start, planned.due) == (START, {"EG_1"})
    planned = plan(facts(egress(1, started_at=0)), quiet_run(QUARTER))
    assert planned.start == END - LONGEST_CALL


def test_a_file_nobody_knows_reaches_back_as_long_as_a_call_may_last() -> None:
    assert plan(facts(arrivals=[arrived(1)]), quiet_run(QUARTER)).start == END - LONGEST_CALL
    assert plan(facts(egress(1), arrivals=[arrived(1)]), quiet_run(QUARTER)).start == START


def test_a_manifest_is_no_reason_to_compare() -> None:
    manifest = arrived(1, key="calls/EG_qSre47Ggpyvq.json")
    assert plan(facts(arrivals=[manifest]), quiet_run(QUARTER)).start is None


def test_a_recording_older_than_the_lookback_counts_while_its_file_is_open() -> None:
    when = timetable(16 * QUARTER + QUARTER / 2)
    assert plan(facts(egress(1)), when).recordings == ()
    assert plan(facts(egress(1), arrivals=[arrived(1)]), when).due == {"EG_1"}
    another = arrived(1, size=99)
    assert plan(facts(egress(1), arrivals=[another]), when).recordings == ()


def test_the_last_look_is_always_due() -> None:
    day = timetable(LAST)
    assert not day.due(END)
    assert plan(facts(egress(1), arrivals=[arrived(1)]), day).due == {"EG_1"}


def test_a_conversation_to_check_reaches_back_too() -> None:
    when = timetable(by_hand=True, hours=24)
    assert plan(facts(), when).start == when.since
    assert plan(facts(complete=False), when).start is None


# Told.


def test_a_recording_is_told_where_its_link_is() -> None:
    assert not told(egress(1))
    assert not told(egress(1), conversation(1))
    assert told(egress(1), with_link(1))
    assert told(egress(1), conversation(1, listed=(Carried.of(one(egress(1))),)))
    assert not told(egress(2), with_link(1))


def test_the_earlier_of_two_files_of_one_egress_is_told_with_the_later() -> None:
    later = egress(1, end=END + timedelta(seconds=5))
    assert told(egress(1), with_link(1, later))
    assert not told(later, with_link(1))


def test_a_recording_that_gave_way_is_told() -> None:
    longer = egress(2, end=END + HOUR, room_id="RM_1", room_name="room 1")
    assert told(egress(1), with_link(1, longer))
    assert not told(longer, with_link(1))


def test_a_recording_that_gave_way_is_to_be_listed_where_there_is_a_list() -> None:
    longer = egress(2, end=END + HOUR, room_id="RM_1", room_name="room 1")
    carrying = with_link(1, longer)
    assert not told(egress(1), carrying, how=telling(lists=True))
    listed = replace(carrying, listed=(Carried.of(one(egress(1))), Carried.of(one(longer))))
    assert told(egress(1), listed, how=telling(lists=True))


def test_without_a_file_the_words_tell() -> None:
    failed = egress(1, status="ABORTED", size=0, error_code=412)
    words = one(failed).status_text
    assert not told(failed, conversation(1))
    assert told(failed, conversation(1, egress_id="EG_1", room_id="RM_1", status=words))
    assert not told(failed, conversation(1, egress_id="EG_1", room_id="RM_1", status="Not recorded: something else"))
    assert told(failed, conversation(1, status=words))
    assert told(failed, with_link(1, egress(2, room_id="RM_1")))
    assert not told(failed, conversation(1), conversation(9, room_name="room 1"))


def test_two_that_failed_do_not_take_turns() -> None:
    first = egress(1, status="ABORTED", size=0, error_code=412)
    second = egress(2, status="FAILED", size=0, error_code=500, room_id="RM_1", room_name="room 1")
    after = conversation(1, egress_id="EG_2", room_id="RM_1", status=one(second).status_text)
    assert told(first, after)
    assert told(second, after)


def test_what_the_table_cannot_say_is_not_due() -> None:
    failed = egress(1, status="ABORTED", size=0, error_code=412)
    assert told(failed, conversation(1), how=telling(says=False))
    assert not told(egress(1), conversation(1), how=telling(says=False))


# What comes out.


def test_a_lost_recording_is_missing_when_it_is_due() -> None:
    lost = facts(egress(1), egress(2))
    found = compare(lost, [conversation(1), with_link(2)], timetable(QUARTER))
    assert (ids(found.missing), found.told, found.waiting) == (["EG_1"], 1, 0)
    early = compare(replace(lost, arrivals=frozenset([arrived(9, START - LAST)])), [], timetable(QUARTER / 2))
    assert (ids(early.missing), early.waiting) == ([], 2)


def test_an_object_that_plays_is_resolved() -> None:
    found = compare(
        facts(egress(1), arrivals=[arrived(1)]), [with_link(1)], timetable(), played=[("calls/1.mp4", "v1")]
    )
    assert (found.resolved, found.unwanted, found.awaited) == ({arrived(1)}, frozenset(), {})


def test_another_version_that_plays_resolves_nothing() -> None:
    again = arrived(1, version="v9")
    found = compare(
        facts(egress(1), arrivals=[again]),
        [with_link(1)],
        timetable(5 * HOUR, by_hand=True),
        played=[("calls/1.mp4", "v1")],
    )
    assert (found.resolved, found.unwanted) == (frozenset(), {again})


def test_the_object_of_a_missing_recording_is_awaited() -> None:
    found = compare(facts(egress(1), arrivals=[arrived(1)]), [conversation(1)], timetable(5 * HOUR, by_hand=True))
    assert found.awaited == {arrived(1): {"EG_1"}}
    assert (found.unwanted, found.resolved) == (frozenset(), frozenset())


def test_the_object_of_a_recording_that_gave_way_is_resolved() -> None:
    longer = egress(2, end=END + HOUR, room_id="RM_1", room_name="room 1")
    found = compare(facts(egress(1), longer, arrivals=[arrived(1)]), [with_link(1, longer)], timetable(2 * HOUR))
    assert found.resolved == {arrived(1)}


def test_an_object_nobody_knows_is_unwanted_after_an_hour() -> None:
    stranger = arrived(1)
    for age, expected in ((HOUR - timedelta(seconds=1), frozenset[Arrival]()), (HOUR, {stranger})):
        assert compare(facts(arrivals=[stranger]), [], timetable(age, by_hand=True)).unwanted == expected


def test_an_object_beside_a_failed_recording_is_unwanted() -> None:
    refused = egress(1, status="FAILED", size=0, error_code=400)
    said = conversation(1, egress_id="EG_1", room_id="RM_1", status=one(refused).status_text)
    assert compare(facts(refused, arrivals=[arrived(1)]), [said], timetable(HOUR)).unwanted == {arrived(1)}


def test_an_object_of_a_running_egress_is_expected() -> None:
    assert compare(facts(running(1), arrivals=[arrived(1)]), [], timetable(HOUR)).unwanted == frozenset()


def test_while_livekit_is_silent_nothing_is_nowhere() -> None:
    silent = facts(arrivals=[arrived(1)], complete=False)
    found = compare(silent, [conversation(1)], timetable(5 * HOUR, by_hand=True, hours=24))
    assert (found.unwanted, found.without_recording) == (frozenset(), ())


def test_an_object_beyond_what_was_read_is_not_judged() -> None:
    old, young = arrived(1, END - 5 * HOUR), egress(2)
    when = timetable(QUARTER)
    assert not when.due(old.at)
    found = compare(facts(young, arrivals=[old]), [with_link(2)], when)
    assert (found.unwanted, found.resolved) == (frozenset(), frozenset())


def test_manifests_are_resolved() -> None:
    manifest = arrived(1, key="calls/call1/EG_qSre47Ggpyvq.json")
    assert compare(facts(arrivals=[manifest]), [], timetable()).resolved == {manifest}
    assert is_manifest("EG_x.json")
    assert is_manifest("calls/callrec-verify/0123.mp4")  # a probe that Object Lock keeps
    assert not is_manifest("calls/callrec-verify-0123.mp4")
    assert not any(map(is_manifest, ("calls/EG_x.mp4", "calls/xEG_1.json", "calls/EG_1.json.mp4", "calls/EG_/a.json")))


def test_a_key_that_is_used_again_belongs_to_each_by_its_time_and_size() -> None:
    tomorrow = timedelta(days=1)
    same = [api.FileInfo(filename="calls/1.mp4", size=100)]
    second = egress(2, begin=START + tomorrow, end=END + tomorrow, file_results=same)
    first_file, second_file = arrived(1), arrived(1, END + tomorrow, version="v2")
    planned = plan(facts(egress(1), second, arrivals=[first_file, second_file]), timetable(tomorrow + QUARTER))
    assert [ids(planned.owners[item]) for item in (first_file, second_file)] == [["EG_1"], ["EG_2"]]


def checked(*conversations: Conversation, **more: Any) -> list[str]:
    found = compare(facts(**more), conversations, timetable(2 * HOUR, by_hand=True, hours=24))
    return [item.record_id for item in found.without_recording]


def test_a_conversation_whose_recording_is_nowhere_is_told() -> None:
    assert checked(conversation(1)) == ["rec1"]
    assert checked(with_link(1), conversation(2, foreign_link=True), conversation(3, status="Not recorded: x")) == []
    assert checked(conversation(1, started_at=END + 1.5 * HOUR), conversation(2, started_at=START - 30 * HOUR)) == []


def test_a_conversation_whose_recording_is_known_is_not() -> None:
    when = timetable(2 * HOUR, by_hand=True, hours=24)
    for info in (egress(1), running(1), egress(1, status="ABORTED", size=0)):
        assert compare(facts(info), [conversation(1)], when).without_recording == ()
    assert compare(facts(egress(2)), [conversation(1)], when).without_recording != ()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("calls/room 1-2026-11-24T000035.mp4", []),
        ("calls/RM_1-2026-11-24T000035.mp4", []),
        ("calls/room 1.mp4", []),
        ("calls/room 12.mp4", ["rec1"]),
        ("calls/bedroom 1.mp4", ["rec1"]),
        ("calls/RM_12.mp4", ["rec1"]),
    ],
)
def test_a_conversation_whose_room_an_object_names_is_not(key: str, expected: list[str]) -> None:
    named = arrived(1, key=key)
    assert checked(conversation(1, room_id="RM_1"), arrivals=[named]) == expected
    assert checked(conversation(1), arrivals=[replace(named, at=END - 5 * HOUR)]) == ["rec1"]


def test_a_conversation_without_a_name_is_named_by_nothing() -> None:
    assert checked(conversation(1, room_name=None), arrivals=[arrived(1)]) == ["rec1"]


# Stuck.


OPEN = Rooms(ids=frozenset({"RM_2"}), names=frozenset({"room 2"}))


def suspects(*infos: api.EgressInfo, when: Timetable | None = None) -> list[str]:
    found = quiet(known(*infos).running, OPEN, when or timetable(QUARTER))
    return [item.egress_id for item in found]


def test_an_egress_whose_room_is_gone_is_stuck() -> None:
    assert suspects(running(1), running(2)) == ["EG_1"]
    assert suspects(running(2, room_id="RM_9")) == ["EG_2"]
    assert suspects(running(1, room_id=""), running(2, room_id="")) == ["EG_1"]
    assert suspects(running(1, room_id="", room_name="")) == []


def test_one_that_was_heard_of_a_moment_ago_is_not() -> None:
    when = timetable(QUARTER, by_hand=True)
    assert suspects(running(1, seen=when.now - timedelta(minutes=9)), when=when) == []
    assert suspects(running(1, seen=when.now - timedelta(minutes=10)), when=when) == ["EG_1"]
    assert suspects(running(1), when=timetable(3 * QUARTER + QUARTER / 2)) == []


def test_one_of_long_ago_is_left_to_somebody_who_looks_back_so_far() -> None:
    assert suspects(running(1), when=timetable(300 * HOUR, by_hand=True, hours=2)) == []
    assert suspects(running(1), when=timetable(300 * HOUR, by_hand=True, hours=400)) == ["EG_1"]


def test_it_is_stuck_when_livekit_says_so_twice() -> None:
    when = timetable(QUARTER)
    first = quiet(known(running(1), running(3)).running, OPEN, when)
    assert [item.egress_id for item in still(first, known(running(3)).running, OPEN, when)] == ["EG_3"]
    assert still(first, known(running(1)).running, Rooms(ids=frozenset({"RM_1"}), names=frozenset()), when) == []


def test_a_stuck_egress_is_told_to_have_failed_or_with_its_file() -> None:
    (suspect,) = known(running(1)).running
    assert not to_tell(suspect, [arrived(2), arrived(1, START - HOUR), arrived(1, size=0)]).recording.has_file
    found = to_tell(suspect, [arrived(1), arrived(1, END + HOUR, size=7)]).recording
    assert (found.has_file, found.size_bytes, found.ended_at) == (True, 7, END + HOUR)


def test_a_stuck_egress_is_told_once() -> None:
    failed = to_tell(known(running(1)).running[0], [])
    silent = Facts(egresses=known(running(1)), stuck=(failed,))
    assert ids(compare(silent, [conversation(1)], timetable(QUARTER)).stuck) == ["EG_1"]
    said = conversation(1, egress_id="EG_1", room_id="RM_1", status=failed.recording.status_text)
    assert compare(silent, [said], timetable(QUARTER)).stuck == ()


def test_the_file_of_a_stuck_egress_waits_for_it() -> None:
    stuck = to_tell(known(running(1)).running[0], [arrived(1)])
    with_file = Facts(egresses=known(running(1)), stuck=(stuck,), arrivals=frozenset([arrived(1)]))
    assert compare(with_file, [], timetable(HOUR)).awaited == {arrived(1): {"EG_1"}}


# Whatever the world looks like.


@dataclass(frozen=True, slots=True)
class World:
    facts: Facts
    conversations: tuple[Conversation, ...]
    played: frozenset[tuple[str, str]]
    when: Timetable
    how: Telling


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Few rooms and keys, so that they meet; each conversation with no link, or that of some version of some egress."""
    numbers = st.integers(1, 4)
    moments = st.integers(-26 * 60, 26 * 60).map(lambda minutes: END + timedelta(minutes=minutes))
    infos: list[api.EgressInfo] = []
    for number in draw(st.lists(numbers, unique=True)):
        end = draw(moments)
        begin = end - timedelta(minutes=draw(st.integers(0, 90)))
        changes: dict[str, Any] = {"room_id": f"RM_{draw(numbers)}", "room_name": f"room {draw(st.integers(1, 2))}"}
        if draw(st.booleans()):
            file = api.FileInfo(filename=f"calls/{draw(numbers)}.mp4", size=draw(st.sampled_from([0, 100])))
            status = draw(st.sampled_from(["COMPLETE", "FAILED", "LIMIT_REACHED"]))
            infos.append(egress(number, begin=begin, end=end, status=status, file_results=[file], **changes))
        else:
            infos.append(running(number, begin=begin, seen=end, **changes))
    egresses = known(*infos)
    arrivals = draw(
        st.frozensets(
            st.builds(
                Arrival,
                key=numbers.map(lambda number: f"calls/{number}.mp4"),
                version=numbers.map(lambda number: f"v{number}"),
                size=st.sampled_from([0, 100]),
                at=moments,
            ),
            max_size=6,
        )
    )
    conversations: list[Conversation] = []
    played: set[tuple[str, str]] = set()
    with_files = [item.recording for item in egresses.ended if item.recording.has_file]
    for number in range(draw(st.integers(0, 6))):
        changes = {
            "room_name": draw(st.sampled_from([None, "room 1", "room 2"])),
            "room_id": draw(st.sampled_from([None, "RM_1", "RM_2"])),
            "started_at": draw(moments),
            "status": draw(st.sampled_from([None, "Not recorded: the recorder failed"])),
        }
        if with_files and draw(st.booleans()):
            recording = draw(st.sampled_from(with_files))
            changes["carries"] = Carried.of(recording)
            played.add((recording.key or "", f"v{draw(numbers)}"))
        conversations.append(conversation(number, **changes))
    when = timetable(timedelta(minutes=draw(st.integers(0, 1500))), by_hand=draw(st.booleans()), hours=24)
    rooms = Rooms(ids=draw(st.frozensets(numbers.map(lambda number: f"RM_{number}"))), names=frozenset())
    stuck = tuple(to_tell(item, arrivals) for item in quiet(egresses.running, rooms, when))
    rules = Rules(window=WINDOW, settle=draw(st.sampled_from([timedelta(0), HOUR])), now=when.now.timestamp())
    lists, says = draw(st.booleans()), draw(st.booleans())
    return World(
        Facts(egresses=egresses, stuck=stuck, arrivals=arrivals, complete=draw(st.booleans())),
        tuple(conversations),
        frozenset(played),
        when,
        Telling(rules=rules, lists=lists, can_say=lambda _: says),
    )


def outcome(world: World) -> tuple[Plan, Findings]:
    planned = plan(world.facts, world.when)
    found = reckon(
        world.facts,
        planned,
        world.conversations,
        played=world.played,
        telling=world.how,
        timetable=world.when,
    )
    return planned, found


def carried_ends(world: World) -> dict[str, float]:
    """Egress id → end, of every recording a conversation carries."""
    carried = [item.carries for item in world.conversations if item.carries]
    return {item.egress_id: item.ended_at or 0.0 for item in carried}


@given(worlds())
def test_what_a_conversation_carries_is_never_missing(world: World) -> None:
    _, found = outcome(world)
    carried = carried_ends(world)
    for item in (*found.missing, *found.stuck):
        recording = item.recording
        end = recording.ended_at.timestamp() if recording.ended_at else 0.0
        assert not (recording.has_file and recording.egress_id in carried and carried[recording.egress_id] >= end)


@given(worlds())
def test_no_object_is_both_delivered_and_unwanted(world: World) -> None:
    planned, found = outcome(world)
    fates = [*found.resolved, *found.unwanted, *found.awaited]
    assert len(fates) == len(set(fates))
    assert set(fates) <= world.facts.arrivals
    assert all((item.key, item.version) not in world.played for item in found.unwanted)
    assert all((item.key, item.version) not in world.played for item in found.awaited)
    missing = {item.recording.egress_id for item in (*found.missing, *found.stuck)}
    assert not any(
        missing & set(ids(planned.owners[item]))
        for item in found.unwanted | found.resolved - manifest_like(found, world)
    )


def manifest_like(found: Findings, world: World) -> frozenset[Arrival]:
    """Those that a link plays, whoever made them."""
    return frozenset(item for item in found.resolved if (item.key, item.version) in world.played)


@given(worlds())
def test_what_is_missing_is_due_and_ours(world: World) -> None:
    planned, found = outcome(world)
    assert set(ids(found.missing)) <= planned.due & set(ids(world.facts.egresses.ended))
    assert set(ids(found.stuck)) <= set(ids(world.facts.stuck))
    assert found.told + found.waiting + len(found.missing) <= len(planned.recordings)
    if planned.start is None:
        assert (found.missing, found.stuck, found.unwanted, found.without_recording) == ((), (), frozenset(), ())


@given(worlds())
def test_a_conversation_that_has_a_recording_is_never_without(world: World) -> None:
    _, found = outcome(world)
    assert all(item.carries is None and not item.status for item in found.without_recording)
    if not world.facts.complete:
        assert (found.unwanted, found.without_recording) == (frozenset(), ())


@given(worlds())
def test_more_conversations_never_make_more_missing_by_being_told(world: World) -> None:
    """Once the link of each missing file is where its room id says, nothing with a file is missing any more."""
    _, found = outcome(world)
    missing = [item.recording for item in (*found.missing, *found.stuck) if item.recording.has_file]
    carrying = [
        Conversation(record_id=f"new{number}", room_id=one.room_id, carries=Carried.of(one), started_at=START)
        for number, one in enumerate(missing)
    ]
    _, after = outcome(replace(world, conversations=(*world.conversations, *carrying)))
    assert [item for item in (*after.missing, *after.stuck) if item.recording.has_file] == []


def test_a_thousand_recordings_are_compared_within_seconds() -> None:
    """Of one room name, the worst case: everything is near everything."""
    import time  # noqa: PLC0415

    def moved(number: int) -> tuple[datetime, datetime]:
        return START + number * timedelta(seconds=20), END + number * timedelta(seconds=20)

    infos = [
        egress(number, begin=moved(number)[0], end=moved(number)[1], room_name="camille") for number in range(1000)
    ]
    conversations = [
        replace(with_link(number, infos[number]), room_name="camille", started_at=moved(number)[0])
        for number in range(1000)
    ]
    began = time.process_time()
    found = compare(facts(*infos), conversations, timetable(6 * HOUR, by_hand=True, hours=24))
    assert found.told == 1000
    assert time.process_time() - began < 20  # of our own: what else the machine does is no fault
