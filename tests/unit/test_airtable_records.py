"""Records of the Airtable stand-in: reading, writing, upserting, deleting, through pyairtable over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pyairtable import Api
from pyairtable.api.table import Table
from pyairtable.api.types import UpdateRecordDict

from scripts.local.airtable.conversations import UNRELATED
from scripts.local.airtable_server import AirtableServer, conversations_table, field_of

EXTRA = (
    field_of("state", "singleSelect", choices=("new", "done")),
    field_of("seen", "checkbox"),
    field_of("talk", "duration"),
    field_of("mail", "email"),
    field_of("made", "createdTime"),
)
STRANGER = "rec" + "0" * 14


@pytest.fixture(scope="module")
def running() -> Iterator[AirtableServer]:
    with AirtableServer(tables=[conversations_table(extra=EXTRA)]) as server:
        yield server


@pytest.fixture
def airtable(running: AirtableServer) -> AirtableServer:
    running.base.tables[0] = conversations_table(extra=EXTRA)
    running.journal.clear()
    return running


@pytest.fixture
def table(airtable: AirtableServer) -> Table:
    return Api(airtable.token, endpoint_url=airtable.url).table(airtable.base_id, airtable.table)


def refusal(call: Any, *arguments: Any, **options: Any) -> tuple[int, str]:
    """The status and error type that a pyairtable call is refused with."""
    with pytest.raises(requests.HTTPError) as caught:
        call(*arguments, **options)
    answer = caught.value.response
    assert answer is not None
    error = answer.json()["error"]
    return answer.status_code, error if isinstance(error, str) else error["type"]


def send(airtable: AirtableServer, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {airtable.token}"}
    return requests.request(
        method, f"{airtable.url}/v0/{airtable.base_id}/{path}", headers=headers, timeout=60, **options
    )


def test_a_record_reads_back_as_written_and_its_empty_cells_are_absent(airtable: AirtableServer, table: Table) -> None:
    made = table.create({"room_name": "camille", "notes": "", "seen": False, "state": None, "recording_size": 0})
    assert made["fields"].keys() == {"room_name", "recording_size", "made"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", made["createdTime"])
    assert made["fields"]["made"] == made["createdTime"]
    assert table.get(made["id"]) == made
    assert airtable.journal.counts() == {"create": 1, "get": 1}


def test_patch_changes_only_what_it_names_and_null_empties(airtable: AirtableServer, table: Table) -> None:
    record_id = airtable.seed({"room_name": "camille", "notes": "n", "patient_name": "p", "transcript": "t"})
    changed = table.update(record_id, {"audio_recording_url": "https://x/r/1", "room_name": None})
    assert changed["fields"]["audio_recording_url"] == "https://x/r/1"
    assert "room_name" not in changed["fields"]
    assert {name: airtable.read(record_id)[name] for name in UNRELATED} == {
        "notes": "n",
        "patient_name": "p",
        "transcript": "t",
    }


def test_put_empties_what_it_does_not_name(airtable: AirtableServer, table: Table) -> None:
    record_id = airtable.seed({"room_name": "camille", "notes": "n"})
    table.update(record_id, {"room_name": "luc"}, replace=True)
    assert airtable.read(record_id).keys() == {"room_name", "made"}
    table.batch_update([{"id": record_id, "fields": {"notes": "m"}}], replace=True)
    assert airtable.read(record_id).keys() == {"notes", "made"}


def test_fields_go_by_id_too(airtable: AirtableServer, table: Table) -> None:
    column = airtable.base.tables[0].column("room_name")
    made = table.create({column.id: "camille"}, use_field_ids=True)
    assert made["fields"][column.id] == "camille"
    assert table.get(made["id"], use_field_ids=True)["fields"][column.id] == "camille"
    assert table.batch_create([{"notes": "n"}], use_field_ids=True)[0]["fields"].keys() >= {
        airtable.base.tables[0].column("notes").id
    }
    by_table_id = Api(airtable.token, endpoint_url=airtable.url).table(airtable.base_id, airtable.table_id)
    assert by_table_id.get(made["id"])["fields"]["room_name"] == "camille"


@pytest.mark.parametrize(
    ("field", "given", "stored"),
    [
        ("room_name", "a\nb", "a\nb"),
        ("audio_recording_url", "not checked", "not checked"),
        ("mail", "a@b", "a@b"),
        ("recording_size", 189_000, 189_000),
        ("recording_size", 1.5, 2),
        ("recording_duration", 11.84, 11.8),
        ("recording_duration", 11.85, 11.9),
        ("recording_duration", -3.0, -3),
        ("recording_duration", 1e300, 1e300),
        ("talk", 11.8401, 11.84),
        ("seen", True, True),
        ("state", "done", "done"),
        ("started_at", "2026-11-24", "2026-11-24T00:00:00.000Z"),
        ("started_at", "2026-11-24T01:00:35.123999+01:00", "2026-11-24T00:00:35.123Z"),
        ("started_at", "2026-11-24 00:00", "2026-11-24T00:00:00.000Z"),
    ],
)
def test_values_that_fit(table: Table, field: str, given: Any, stored: Any) -> None:
    made = table.create({field: given})
    assert made["fields"][field] == stored
    assert type(made["fields"][field]) is type(stored) or stored == 1e300


BAD_VALUE = (422, "INVALID_VALUE_FOR_COLUMN")
BAD_CHOICE = (422, "INVALID_MULTIPLE_CHOICE_OPTIONS")


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("room_name", 5, BAD_VALUE),
        ("room_name", ["a"], BAD_VALUE),
        ("audio_recording_url", {"url": "x"}, BAD_VALUE),
        ("recording_size", "5", BAD_VALUE),
        ("recording_size", "", BAD_VALUE),
        ("recording_size", True, BAD_VALUE),
        ("talk", "0:11", BAD_VALUE),
        ("seen", 1, BAD_VALUE),
        ("seen", "true", BAD_VALUE),
        ("state", "gone", BAD_CHOICE),
        ("state", "", BAD_CHOICE),
        ("state", 1, BAD_VALUE),
        ("started_at", "yesterday", BAD_VALUE),
        ("started_at", "2026-02-30", BAD_VALUE),
        ("started_at", 1_790_000_000, BAD_VALUE),
        ("made", "2026-11-24", BAD_VALUE),
        ("nobody", "x", (422, "UNKNOWN_FIELD_NAME")),
    ],
)
def test_values_that_do_not_fit(airtable: AirtableServer, table: Table, field: str, given: Any, expected: Any) -> None:
    assert refusal(table.create, {field: given}) == expected
    assert not airtable.base.tables[0].records


def test_a_refusal_names_the_field_and_never_repeats_the_value(airtable: AirtableServer) -> None:
    answer = send(airtable, "POST", airtable.table, json={"fields": {"recording_size": "a secret"}})
    assert answer.json() == {
        "error": {
            "type": "INVALID_VALUE_FOR_COLUMN",
            "message": 'Field "recording_size" cannot accept the provided value',
        }
    }


@pytest.mark.parametrize(
    ("field", "given", "stored"),
    [
        ("recording_size", "1,234", 1234),
        ("recording_size", " ", None),
        ("room_name", 5, "5"),
        ("room_name", 1.5, "1.5"),
        ("seen", "Checked", True),
        ("seen", "no", None),
        ("state", "invented", "invented"),
        ("state", 7, "7"),
        ("state", "", None),
        ("started_at", "", None),
        ("recording_size", 3, 3),
    ],
)
def test_typecast_converts(table: Table, field: str, given: Any, stored: Any) -> None:
    assert table.create({field: given}, typecast=True)["fields"].get(field) == stored


@pytest.mark.parametrize(("field", "given"), [("recording_size", "many"), ("seen", "maybe"), ("room_name", ["a"])])
def test_typecast_does_not_convert_everything(table: Table, field: str, given: Any) -> None:
    assert refusal(table.create, {field: given}, typecast=True) == BAD_VALUE


def test_typecast_adds_the_option_to_the_schema(airtable: AirtableServer, table: Table) -> None:
    table.create({"state": "invented"}, typecast=True)
    table.create({"state": "invented"})
    names = [choice.name for choice in airtable.base.tables[0].column("state").choices]
    assert names == ["new", "done", "invented"]


def test_a_batch_is_written_whole_or_not_at_all(airtable: AirtableServer, table: Table) -> None:
    first, second = airtable.seed({"room_name": "a"}), airtable.seed({"room_name": "b"})
    good: UpdateRecordDict = {"id": first, "fields": {"room_name": "changed"}}
    assert refusal(table.batch_update, [good, {"id": second, "fields": {"recording_size": "x"}}]) == BAD_VALUE
    assert refusal(table.batch_update, [good, {"id": STRANGER, "fields": {}}]) == (422, "ROW_DOES_NOT_EXIST")
    assert refusal(table.batch_create, [{"room_name": "c"}, {"seen": 3}]) == BAD_VALUE
    assert refusal(table.batch_delete, [first, STRANGER]) == (404, "NOT_FOUND")
    assert [record["fields"]["room_name"] for record in table.all()] == ["a", "b"]
    table.batch_update([good, {"id": second, "fields": {"room_name": "too"}}])
    assert [record["fields"]["room_name"] for record in table.all()] == ["changed", "too"]


def test_batches_of_more_than_ten_go_out_in_tens(airtable: AirtableServer, table: Table) -> None:
    made = table.batch_create([{"room_name": str(number)} for number in range(23)])
    table.batch_delete([record["id"] for record in made])
    assert airtable.journal.counts() == {"create": 3, "delete": 3}
    assert table.all() == []


ELEVEN = [{"fields": {}}] * 11
TWICE = [{"id": STRANGER, "fields": {}}] * 2


@pytest.mark.parametrize(
    ("method", "body", "status", "kind"),
    [
        ("POST", {"records": ELEVEN}, 422, "INVALID_RECORDS"),
        ("POST", {"records": []}, 422, "INVALID_RECORDS"),
        ("POST", {"records": {}}, 422, "INVALID_RECORDS"),
        ("POST", {"records": [5]}, 422, "INVALID_RECORDS"),
        ("POST", {"records": [{"fields": []}]}, 422, "INVALID_RECORDS"),
        ("POST", {"records": [{"fields": {}, "id": STRANGER}]}, 422, "INVALID_RECORDS"),
        ("POST", {"records": [{"fields": {}, "id": 5}]}, 422, "INVALID_RECORDS"),
        ("POST", {"records": [{"fields": {}, "name": "x"}]}, 422, "INVALID_RECORDS"),
        ("POST", {}, 422, "INVALID_REQUEST_MISSING_FIELDS"),
        ("POST", {"fields": 5}, 422, "INVALID_REQUEST_MISSING_FIELDS"),
        ("POST", {"fields": {}, "typcast": True}, 422, "INVALID_REQUEST_UNKNOWN"),
        ("POST", {"fields": {}, "typecast": "yes"}, 422, "INVALID_REQUEST_UNKNOWN"),
        ("POST", [], 422, "INVALID_REQUEST_UNKNOWN"),
        ("PATCH", {"records": ELEVEN}, 422, "INVALID_RECORDS"),
        ("PATCH", {"records": [{"fields": {}}]}, 422, "INVALID_RECORDS"),
        ("PATCH", {"records": TWICE}, 422, "INVALID_RECORDS"),
        ("PATCH", {"records": TWICE, "extra": 1}, 422, "INVALID_REQUEST_UNKNOWN"),
        ("PATCH", {"records": TWICE, "performUpsert": {}}, 422, "INVALID_REQUEST_UNKNOWN"),
        ("PATCH", {"records": TWICE, "performUpsert": {"fieldsToMergeOn": ["a"] * 4}}, 422, "INVALID_REQUEST_UNKNOWN"),
    ],
)
def test_bodies_of_the_wrong_shape(airtable: AirtableServer, method: str, body: Any, status: int, kind: str) -> None:
    answer = send(airtable, method, airtable.table, json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_not_json(airtable: AirtableServer, body: bytes) -> None:
    answer = send(airtable, "POST", airtable.table, data=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "INVALID_REQUEST_BODY")


def test_an_empty_body_is_an_empty_object(airtable: AirtableServer) -> None:
    answer = send(airtable, "POST", airtable.table)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_REQUEST_MISSING_FIELDS")


def test_numbers_json_does_not_know_and_half_surrogates(airtable: AirtableServer) -> None:
    for number in (b"NaN", b"Infinity", b"1" + b"0" * 400):
        answer = send(airtable, "POST", airtable.table, data=b'{"fields": {"recording_size": ' + number + b"}}")
        assert answer.json()["error"]["type"] == "INVALID_VALUE_FOR_COLUMN"
    answer = send(airtable, "POST", airtable.table, data=b'{"fields": {"room_name": "\\ud800"}}')
    assert answer.json()["fields"]["room_name"] == "\ud800"


def test_records_that_are_not_there(table: Table) -> None:
    for call in (table.get, table.delete, lambda record_id: table.update(record_id, {})):  # pyright: ignore[reportUnknownVariableType]
        assert refusal(call, STRANGER) == (404, "NOT_FOUND")
        assert refusal(call, "rec1") == (404, "NOT_FOUND")


def test_delete(airtable: AirtableServer, table: Table) -> None:
    ids = [airtable.seed({"room_name": str(number)}) for number in range(4)]
    assert table.delete(ids[0]) == {"id": ids[0], "deleted": True}
    assert table.batch_delete(ids[1:3]) == [{"id": ids[1], "deleted": True}, {"id": ids[2], "deleted": True}]
    assert [record["id"] for record in table.all()] == [ids[3]]
    assert send(airtable, "DELETE", airtable.table).json()["error"]["type"] == "INVALID_RECORDS"
    eleven = {"records[]": [STRANGER] * 11}
    assert send(airtable, "DELETE", airtable.table, params=eleven).json()["error"]["type"] == "INVALID_RECORDS"


def test_upsert_creates_on_no_match_updates_one_and_fails_on_several(airtable: AirtableServer, table: Table) -> None:
    known = airtable.seed({"room_name": "camille", "egress_id": "EG_1"})
    result = table.batch_upsert(
        [
            {"fields": {"egress_id": "EG_1", "notes": "updated"}},
            {"fields": {"egress_id": "EG_2", "notes": "created"}},
        ],
        key_fields=["egress_id"],
    )
    created = result["createdRecords"]
    assert result["updatedRecords"] == [known]
    assert [record["id"] for record in result["records"]] == [known, *created]
    assert airtable.read(known)["notes"] == "updated"
    assert airtable.read(known)["room_name"] == "camille"
    by_id = table.batch_upsert([{"id": known, "fields": {"recording_status": "by id"}}], key_fields=["egress_id"])
    assert by_id["updatedRecords"] == [known]
    airtable.seed({"egress_id": "EG_2"})
    several = [{"fields": {"egress_id": "EG_9"}}, {"fields": {"egress_id": "EG_2", "notes": "no"}}]
    assert refusal(table.batch_upsert, several, key_fields=["egress_id"]) == (422, "INVALID_REQUEST_UNKNOWN")
    assert len(airtable.base.tables[0].records) == 3
    assert airtable.read(created[0])["notes"] == "created"


def test_upsert_needs_its_fields(airtable: AirtableServer) -> None:
    body = {"records": [{"fields": {"notes": "n"}}], "performUpsert": {"fieldsToMergeOn": ["egress_id"]}}
    answer = send(airtable, "PATCH", airtable.table, json=body)
    assert (answer.status_code, "egress_id" in answer.json()["error"]["message"]) == (422, True)
    body["performUpsert"] = {"fieldsToMergeOn": ["nobody"]}
    assert send(airtable, "PATCH", airtable.table, json=body).json()["error"]["type"] == "UNKNOWN_FIELD_NAME"


def test_seeding_takes_a_time_and_reading_gives_cells(airtable: AirtableServer, table: Table) -> None:
    record_id = airtable.seed({"room_name": "camille"}, created="2026-11-24T00:00:35.250Z", table=airtable.table)
    assert table.get(record_id)["createdTime"] == "2026-11-24T00:00:35.250Z"
    assert airtable.read(record_id, table=airtable.table)["made"] == "2026-11-24T00:00:35.250Z"
    with pytest.raises(ValueError, match="a time with its zone"):
        airtable.seed({}, created="yesterday")


def test_a_renamed_field_keeps_its_cells(airtable: AirtableServer, table: Table) -> None:
    record_id = airtable.seed({"audio_recording_url": "https://x"})
    airtable.rename_field("audio_recording_url", "Recording")
    assert airtable.read(record_id)["Recording"] == "https://x"
    assert refusal(table.update, record_id, {"audio_recording_url": "y"}) == (422, "UNKNOWN_FIELD_NAME")
