"""The table: one list, one PATCH, and no field but ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.functions.conversations import Conversations
from infra.functions.errors import WaitError
from infra.functions.matching import Conversation
from scripts.local.airtable_server import AirtableServer, Fault, Outcome, conversations_table, field_of
from tests.unit.functions_airtable import LINK, WINDOW, asked, conversations, find
from tests.unit.functions_support import END, START, Clock, recording


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(server: AirtableServer, clock: Clock) -> Conversations:
    return conversations(server, clock)


def ids(found: list[Conversation]) -> set[str]:
    return {conversation.record_id for conversation in found}


def test_candidates_are_found_by_ids_and_by_name_in_time(server: AirtableServer, table: Conversations) -> None:
    wanted = {
        server.seed({"room_name": "camille"}, created=START - WINDOW),
        server.seed({"room_name": "camille"}, created=END + WINDOW),
        server.seed(
            {"room_name": "camille", "started_at": "2026-11-24T00:00:40.000Z"}, created=END + timedelta(days=9)
        ),
        server.seed({"room_name": "x", "egress_id": "EG_1"}, created=START - timedelta(days=9)),
        server.seed({"room_id": "RM_1"}, created=START - timedelta(days=9)),
    }
    server.seed({"room_name": "camille"}, created=START - WINDOW - timedelta(seconds=2))
    server.seed({"room_name": "camille", "started_at": "2026-11-20T00:00:40.000Z"}, created=START)
    server.seed({"room_name": "Camille"}, created=START)
    server.seed({"room_id": "RM_2", "egress_id": "EG_2"}, created=START)
    assert ids(find(table)) == wanted


def test_a_conversation_is_read_as_it_is(server: AirtableServer, table: Conversations) -> None:
    cells: dict[str, Any] = {"room_name": "camille", "egress_id": "EG_1", "room_id": "RM_1", "patient_name": "A"}
    server.seed(
        cells | {"started_at": "2026-11-24T00:01:00.000Z", "audio_recording_url": "https://ours"}, created=START
    )
    assert find(table) == [
        Conversation(
            record_id=find(table)[0].record_id,
            room_name="camille",
            started_at=datetime(2026, 11, 24, 0, 1, tzinfo=UTC),
            own_start=True,
            egress_id="EG_1",
            room_id="RM_1",
            carries=LINK,
            foreign_link=False,
        )
    ]


def test_a_link_that_is_not_ours_is_foreign(server: AirtableServer, table: Conversations) -> None:
    server.seed({"room_name": "camille", "audio_recording_url": "https://else"}, created=START)
    found = find(table)[0]
    assert (found.foreign_link, found.carries, found.started_at) == (True, None, START)


NASTY = [
    "it's",
    'say "x"',
    "back\\slash",
    "\\'",
    "a'), TRUE(), ('",
    "{room_name}",
    "+41791234567",
    "é\n\t",
    "1",
    "%20&x=1",
]


@pytest.mark.parametrize("name", NASTY)
def test_names_are_data_not_formulas(server: AirtableServer, table: Conversations, name: str) -> None:
    wanted = server.seed({"room_name": name}, created=START)
    server.seed({"room_name": "other"}, created=START)
    assert ids(find(table, recording(room_name=name, egress_id=name, room_id=name))) == {wanted}


def test_a_batch_costs_one_list_and_one_patch(server: AirtableServer, table: Conversations) -> None:
    made = [
        recording(room_name=f"room {number}", egress_id=f"EG_{number}", room_id=f"RM_{number}") for number in range(10)
    ]
    for one in made:
        server.seed({"room_name": one.room_name}, created=START)
    found = find(table, *made)
    assert len(found) == 10
    assert table.update({conversation.record_id: {"egress_id": "EG"} for conversation in found}) == {}
    requests = asked(server)
    assert [method for method, _ in requests] == ["GET", "GET", "PATCH"]
    find(table, *made)
    assert len(asked(server)) == 4


def test_a_long_listing_comes_by_pages_at_the_pace(server: AirtableServer, table: Conversations, clock: Clock) -> None:
    inside = {server.seed({"room_name": "a"}, created=START + timedelta(seconds=number)) for number in range(250)}
    inside.add(server.seed({"started_at": "2026-11-24T00:00:40.000Z"}, created=END + timedelta(days=9)))
    server.seed({"room_name": "a"}, created=START - timedelta(seconds=2))
    server.seed({"room_name": "a"}, created=END + timedelta(hours=1))
    server.seed({"started_at": "2026-11-20T00:00:40.000Z"}, created=END)
    began = clock.now
    pages = list(table.between(START, START + timedelta(seconds=250), lambda _: None))
    assert [len(page) for page in pages] == [100, 100, 51]
    assert ids([conversation for page in pages for conversation in page]) == inside
    assert [method for method, _ in asked(server)] == ["GET"] * 4
    assert clock.now - began == pytest.approx(4 * 0.4)
    assert table.airtable.requests == 4


def test_a_listing_goes_no_further_than_it_is_asked(server: AirtableServer, table: Conversations) -> None:
    for number in range(150):
        server.seed({"room_name": "a"}, created=START + timedelta(seconds=number))
    assert len(next(iter(table.between(START, START + timedelta(hours=1), lambda _: None)))) == 100
    assert len(asked(server)) == 2


def test_a_listing_that_breaks_off_is_an_error(server: AirtableServer, table: Conversations) -> None:
    for number in range(150):
        server.seed({"room_name": "a"}, created=START + timedelta(seconds=number))
    pages = table.between(START, START + timedelta(hours=1), lambda _: None)
    next(pages)
    server.faults.add(Fault(outcome=Outcome.STATUS, status=503))
    with pytest.raises(WaitError, match="503"):
        next(pages)


def test_candidates_beyond_a_page_keep_the_pace_too(server: AirtableServer, table: Conversations, clock: Clock) -> None:
    wanted = {server.seed({"room_id": "RM_1"}, created=START) for _ in range(150)}
    began = clock.now
    assert ids(find(table)) == wanted
    assert clock.now - began == pytest.approx(3 * 0.4)


def test_what_became_of_a_recording_is_read(server: AirtableServer, table: Conversations) -> None:
    server.seed({"room_name": "camille", "recording_status": "Recorded"}, created=START)
    server.seed({"room_name": "camille"}, created=START)
    assert {conversation.status for conversation in find(table)} == {"Recorded", None}


def test_nothing_to_look_for_asks_for_nothing_but_the_schema(server: AirtableServer) -> None:
    server.base.tables[0] = conversations_table(without=("egress_id", "room_id"))
    table = conversations(server, Clock())
    assert find(table, recording(room_name=None)) == []
    assert find(table, recording(started_at=None, ended_at=None)) == []
    assert [method for method, _ in asked(server)] == ["GET"]


def test_the_smallest_table_does(server: AirtableServer) -> None:
    names = ("started_at", "egress_id", "room_id", "recording_duration", "recording_size")
    more = ("recording_started_at", "recording_ended_at", "recording_status")
    server.base.tables[0] = conversations_table(without=names + more)
    table = conversations(server, Clock())
    record = server.seed({"room_name": "camille", "patient_name": "A"}, created=START)
    assert ids(find(table)) == {record}
    values = table.values(recording(), "https://ours")
    assert values == {"audio_recording_url": "https://ours"}
    assert table.update({record: values}) == {}
    assert server.read(record) == {
        "room_name": "camille",
        "patient_name": "A",
        "audio_recording_url": "https://ours",
    }


def test_a_start_field_that_holds_no_moment_is_not_used(server: AirtableServer) -> None:
    server.base.tables[0] = conversations_table(extra=(field_of("started_at", "singleLineText", precision=0),))
    table = conversations(server, Clock())
    record = server.seed({"room_name": "camille", "started_at": "yesterday"}, created=START)
    assert [(one.record_id, one.started_at) for one in find(table)] == [(record, START)]


def test_everything_a_recording_tells(server: AirtableServer, table: Conversations) -> None:
    values = table.values(recording(duration_s=11.849), "https://ours")
    assert values == {
        "audio_recording_url": "https://ours",
        "egress_id": "EG_1",
        "room_id": "RM_1",
        "recording_duration": 11.8,
        "recording_size": 100,
        "recording_started_at": "2026-11-24T00:00:35.000Z",
        "recording_ended_at": "2026-11-24T00:00:47.000Z",
        "recording_status": "Recorded",
    }
    record = server.seed({"room_name": "camille", "notes": "keep"}, created=START)
    assert table.update({record: values}) == {}
    assert server.read(record) == values | {"room_name": "camille", "notes": "keep"}


def test_without_a_file_only_what_happened_is_told(table: Conversations) -> None:
    assert set(table.values(recording(room_id=None), None)) == {"egress_id", "recording_status"}


def test_fields_bear_the_names_they_are_given(server: AirtableServer, clock: Clock) -> None:
    server.rename_field("audio_recording_url", "Lien d'écoute (mp4)")
    fields = {"recording_url": "Lien d'écoute (mp4)", "room_name": "room_name", "started": "started_at"}
    table = conversations(server, clock, fields=fields, table=server.table_id)
    record = server.seed({"room_name": "camille", "Lien d'écoute (mp4)": "https://ours"}, created=START)
    assert find(table)[0].carries == LINK
    assert table.values(recording(), "https://new") == {"Lien d'écoute (mp4)": "https://new"}
    assert ids(find(table)) == {record}


def test_one_record_that_is_refused_fails_alone_and_the_schema_is_read_anew(
    server: AirtableServer, table: Conversations
) -> None:
    records = [server.seed({"room_name": "camille"}, created=START) for _ in range(3)]
    table.fields()
    updates = {records[0]: {"egress_id": "EG_1"}, records[1]: {"absent": "x"}, records[2]: {"egress_id": "EG_3"}}
    errors = table.update(updates)
    assert {key: error.reason for key, error in errors.items()} == {records[1]: "airtable_rejected"}
    assert [server.read(record).get("egress_id") for record in records] == ["EG_1", None, "EG_3"]
    patches = len([method for method, _ in asked(server) if method == "PATCH"])
    assert patches == 4
    table.fields()
    assert [method for method, _ in asked(server)].count("GET") == 2


def test_one_by_one_stops_asking_when_airtable_asks_to_wait(server: AirtableServer, table: Conversations) -> None:
    records = [server.seed({"room_name": "camille"}, created=START) for _ in range(3)]
    server.faults.add(Fault(outcome=Outcome.STATUS, status=422))
    server.faults.add(Fault(outcome=Outcome.STATUS, status=429))
    errors = table.update({record: {"egress_id": "EG_1"} for record in records})
    assert {error.reason for error in errors.values()} == {"airtable_throttled"}
    assert set(errors) == set(records)
    assert [method for method, _ in asked(server)] == ["PATCH", "PATCH"]
