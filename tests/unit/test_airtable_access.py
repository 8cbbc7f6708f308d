"""Who may ask the Airtable stand-in for what; the schema it shows; what it does not serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from pyairtable import Api
from pyairtable.api.table import Table

from scripts.local.airtable.access import Token
from scripts.local.airtable.ids import new_id
from scripts.local.airtable.journal import Journal
from scripts.local.airtable_server import AirtableServer, Scope, conversations_table, field_of

NO_PERMISSION = (403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND")


@pytest.fixture(scope="module")
def airtable() -> Iterator[AirtableServer]:
    odd = (
        field_of("talk", "duration"),
        field_of("state", "singleSelect", choices=("new",)),
        field_of("seen", "checkbox"),
    )
    other = conversations_table(name="a/b ü", without=("notes",), extra=(*odd, field_of("made", "createdTime")))
    with AirtableServer(tables=[conversations_table(), other]) as server:
        yield server


def table_for(airtable: AirtableServer, token: str, *, base: str | None = None, table: str | None = None) -> Table:
    return Api(token, endpoint_url=airtable.url).table(base or airtable.base_id, table or airtable.table)


def refusal(call: Callable[..., Any], *arguments: Any) -> tuple[int, str]:
    with pytest.raises(requests.HTTPError) as caught:
        call(*arguments)
    answer = caught.value.response
    assert answer is not None
    error = answer.json()["error"]
    return answer.status_code, error if isinstance(error, str) else error["type"]


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x"])
def test_a_missing_or_wrong_token_is_401(airtable: AirtableServer, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(token=airtable.token)}
    answer = requests.get(f"{airtable.url}/v0/{airtable.base_id}/{airtable.table}", headers=headers, timeout=60)
    assert answer.status_code == 401
    assert answer.json() == {"error": {"type": "AUTHENTICATION_REQUIRED", "message": "Authentication required"}}


def test_a_revoked_token_is_401(airtable: AirtableServer) -> None:
    token = airtable.add_token()
    table_for(airtable, token).all()  # is answered
    airtable.tokens.revoke(token)
    assert refusal(table_for(airtable, token).all) == (401, "AUTHENTICATION_REQUIRED")


@pytest.mark.parametrize("missing", list(Scope))
def test_a_missing_scope_is_403(airtable: AirtableServer, missing: Scope) -> None:
    api = Api(airtable.add_token(scopes=set(Scope) - {missing}), endpoint_url=airtable.url)
    table = api.table(airtable.base_id, airtable.table)
    record_id = airtable.seed({})
    calls: dict[Scope, list[Callable[[], Any]]] = {
        Scope.READ: [table.all, lambda: table.get(record_id)],
        Scope.WRITE: [lambda: table.update(record_id, {}), lambda: table.create({}), lambda: table.delete(record_id)],
        Scope.SCHEMA: [lambda: table.schema(force=True), lambda: api.bases(force=True)],
    }
    for scope, uses in calls.items():
        for use in uses:
            if scope is missing:
                assert refusal(use) == NO_PERMISSION
            else:
                use()


def test_bases_and_tables_that_are_not_there_or_not_granted_look_alike(airtable: AirtableServer) -> None:
    stranger = airtable.add_token(bases=[new_id("app")])
    assert refusal(table_for(airtable, stranger).all) == NO_PERMISSION
    assert refusal(table_for(airtable, airtable.token, base=new_id("app")).all) == NO_PERMISSION
    assert refusal(table_for(airtable, airtable.token, table="Nobody").all) == NO_PERMISSION
    assert refusal(table_for(airtable, airtable.token, table=new_id("tbl")).all) == NO_PERMISSION
    assert refusal(table_for(airtable, airtable.token, base="app1").all) == (404, "NOT_FOUND")
    assert Api(stranger, endpoint_url=airtable.url).bases() == []


def test_whoami_and_bases(airtable: AirtableServer) -> None:
    api = Api(airtable.token, endpoint_url=airtable.url)
    assert api.whoami()["id"].startswith("usr")
    assert [(base.id, base.name) for base in api.bases()] == [(airtable.base_id, "callrec")]
    assert airtable.journal.count("whoami") == 1
    assert airtable.journal.count("bases") >= 1


def test_schema(airtable: AirtableServer) -> None:
    schema = Api(airtable.token, endpoint_url=airtable.url).base(airtable.base_id).schema()
    first, second = schema.tables
    assert first.id == airtable.table_id
    assert first.primary_field_id == first.field("room_name").id
    assert {field.name: field.model_dump()["type"] for field in first.fields} == {
        "room_name": "singleLineText",
        "audio_recording_url": "url",
        "started_at": "dateTime",
        "egress_id": "singleLineText",
        "room_id": "singleLineText",
        "recording_duration": "number",
        "recording_size": "number",
        "recording_started_at": "dateTime",
        "recording_ended_at": "dateTime",
        "recording_status": "singleLineText",
        "audio_recordings": "multilineText",
        "patient_name": "singleLineText",
        "transcript": "multilineText",
        "notes": "multilineText",
    }
    assert first.field("recording_duration").model_dump()["options"]["precision"] == 1
    assert first.views[0].visible_field_ids == [field.id for field in first.fields]
    assert {"talk", "state", "seen", "made"} < {field.name for field in second.fields}
    assert "notes" not in {field.name for field in second.fields}
    assert second.field("state").model_dump()["options"]["choices"][0]["name"] == "new"


def test_schema_shows_fields_of_a_view_only_when_asked(airtable: AirtableServer) -> None:
    url = f"{airtable.url}/v0/meta/bases/{airtable.base_id}/tables"
    answer = requests.get(url, headers={"Authorization": f"Bearer {airtable.token}"}, timeout=60).json()
    assert answer["tables"][0]["views"] == [
        {"id": airtable.base.tables[0].view_id, "name": "Grid view", "type": "grid"},
    ]


def test_a_table_name_may_need_encoding(airtable: AirtableServer) -> None:
    table = table_for(airtable, airtable.token, table="a/b ü")
    assert table.create({"room_name": "x"})["id"] in airtable.base.tables[1].records


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "v1/x"),
        ("GET", "v0/meta/workspaces"),
        ("POST", "v0/meta/bases"),
        ("POST", "v0/meta/bases/{base}/tables"),
        ("GET", "v0/{base}/{table}/listRecords"),
        ("GET", "v0/{base}/{table}/rec00000000000000/comments"),
        ("POST", "v0/{base}/{table}/rec00000000000000"),
    ],
)
def test_what_is_not_served_is_404(airtable: AirtableServer, method: str, path: str) -> None:
    url = f"{airtable.url}/" + path.format(base=airtable.base_id, table=airtable.table)
    answer = requests.request(method, url, headers={"Authorization": f"Bearer {airtable.token}"}, timeout=60)
    assert (answer.status_code, answer.json()) == (404, {"error": "NOT_FOUND"})


def test_base_ids_have_their_shape(airtable: AirtableServer) -> None:
    with pytest.raises(ValueError, match="a base id is"):
        airtable.store.add_base("base1")


def test_nothing_secret_shows_in_a_repr() -> None:
    assert "pat-secret" not in repr(Token(value="pat-secret", bases=frozenset()))


def test_the_journal_keeps_no_contents(airtable: AirtableServer) -> None:
    airtable.journal.clear()
    table = table_for(airtable, airtable.token)
    table.create({"patient_name": "Ms Private"})
    table.all(formula="{patient_name}='Ms Private'")
    written = repr([entry.shown() for entry in airtable.journal.entries])
    assert "Private" not in written
    assert airtable.token not in written
    assert airtable.journal.count() == 2
    with pytest.raises(ValueError, match="nothing"):
        airtable.journal.count("nothing")
    assert Journal().count("list") == 0
