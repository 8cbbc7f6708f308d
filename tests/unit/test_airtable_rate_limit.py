"""The Airtable stand-in's rate limit: 5 a second per base, then nothing but 429 for 30 seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from pyairtable import Api
from pyairtable.api.table import Table

from scripts.local.airtable.ids import new_id
from scripts.local.airtable_server import AirtableServer, conversations_table


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def airtable(clock: Clock) -> Iterator[AirtableServer]:
    with AirtableServer(clock=clock) as server:
        server.rate_limit.enabled = True
        yield server


@pytest.fixture
def table(airtable: AirtableServer) -> Table:
    return Api(airtable.token, endpoint_url=airtable.url, retry_strategy=None).table(airtable.base_id, airtable.table)


def status_of(table: Table) -> int:
    headers = {"Authorization": f"Bearer {table.api.api_key}"}
    answer = requests.get(table.urls.records, headers=headers, timeout=60)
    if answer.status_code == 429:
        assert "Retry-After" not in answer.headers
        assert answer.json() == {
            "error": {"type": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded. Please try again later"}
        }
    return answer.status_code


def test_the_sixth_request_within_a_second_is_refused_and_locks_the_base_for_30_seconds(
    clock: Clock, airtable: AirtableServer, table: Table
) -> None:
    assert [status_of(table) for _ in range(7)] == [200] * 5 + [429] * 2
    clock.now += 29.9
    assert status_of(table) == 429
    clock.now += 0.1
    assert [status_of(table) for _ in range(6)] == [200] * 5 + [429]
    assert airtable.journal.count("list") == 14


def test_the_second_slides(clock: Clock, table: Table) -> None:
    assert [status_of(table) for _ in range(3)] == [200] * 3
    clock.now += 0.6
    assert [status_of(table) for _ in range(2)] == [200] * 2
    clock.now += 0.4
    assert [status_of(table) for _ in range(4)] == [200] * 3 + [429]


def test_schema_requests_of_a_base_count_and_another_base_has_its_own_limit(airtable: AirtableServer) -> None:
    other = airtable.store.add_base(new_id("app"))
    other.tables.append(conversations_table())
    token = airtable.add_token(bases=[airtable.base_id, other.id])
    api = Api(token, endpoint_url=airtable.url, retry_strategy=None)
    for _ in range(5):
        api.base(airtable.base_id).schema(force=True)
    assert status_of(api.table(airtable.base_id, airtable.table)) == 429
    assert status_of(api.table(other.id, airtable.table)) == 200


def test_a_token_owner_has_50_requests_a_second_over_all_bases(airtable: AirtableServer, table: Table) -> None:
    airtable.rate_limit.per_base = 1000
    assert [status_of(table) for _ in range(51)] == [200] * 50 + [429]
    with pytest.raises(requests.HTTPError, match="429"):
        table.api.whoami()
    other = Api(airtable.add_token(), endpoint_url=airtable.url, retry_strategy=None)
    assert other.whoami()
    assert status_of(other.table(airtable.base_id, airtable.table)) == 200


def test_off_and_reset(airtable: AirtableServer, table: Table) -> None:
    assert [status_of(table) for _ in range(6)][-1] == 429
    airtable.rate_limit.reset()
    assert status_of(table) == 200
    airtable.rate_limit.enabled = False
    assert {status_of(table) for _ in range(20)} == {200}


def test_pyairtable_gives_up_long_before_the_lock_out_ends(airtable: AirtableServer) -> None:
    retrying = Api(airtable.token, endpoint_url=airtable.url).table(airtable.base_id, airtable.table)
    for _ in range(5):
        retrying.all()
    started = time.monotonic()
    with pytest.raises(requests.exceptions.RetryError):
        retrying.all()
    assert time.monotonic() - started < 30
    assert airtable.journal.counts() == {"list": 5 + 1 + 5}
