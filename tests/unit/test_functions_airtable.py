"""Asking Airtable: at a pace, by the table's fields as they are, and every failure told apart."""

from __future__ import annotations

import pytest

from infra.functions.airtable import SCHEMA_FRESH_SECONDS, SCHEMA_SECONDS, Airtable, connect, from_status
from infra.functions.conversations import Conversations
from infra.functions.errors import DeliveryError, PermanentError, WaitError
from scripts.local.airtable_server import AirtableServer, Fault, Outcome
from tests.unit.functions_airtable import airtable_settings, asked, conversations, find
from tests.unit.functions_support import START, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(server: AirtableServer, clock: Clock) -> Conversations:
    return conversations(server, clock)


def test_an_answer_without_records_is_no_empty_listing(server: AirtableServer, table: Conversations) -> None:
    table.fields()
    table.airtable._api.request = lambda *args, **kwargs: {}  # type: ignore[method-assign]
    with pytest.raises(WaitError, match="not fully"):
        find(table)


def test_the_schema_is_asked_for_every_ten_minutes(server: AirtableServer, table: Conversations, clock: Clock) -> None:
    table.fields()
    clock.now += SCHEMA_SECONDS - 1
    table.fields()
    assert len(asked(server)) == 1
    clock.now += 1
    table.fields()
    assert len(asked(server)) == 2


def test_a_refusal_by_an_old_schema_waits_and_is_tried_by_the_new_one(
    server: AirtableServer, table: Conversations, clock: Clock
) -> None:
    """Somebody renames a field: what was asked by its old name was no fault of the message."""
    server.seed({"room_name": "camille"}, created=START)
    assert len(find(table)) == 1
    server.rename_field("egress_id", "Egress")
    clock.now += SCHEMA_FRESH_SECONDS
    assert reason(table) == "airtable_fields"
    assert len(find(table)) == 1


def test_a_refusal_by_a_fresh_schema_is_final(server: AirtableServer, table: Conversations) -> None:
    find(table)
    server.rename_field("egress_id", "Egress")
    assert reason(table) == "airtable_rejected"


def test_a_table_that_lost_a_needed_field_waits(server: AirtableServer, table: Conversations) -> None:
    server.rename_field("room_name", "Room")
    assert reason(table) == "airtable_fields"


def test_a_missing_table_waits(server: AirtableServer, clock: Clock) -> None:
    assert reason(conversations(server, clock, table="Absent")) == "airtable_fields"


def reason(table: Conversations) -> str:
    with pytest.raises(DeliveryError) as error:
        find(table)
    assert "camille" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value.reason


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(outcome=Outcome.STATUS, status=429), "airtable_throttled"),
        (Fault(outcome=Outcome.STATUS, status=500), "airtable_unavailable"),
        (Fault(outcome=Outcome.STATUS, status=503), "airtable_unavailable"),
        (Fault(outcome=Outcome.STATUS, status=401), "airtable_refused"),
        (Fault(outcome=Outcome.STATUS, status=403), "airtable_refused"),
        (Fault(outcome=Outcome.STATUS, status=404), "airtable_refused"),
        (Fault(outcome=Outcome.STATUS, status=422), "airtable_rejected"),
        (Fault(outcome=Outcome.CLOSE), "airtable_unavailable"),
        (Fault(outcome=Outcome.HALF), "airtable_unavailable"),
    ],
    ids=str,
)
def test_each_failure_of_a_list_and_of_a_patch(
    server: AirtableServer, table: Conversations, clock: Clock, fault: Fault, expected: str
) -> None:
    record = server.seed({"room_name": "camille"}, created=START)
    table.fields()
    server.faults.add(fault)
    lockout = 30 if expected == "airtable_throttled" else 0
    assert reason(table) == expected
    clock.now += lockout
    server.faults.add(fault)
    errors = table.update({record: {"egress_id": "EG_1"}})
    assert {key: error.reason for key, error in errors.items()} == {record: expected}
    clock.now += lockout
    assert table.update({record: {"egress_id": "EG_1"}}) == {}


def test_a_wrong_token_waits_for_its_repair(server: AirtableServer, table: Conversations) -> None:
    table.airtable.use_token("patWrong")
    assert reason(table) == "airtable_refused"
    table.airtable.use_token(server.token)
    assert find(table) == []


def test_nobody_answering_waits(server: AirtableServer, table: Conversations) -> None:
    server.stop()
    assert reason(table) == "airtable_unavailable"


def test_requests_keep_their_distance(server: AirtableServer, clock: Clock) -> None:
    settings, slept = airtable_settings(server), list[float]()
    table = Conversations(Airtable(connect(settings), settings, clock, slept.append))
    table.airtable.use_token(server.token)
    table.fields()
    assert slept == [0.4], "the first one of a process too: it may have taken another's place"
    find(table)
    assert slept == [0.4, 0.4]
    clock.now += 0.1
    table.update({server.seed({"room_name": "camille"}): {"egress_id": "EG_1"}})
    assert slept[2:] == [pytest.approx(0.3, abs=1e-3)]
    for step in (0.401, 10, -3600):
        clock.now += step
        if step < 0:  # an hour ago the schema was not yet known
            table.fields()
        else:
            find(table)
        assert len(slept) == 3


@pytest.mark.parametrize("fails", [False, True])
def test_the_distance_is_from_the_answer_since_nobody_knows_how_long_a_request_was_on_its_way(
    server: AirtableServer, clock: Clock, *, fails: bool
) -> None:
    settings, slept = airtable_settings(server), list[float]()
    airtable = Airtable(connect(settings), settings, clock, slept.append)

    def slow() -> None:
        clock.now += 2
        if fails:
            raise ValueError

    try:
        airtable._call(slow)
    except WaitError:
        assert fails
    clock.now += 0.1
    airtable.rest()
    assert slept == [0.4, pytest.approx(0.3, abs=1e-3)]


def test_a_locked_base_is_left_alone_until_the_time_is_over(server: AirtableServer, clock: Clock) -> None:
    table = conversations(server, clock)
    server.faults.add(Fault(outcome=Outcome.STATUS, status=429))
    for passed, left in ((0.0, 30), (10.0, 20)):
        clock.now += passed
        with pytest.raises(WaitError) as error:
            table.fields()
        assert (error.value.reason, error.value.delay) == ("airtable_throttled", pytest.approx(left, abs=0.5))
    assert len(asked(server)) == 1
    clock.now += 20.5
    assert "room_name" in table.fields()


@pytest.mark.parametrize(
    ("retry_after", "delay"),
    [
        (None, 30),
        ("", 30),
        ("5", 5),
        ("0", 0),
        ("100000", 900),
        ("-3", 30),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 30),
        ("²", 30),
    ],
)
def test_how_long_airtable_asks_to_wait(retry_after: str | None, delay: float) -> None:
    error = from_status(429, retry_after)
    assert isinstance(error, WaitError)
    assert error.delay == delay


@pytest.mark.parametrize(
    ("status", "kind"), [(400, PermanentError), (413, PermanentError), (408, WaitError), (599, WaitError)]
)
def test_other_statuses(status: int, kind: type[DeliveryError]) -> None:
    assert type(from_status(status, None)) is kind
