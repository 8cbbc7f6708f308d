"""What other processes may tell the Airtable stand-in: faults, limits, records, over HTTP with a token of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pyairtable import Api

from scripts.local.airtable_server import AirtableServer


@pytest.fixture(scope="module")
def airtable() -> Iterator[AirtableServer]:
    with AirtableServer() as server:
        yield server


def tell(airtable: AirtableServer, method: str, what: str, body: Any = None, *, token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {airtable.admin_token if token is None else token}"}
    answer = requests.request(method, f"{airtable.url}/_standin/{what}", json=body, headers=headers, timeout=60)
    return (answer.status_code, answer.json())


def test_the_admin_path_needs_its_own_token(airtable: AirtableServer) -> None:
    for token in ("", "wrong", airtable.token):
        assert tell(airtable, "GET", "requests", token=token)[0] == 401
    assert tell(airtable, "GET", "secrets")[0] == 404
    assert tell(airtable, "PATCH", "requests")[0] == 404
    headers = {"Authorization": f"Bearer {airtable.admin_token}"}
    assert requests.get(f"{airtable.url}/v0/meta/whoami", headers=headers, timeout=60).status_code == 401


def test_faults_from_another_process(airtable: AirtableServer) -> None:
    api = Api(airtable.token, endpoint_url=airtable.url, retry_strategy=None)
    fault = {"outcome": "status", "status": 500, "kinds": ["whoami"], "methods": ["GET"], "path": "meta", "times": None}
    status, said = tell(airtable, "POST", "faults", fault)
    assert (status, tell(airtable, "GET", "faults")) == (200, (200, {"on": 1}))
    with pytest.raises(requests.HTTPError):
        api.whoami()
    assert tell(airtable, "DELETE", f"faults/{said['id']}") == (200, {})
    assert api.whoami()
    tell(airtable, "POST", "faults", {"outcome": "close"})
    assert tell(airtable, "DELETE", "faults") == (200, {})
    assert api.whoami()
    assert tell(airtable, "POST", "faults", {"outcome": "explode"})[0] == 422
    assert tell(airtable, "DELETE", "faults/first")[0] == 422


def test_requests_seen_by_another_process(airtable: AirtableServer) -> None:
    tell(airtable, "DELETE", "requests")
    Api(airtable.token, endpoint_url=airtable.url).whoami()
    status, said = tell(airtable, "GET", "requests")
    assert (status, said["counts"]) == (200, {"whoami": 1})
    assert said["requests"][0].keys() == {"at", "method", "path", "kind", "status", "fault"}
    assert said["requests"][0]["path"] == "/v0/meta/whoami"


def test_rate_limit_from_another_process(airtable: AirtableServer) -> None:
    now = [1000.0]
    airtable.rate_limit.clock = lambda: now[0]
    status, said = tell(airtable, "PUT", "rate-limit", {"per_base": 1, "lockout_seconds": 0.5})
    assert (status, said) == (200, {"enabled": True, "per_base": 1, "per_owner": 50, "lockout_seconds": 0.5})
    table = Api(airtable.token, endpoint_url=airtable.url, retry_strategy=None).table(airtable.base_id, airtable.table)
    table.all()
    with pytest.raises(requests.HTTPError, match="429"):
        table.all()
    now[0] += 0.5
    table.all()
    assert tell(airtable, "PUT", "rate-limit", {"enabled": False})[1]["enabled"] is False
    table.all()
    assert tell(airtable, "PUT", "rate-limit", {"per_hour": 1})[0] == 422
    assert tell(airtable, "PUT", "rate-limit", {"per_base": "many"})[0] == 422


def test_records_from_another_process(airtable: AirtableServer) -> None:
    record = {"fields": {"room_name": "camille"}, "createdTime": "2026-11-24T00:00:35.000Z"}
    status, said = tell(airtable, "POST", "records", {"table": airtable.table, "records": [record, {"fields": {}}]})
    assert status == 200
    assert airtable.read(said["ids"][0]) == {"room_name": "camille"}
    wrong: list[Any] = [{}, {"table": airtable.table, "records": [5]}, {"table": airtable.table, "records": [{}]}]
    for body in wrong:
        assert tell(airtable, "POST", "records", body)[0] == 422
    late = {"fields": {}, "createdTime": "soon"}
    assert tell(airtable, "POST", "records", {"table": airtable.table, "records": [late]})[0] == 422


def test_listings_expire_when_told(airtable: AirtableServer) -> None:
    for _ in range(2):
        airtable.seed({})
    api = Api(airtable.token, endpoint_url=airtable.url)
    pages = api.table(airtable.base_id, airtable.table).iterate(page_size=1)
    next(pages)
    assert tell(airtable, "DELETE", "listings") == (200, {})
    with pytest.raises(requests.HTTPError, match="LIST_RECORDS_ITERATOR_NOT_AVAILABLE"):
        next(pages)
