"""Listing records of the Airtable stand-in: filters, order, fields and pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from pyairtable import Api
from pyairtable.api.table import Table
from pyairtable.formulas import AND, CREATED_TIME, EQ, GTE, LTE, RECORD_ID, Field

from scripts.local.airtable_server import AirtableServer, conversations_table, field_of

START = datetime(2026, 11, 24, 0, 0, 35, tzinfo=UTC)
EXTRA = (field_of("state", "singleSelect", choices=("new", "done")), field_of("seen", "checkbox"))


@pytest.fixture(scope="module")
def running() -> Iterator[AirtableServer]:
    with AirtableServer(tables=[conversations_table(extra=EXTRA)], now=lambda: START) as server:
        yield server


@pytest.fixture
def airtable(running: AirtableServer) -> AirtableServer:
    running.base.tables[0] = conversations_table(extra=EXTRA)
    running.journal.clear()
    return running


@pytest.fixture
def table(airtable: AirtableServer) -> Table:
    return Api(airtable.token, endpoint_url=airtable.url).table(airtable.base_id, airtable.table)


def get(airtable: AirtableServer, **parameters: Any) -> requests.Response:
    url = f"{airtable.url}/v0/{airtable.base_id}/{airtable.table}"
    headers = {"Authorization": f"Bearer {airtable.token}"}
    return requests.get(url, params=parameters, headers=headers, timeout=60)


def post(airtable: AirtableServer, body: dict[str, Any]) -> requests.Response:
    url = f"{airtable.url}/v0/{airtable.base_id}/{airtable.table}/listRecords"
    return requests.post(url, json=body, headers={"Authorization": f"Bearer {airtable.token}"}, timeout=60)


def test_a_conversation_is_found_by_room_and_time_window(airtable: AirtableServer, table: Table) -> None:
    for minutes in (0, 5, 120):
        started = (START + timedelta(minutes=minutes)).isoformat()
        airtable.seed({"room_name": "camille", "started_at": started}, created=START + timedelta(minutes=minutes))
    airtable.seed({"room_name": "camille"}, created=START)
    wanted = airtable.seed({"room_name": "luc", "started_at": START.isoformat()}, created=START)
    window = (GTE(Field("started_at"), START), LTE(Field("started_at"), START + timedelta(minutes=10)))
    assert len(table.all(formula=AND(EQ(Field("room_name"), "camille"), *window))) == 2
    assert [record["id"] for record in table.all(formula=AND(EQ(Field("room_name"), "luc"), *window))] == [wanted]
    assert len(table.all(formula=GTE(CREATED_TIME(), START + timedelta(minutes=1)))) == 2
    assert [record["id"] for record in table.all(formula=EQ(RECORD_ID(), wanted))] == [wanted]
    assert table.first(formula=EQ(Field("room_name"), "nobody")) is None


def test_formulas_see_numbers_choices_and_checkboxes(airtable: AirtableServer, table: Table) -> None:
    wanted = airtable.seed({"recording_size": 5, "state": "done", "seen": True})
    airtable.seed({"recording_size": 4, "state": "done", "seen": True})
    formula = "AND({recording_size}>4, {state}='done', {seen}, {notes}=BLANK())"
    assert [record["id"] for record in table.all(formula=formula)] == [wanted]
    by_id = f"{{{airtable.base.tables[0].column('recording_size').id}}}=5"
    assert [record["id"] for record in table.all(formula=by_id)] == [wanted]


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("{Nobody}=1", "Unknown field names: nobody"),
        ("REGEX_MATCH({room_name},'x')", "Unknown function names: regex_match"),
        ("AND(", "Invalid formula"),
        ("{started_at}<'2026-01-01'", "The stand-in does not know"),
    ],
)
def test_refused_formulas(airtable: AirtableServer, formula: str, message: str) -> None:
    airtable.seed({"started_at": "2026-01-01"})
    answer = get(airtable, filterByFormula=formula)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_FILTER_BY_FORMULA")
    assert message in answer.json()["error"]["message"]


def test_pages(airtable: AirtableServer, table: Table) -> None:
    ids = [airtable.seed({"room_name": f"{number:03}"}) for number in range(205)]
    assert [record["id"] for record in table.all()] == ids
    assert airtable.journal.counts() == {"list": 3}
    assert [len(page) for page in table.iterate(page_size=80)] == [80, 80, 45]
    assert [len(page) for page in table.iterate(page_size=5, max_records=12)] == [5, 5, 2]
    assert "offset" not in get(airtable, pageSize=100, maxRecords=100).json()


def test_later_pages_show_current_cells_and_skip_deleted_records(airtable: AirtableServer, table: Table) -> None:
    ids = [airtable.seed({"room_name": str(number)}) for number in range(4)]
    pages = table.iterate(page_size=1, formula="{notes}=''")
    assert next(pages)[0]["id"] == ids[0]
    table.update(ids[1], {"notes": "new"})
    table.delete(ids[2])
    airtable.seed({"room_name": "late"})
    assert next(pages)[0]["fields"]["notes"] == "new"
    assert next(pages) == []
    assert next(pages)[0]["id"] == ids[3]
    assert list(pages) == []


def test_offsets_that_lead_nowhere(airtable: AirtableServer) -> None:
    for _ in range(2):
        airtable.seed({})
    for offset in ("x", "itr1/rec1", "rec" + "0" * 14):
        assert get(airtable, offset=offset).json()["error"]["type"] == "INVALID_OFFSET_VALUE"
    offset = get(airtable, pageSize=1).json()["offset"]
    assert len(get(airtable, pageSize=1, offset=offset).json()["records"]) == 1
    airtable.expire_listings()
    gone = get(airtable, pageSize=1, offset=offset)
    assert (gone.status_code, gone.json()["error"]["type"]) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")


def test_an_offset_belongs_to_its_table_and_old_ones_are_forgotten(airtable: AirtableServer) -> None:
    for _ in range(2):
        airtable.seed({})
    first = get(airtable, pageSize=1).json()["offset"]
    last = [get(airtable, pageSize=1).json()["offset"] for _ in range(100)][-1]
    assert get(airtable, offset=first).json()["error"]["type"] == "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"
    airtable.base.tables[0] = conversations_table()
    assert get(airtable, offset=last).json()["error"]["type"] == "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"


def test_order(airtable: AirtableServer, table: Table) -> None:
    rows: list[dict[str, Any]] = [
        {"room_name": "b", "recording_size": 10, "state": "new"},
        {"room_name": "A", "recording_size": 9, "state": "done"},
        {"room_name": "a", "state": "done"},
        {"recording_size": 100},
    ]
    for row in rows:
        airtable.seed(row)

    def shown(*sort: str, field: str) -> list[Any]:
        return [record["fields"].get(field) for record in table.all(sort=list(sort))]

    assert shown("room_name", field="room_name") == [None, "A", "a", "b"]
    assert shown("-room_name", field="room_name") == ["b", "a", "A", None]
    assert shown("recording_size", field="recording_size") == [None, 9, 10, 100]
    assert shown("-state", field="state") == ["done", "done", "new", None]
    assert shown("-state", "recording_size", field="room_name") == ["a", "A", "b", None]


def test_chosen_fields(airtable: AirtableServer, table: Table) -> None:
    airtable.seed({"room_name": "camille", "notes": "n", "transcript": "t"})
    assert table.all(fields=["room_name", "notes"])[0]["fields"] == {"room_name": "camille", "notes": "n"}
    column = airtable.base.tables[0].column("room_name")
    assert table.all(fields=[column.id], use_field_ids=True)[0]["fields"] == {column.id: "camille"}
    assert table.all(fields="notes")[0]["fields"] == {"notes": "n"}


def test_a_listing_too_long_for_a_url_goes_by_post(airtable: AirtableServer, table: Table) -> None:
    wanted = airtable.seed({"room_name": "x" * 17_000})
    found = table.all(formula=EQ(Field("room_name"), "x" * 17_000), sort=["-room_name"], fields=["room_name"])
    assert [record["id"] for record in found] == [wanted]
    assert airtable.journal.entries[-1].method == "POST"
    too_long = get(airtable, filterByFormula="'" + "x" * 17_000 + "'")
    assert (too_long.status_code, too_long.json()["error"]["type"]) == (414, "REQUEST_URI_TOO_LONG")


@pytest.mark.parametrize(
    "parameters",
    [
        {"pageSize": 0},
        {"pageSize": 101},
        {"pageSize": "ten"},
        {"maxRecords": -1},
        {"cellFormat": "string", "timeZone": "UTC", "userLocale": "en"},
        {"recordMetadata[]": "commentCount"},
        {"pagesize": 5},
        {"returnFieldsByFieldId": "maybe"},
        {"sort[0][direction]": "asc"},
        {"sort[0][field]": "room_name", "sort[0][direction]": "up"},
    ],
)
def test_parameters_out_of_range_or_not_done_are_refused(airtable: AirtableServer, parameters: dict[str, Any]) -> None:
    answer = get(airtable, **parameters)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_REQUEST_UNKNOWN")


@pytest.mark.parametrize(
    "body",
    [
        {"fields": "room_name"},
        {"fields": ["room_name", 5]},
        {"filterByFormula": 5},
        {"pageSize": True},
        {"sort": {}},
        {"sort": ["room_name"]},
        {"sort": [{"field": "room_name", "order": "asc"}]},
        {"returnFieldsByFieldId": 1},
    ],
)
def test_posted_listings_of_the_wrong_shape_are_refused(airtable: AirtableServer, body: dict[str, Any]) -> None:
    answer = post(airtable, body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_REQUEST_UNKNOWN")


@pytest.mark.parametrize("parameters", [{"fields[]": "nobody"}, {"sort[0][field]": "nobody"}])
def test_unknown_fields_are_refused_by_name(airtable: AirtableServer, parameters: dict[str, str]) -> None:
    answer = get(airtable, **parameters)
    assert answer.status_code == 422
    assert answer.json()["error"] == {"type": "UNKNOWN_FIELD_NAME", "message": 'Unknown field name: "nobody"'}


def test_views(airtable: AirtableServer, table: Table) -> None:
    airtable.seed({})
    assert len(table.all(view="Grid view")) == 1
    assert len(table.all(view=airtable.base.tables[0].view_id)) == 1
    assert get(airtable, view="Mine").json()["error"]["type"] == "VIEW_NAME_NOT_FOUND"
    assert len(get(airtable, cellFormat="json", returnFieldsByFieldId="true").json()["records"]) == 1
    assert len(post(airtable, {"sort": [{"field": "room_name"}]}).json()["records"]) == 1
