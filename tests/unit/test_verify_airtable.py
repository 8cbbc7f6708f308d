"""Airtable's rows against the stand-in, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pyairtable import Api

from infra.functions.settings import DEFAULT_FIELDS
from scripts.local.airtable_server import AirtableServer, Fault, Outcome, Scope, conversations_table, field_of
from scripts.outputs import AirtableOutputs
from scripts.verify import airtable, hop
from scripts.verify.airtable import Conversations
from scripts.verify.hop import Result
from scripts.verify.probe import Probe
from tests.unit.verify_support import PREFIX, FakeAws, FakeClient, assert_failed, deployment, failure, refusal


@pytest.fixture
def server() -> Iterator[AirtableServer]:
    with AirtableServer() as running:
        yield running


def table_of(server: AirtableServer, token: str | None = None, **changes: Any) -> Conversations:
    secret = {"SecretString": json.dumps({"airtable_token": token or server.token})}
    aws = FakeAws(clients={"secretsmanager": FakeClient(get_secret_value=secret)})
    place: dict[str, Any] = {"url": server.url, "base": server.base_id, "table": server.table, "fields": DEFAULT_FIELDS}
    return Conversations.of(deployment(aws, airtable=AirtableOutputs(**(place | changes))))


def rows(table: Conversations) -> dict[str, Result]:
    found = hop.run_all(airtable.hops(table), on_start=lambda _: None, on_result=lambda _: None)
    return {result.id.removeprefix("airtable."): result for result in found}


def test_the_guides_table_holds(server: AirtableServer) -> None:
    found = rows(table_of(server))
    assert {result.outcome for result in found.values()} == {hop.Outcome.OK}
    assert "audio_recording_url (url)" in found["fields"].seen


def test_a_table_of_the_two_required_fields_alone_holds() -> None:
    optional = tuple(name for role, name in DEFAULT_FIELDS.items() if role not in ("recording_url", "room_name"))
    with AirtableServer(tables=[conversations_table(without=optional)]) as server:
        found = rows(table_of(server))
    assert found["more"].outcome is hop.Outcome.OK
    assert "not in the table" in found["more"].seen
    assert "egress_id" in found["more"].seen


def test_an_unknown_token_is_named(server: AirtableServer) -> None:
    found = rows(table_of(server, token="patUnknown.secret"))
    assert_failed(found["token"], "401")
    assert "airtableToken" in found["token"].mend
    assert found["table"].outcome is hop.Outcome.SKIPPED


def test_a_gone_or_broken_secret_is_named() -> None:
    for answer, words in (
        (refusal("ResourceNotFoundException"), "gone"),
        (refusal("InvalidRequestException"), "gone"),
        ({"SecretString": "not json"}, "not JSON"),
        ({"SecretString": "[]"}, "not JSON"),
    ):
        aws = FakeAws(clients={"secretsmanager": FakeClient(get_secret_value=answer)})
        assert_failed(rows(Conversations.of(deployment(aws)))["token"], words)


def test_a_secret_that_the_operator_may_not_read_is_named() -> None:
    denied = FakeClient(get_secret_value=refusal("AccessDeniedException", "GetSecretValue"))
    found = rows(Conversations.of(deployment(FakeAws(clients={"secretsmanager": denied}))))
    assert_failed(found["token"], "GetSecretValue: AccessDeniedException")


def test_a_token_without_the_schemas_scope_is_named(server: AirtableServer) -> None:
    found = rows(table_of(server, token=server.add_token(scopes=[Scope.READ, Scope.WRITE])))
    assert_failed(found["table"], "403")
    assert "schema.bases:read" in found["table"].cause


def test_another_tables_name_is_answered_with_those_there_are(server: AirtableServer) -> None:
    found = rows(table_of(server, table="Calls"))
    assert_failed(found["table"], "there are: Conversations")
    assert "airtableTable" in found["table"].mend


def test_a_renamed_field_is_named_with_the_key_that_names_it(server: AirtableServer) -> None:
    server.rename_field("audio_recording_url", "recording link")
    found = rows(table_of(server))
    assert_failed(found["fields"], "no field 'audio_recording_url'")
    assert found["fields"].mend.startswith("pulumi config set fieldRecordingUrl")
    assert found["more"].outcome is hop.Outcome.OK


@pytest.mark.parametrize(
    ("name", "kind", "row"),
    [
        ("audio_recording_url", "number", "fields"),
        ("audio_recording_url", "checkbox", "fields"),
        ("room_name", "number", "fields"),
        ("room_name", "url", "fields"),
        ("started_at", "singleLineText", "more"),
        ("egress_id", "number", "more"),
        ("recording_duration", "checkbox", "more"),
        ("recording_started_at", "number", "more"),
        ("recording_started_at", "createdTime", "more"),
        ("recording_status", "checkbox", "more"),
        ("recording_status", "singleSelect", "more"),
        ("audio_recordings", "singleLineText", "more"),
    ],
)
def test_a_field_of_an_unusable_type_is_found(name: str, kind: str, row: str) -> None:
    with AirtableServer(tables=[conversations_table(extra=(field_of(name, kind),))]) as server:
        found = rows(table_of(server))
    assert_failed(found[row], f"'{name}' is a {kind} field")
    assert {other for other, result in found.items() if result.outcome is not hop.Outcome.OK} == {row}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("audio_recording_url", "singleLineText"),
        ("audio_recording_url", "multilineText"),
        ("room_name", "multilineText"),
        ("started_at", "createdTime"),
        ("recording_duration", "duration"),
        ("recording_duration", "singleLineText"),
        ("recording_started_at", "singleLineText"),
    ],
)
def test_other_usable_types_hold(name: str, kind: str) -> None:
    with AirtableServer(tables=[conversations_table(extra=(field_of(name, kind),))]) as server:
        found = rows(table_of(server))
    assert {result.outcome for result in found.values()} == {hop.Outcome.OK}


@pytest.mark.parametrize("role", [*DEFAULT_FIELDS])
def test_every_role_has_words_for_what_is_wanted(role: str) -> None:
    assert airtable.wanted(role)


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No retries of pyairtable's own."""
    monkeypatch.setattr(airtable, "Api", lambda token, **rest: Api(token, **rest, retry_strategy=None))


@pytest.mark.parametrize(("status", "words"), [(429, "busy"), (503, "out of order")])
def test_an_airtable_that_cannot_now_is_told_apart(
    server: AirtableServer, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    quick(monkeypatch)
    server.faults.add(Fault(outcome=Outcome.STATUS, status=status))
    found = rows(table_of(server))
    assert_failed(found["token"], str(status))
    assert words in found["token"].cause


def test_an_airtable_that_hangs_up_is_a_failure_of_its_row(
    server: AirtableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    server.faults.add(Fault(outcome=Outcome.CLOSE, times=None))
    assert_failed(rows(table_of(server))["token"], "ConnectionError")


def ready(server: AirtableServer, **changes: Any) -> Conversations:
    table = table_of(server, **changes)
    table.exists()
    return table


def test_the_probe_conversation_starts_now_and_has_no_link(server: AirtableServer) -> None:
    table, probe = ready(server), Probe.new(PREFIX)
    record, made = table.create(probe)
    assert server.read(record)["room_name"] == probe.room
    assert "started_at" in server.read(record)
    assert made.tzinfo is not None
    assert table.link(record) is None


def test_without_a_start_field_none_is_written() -> None:
    with AirtableServer(tables=[conversations_table(without=("started_at",))]) as server:
        record, _ = ready(server).create(Probe.new(PREFIX))
        assert set(server.read(record)) == {"room_name", "room_id"}


def test_a_token_that_may_not_write_is_named(server: AirtableServer) -> None:
    token = server.add_token(scopes=[Scope.READ, Scope.SCHEMA])
    failed = failure(lambda: ready(server, token=token).create(Probe.new(PREFIX)))
    assert "data.records:write" in failed.cause


def test_sweeping_takes_every_probe_and_nothing_else(server: AirtableServer) -> None:
    kept = server.seed({"room_name": "camille"})
    near = server.seed({"room_name": "not callrec-verify-1"})
    for number in range(12):
        server.seed({"room_name": f"callrec-verify-{number}"})
    assert ready(server).sweep() == 12
    assert ready(server).sweep() == 0
    assert server.read(kept)
    assert server.read(near)
