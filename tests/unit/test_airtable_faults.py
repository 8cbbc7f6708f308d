"""Faults of the Airtable stand-in, each seen from the client's side."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
import requests
from pyairtable import Api
from pyairtable.api.table import Table

from scripts.local.airtable.exchange import Kind, Request
from scripts.local.airtable.faults import fault_of
from scripts.local.airtable.standin import Delivery
from scripts.local.airtable_server import AirtableServer, Fault, Outcome, conversations_table
from tests.unit.livekit_support import wait_until


@pytest.fixture(scope="module")
def running() -> Iterator[AirtableServer]:
    with AirtableServer() as server:
        yield server


@pytest.fixture
def airtable(running: AirtableServer) -> AirtableServer:
    running.base.tables[0] = conversations_table()
    running.journal.clear()
    running.faults.clear()
    return running


def table_of(airtable: AirtableServer, *, read_timeout: int = 60) -> Table:
    api = Api(airtable.token, endpoint_url=airtable.url, retry_strategy=None, timeout=(60, read_timeout))
    return api.table(airtable.base_id, airtable.table)


@pytest.fixture
def table(airtable: AirtableServer) -> Table:
    return table_of(airtable)


@pytest.mark.parametrize("status", [418, 429, 500, 502, 503])
def test_a_status_for_the_next_request_only(airtable: AirtableServer, table: Table, status: int) -> None:
    airtable.faults.add(Fault(outcome=Outcome.STATUS, status=status))
    with pytest.raises(requests.HTTPError) as caught:
        table.all()
    assert caught.value.response is not None
    assert caught.value.response.status_code == status
    assert caught.value.response.json()["error"]["message"]
    assert table.all() == []
    assert [(entry.status, entry.fault) for entry in airtable.journal.entries] == [(status, "status"), (200, None)]


def test_the_next_n_requests(airtable: AirtableServer, table: Table) -> None:
    airtable.faults.add(Fault(outcome=Outcome.STATUS, times=3))
    for _ in range(3):
        with pytest.raises(requests.HTTPError):
            table.all()
    assert table.all() == []
    assert len(airtable.faults) == 0


def test_while_it_is_on(airtable: AirtableServer, table: Table) -> None:
    number = airtable.faults.add(Fault(outcome=Outcome.STATUS, times=None))
    for _ in range(4):
        with pytest.raises(requests.HTTPError):
            table.all()
    airtable.faults.remove(number)
    airtable.faults.remove(number)
    assert table.all() == []


@pytest.mark.parametrize(
    "chosen",
    [{"methods": frozenset({"PATCH"})}, {"kinds": frozenset({Kind.UPDATE})}, {"path": "/rec"}],
)
def test_faults_choose_their_requests(airtable: AirtableServer, table: Table, chosen: dict[str, Any]) -> None:
    record_id = airtable.seed({"room_name": "camille"})
    airtable.faults.add(Fault(outcome=Outcome.STATUS, times=None, **chosen))
    assert len(table.all()) == 1
    with pytest.raises(requests.HTTPError):
        table.update(record_id, {"notes": "n"})
    assert "notes" not in airtable.read(record_id)


def test_a_lost_answer_after_the_write_was_done(airtable: AirtableServer, table: Table) -> None:
    for outcome, error in (
        (Outcome.STATUS, requests.HTTPError),
        (Outcome.CLOSE, requests.ConnectionError),
        (Outcome.HALF, requests.exceptions.ChunkedEncodingError),
    ):
        record_id = airtable.seed({})
        airtable.faults.add(Fault(outcome=outcome, applied=True))
        with pytest.raises(error):
            table.update(record_id, {"notes": outcome.value})
        assert airtable.read(record_id)["notes"] == outcome.value


def test_a_lost_request(airtable: AirtableServer, table: Table) -> None:
    for outcome, error in (
        (Outcome.STATUS, requests.HTTPError),
        (Outcome.CLOSE, requests.ConnectionError),
        (Outcome.HALF, requests.exceptions.ChunkedEncodingError),
    ):
        record_id = airtable.seed({})
        airtable.faults.add(Fault(outcome=outcome))
        with pytest.raises(error):
            table.update(record_id, {"notes": outcome.value})
        assert airtable.read(record_id) == {}
    assert [entry.status for entry in airtable.journal.entries] == [503, None, 200]


def test_half_an_answer_promises_more_than_it_sends(airtable: AirtableServer) -> None:
    airtable.faults.add(Fault(outcome=Outcome.HALF))
    host, port = airtable.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(b"GET /v0/x/y HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while more := connection.recv(4096):
            received += more
    head, body = received.split(b"\r\n\r\n")
    assert b"Content-Length: 15" in head
    assert body == b'{"recor'


def test_slow_answers(airtable: AirtableServer) -> None:
    record_id = airtable.seed({})
    airtable.faults.add(Fault(outcome=Outcome.ANSWER, delay_seconds=0.2))
    started = time.monotonic()
    assert table_of(airtable).update(record_id, {"notes": "slow"})["fields"]["notes"] == "slow"
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("applied", [True, False])
def test_a_time_out_with_the_write_done_or_not(airtable: AirtableServer, *, applied: bool) -> None:
    record_id = airtable.seed({})
    airtable.faults.add(Fault(outcome=Outcome.CLOSE, delay_seconds=600, applied=applied))  # until the server stops
    with pytest.raises(requests.exceptions.ReadTimeout):
        table_of(airtable, read_timeout=1).update(record_id, {"notes": "n"})
    if applied:
        wait_until(lambda: "notes" in airtable.read(record_id))
    assert ("notes" in airtable.read(record_id)) is applied


def test_stopping_ends_delays_and_kept_alive_connections() -> None:
    server = AirtableServer().start()
    kept = requests.Session()
    headers = {"Authorization": f"Bearer {server.token}"}
    assert kept.get(f"{server.url}/v0/meta/whoami", headers=headers, timeout=60).status_code == 200
    server.faults.add(Fault(outcome=Outcome.CLOSE, delay_seconds=600))
    waiting = threading.Thread(target=lambda: _swallow(server))
    waiting.start()
    while len(server.faults):
        time.sleep(0.01)
    server.stop()
    server.stop()
    waiting.join(timeout=60)
    assert not waiting.is_alive()
    with pytest.raises(requests.ConnectionError):
        kept.get(f"{server.url}/v0/meta/whoami", headers=headers, timeout=60)


def _swallow(server: AirtableServer) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/v0/meta/whoami", timeout=500)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "is not a valid Outcome"),
        ({"outcome": "explode"}, "is not a valid Outcome"),
        ({"outcome": "close", "kinds": ["nothing"]}, "is not a valid Kind"),
        ({"outcome": "close", "methods": "GET"}, "methods is a list of names"),
        ({"outcome": "close", "colour": "red"}, "a fault has no 'colour'"),
        ({"outcome": "close", "status": "500"}, "whole numbers"),
        ({"outcome": "close", "times": 1.5}, "whole numbers"),
        ({"outcome": "close", "delay_seconds": "1"}, "delay_seconds is a number"),
    ],
)
def test_bad_faults_are_refused_by_name(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fault_of(given)


@pytest.mark.parametrize("length", ["x", "-1", "99999999999"])
def test_a_length_that_cannot_be_is_413(airtable: AirtableServer, length: str) -> None:
    host, port = airtable.url.removeprefix("http://").split(":")
    connection = HTTPConnection(host, int(port), timeout=60)
    connection.putrequest("POST", "/v0/x/y")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_client_that_leaves_is_normal_and_our_own_fault_is_one_line(
    airtable: AirtableServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def leave(_: Request) -> Delivery:
        raise ConnectionResetError

    def fail(_: Request) -> Delivery:
        raise ZeroDivisionError("contents")

    front = airtable._front
    with caplog.at_level(logging.ERROR):
        for handle in (leave, fail):
            monkeypatch.setattr(front, "handle", handle)
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{airtable.url}/v0/meta/whoami", timeout=60)
    assert caplog.messages == ["a request to the Airtable stand-in failed: ZeroDivisionError"]
