"""The Airtable stand-in as a process of its own, and what other processes tell it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pyairtable import Api

from scripts.local import airtable_server
from scripts.local.airtable_server import AirtableServer, CredentialsError, main, read_credentials, serve

ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = {"token": "pat-for-the-test", "admin_token": "adm-for-the-test", "base_id": "app00000000000001"}


def private_file(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(0o600)
    return path


def wait_for(path: Path) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return json.loads(path.read_text(encoding="utf-8"))


def test_it_serves_until_sigterm_and_the_token_is_in_no_argument(tmp_path: Path) -> None:
    credentials = private_file(tmp_path / "credentials.json", {**CREDENTIALS, "table": "Calls"})
    command = [sys.executable, "-m", "scripts.local.airtable_server", str(credentials)]
    command += ["--port-file", str(tmp_path / "where.json"), "--with-parent"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            where = wait_for(tmp_path / "where.json")
            assert where.keys() == {"url", "base_id", "table", "table_id", "pid"}
            assert (where["base_id"], where["table"], where["pid"]) == ("app00000000000001", "Calls", process.pid)
            table = Api(CREDENTIALS["token"], endpoint_url=where["url"]).table(where["base_id"], where["table"])
            assert table.create({"room_name": "camille"})["fields"] == {"room_name": "camille"}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not any(secret in " ".join(command) for secret in (CREDENTIALS["token"], CREDENTIALS["admin_token"]))
    assert CREDENTIALS["token"] not in (tmp_path / "where.json").read_text(encoding="utf-8")


def test_it_stops_with_its_parent(tmp_path: Path) -> None:
    for parent in (os.getppid(), -1):
        stop = threading.Event()
        thread = threading.Thread(
            target=serve,
            args=({"token": "pat-for-the-test"},),
            kwargs={"port": 0, "port_file": tmp_path / str(parent), "stop": stop, "parent": parent},
        )
        thread.start()
        assert wait_for(tmp_path / str(parent))["table"] == "Conversations"
        thread.join(timeout=1.2 if parent != -1 else 10)
        assert thread.is_alive() is (parent != -1)
        stop.set()
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_main_stops_on_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Callable[[int, None], None]] = {}
    monkeypatch.setattr(airtable_server.signal, "signal", handlers.__setitem__)
    credentials = private_file(tmp_path / "credentials.json", CREDENTIALS)
    results: list[int] = []
    arguments = [str(credentials), "--port-file", str(tmp_path / "where.json")]
    thread = threading.Thread(target=lambda: results.append(main(arguments)))
    thread.start()
    wait_for(tmp_path / "where.json")
    handlers[signal.SIGINT](signal.SIGINT, None)
    thread.join(timeout=5)
    assert results == [0]
    assert handlers.keys() == {signal.SIGTERM, signal.SIGINT}


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (CREDENTIALS, 0o644, "others may read it (644); run: chmod 600"),
        (CREDENTIALS, 0o610, "others may read it (610); run: chmod 600"),
        ("{", 0o600, "it is not JSON"),
        ([], 0o600, "it must be"),
        ({"token": 5}, 0o600, "it must be"),
        ({**CREDENTIALS, "base_id": "base"}, 0o600, "a base id is"),
        (None, 0o600, "No such file"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    content: object,
    mode: int,
    why: str,
) -> None:
    monkeypatch.setattr(airtable_server.signal, "signal", lambda *_: None)
    path = tmp_path / "credentials.json"
    if content is not None:
        private_file(path, content).chmod(mode)
    assert main([str(path), "--port-file", str(tmp_path / "where.json")]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1
    assert CREDENTIALS["token"] not in said


def test_other_keys_of_the_credentials_are_left_alone(tmp_path: Path) -> None:
    path = private_file(tmp_path / "c.json", {**CREDENTIALS, "table": 5, "more": "x"})
    assert read_credentials(path) == CREDENTIALS
    with pytest.raises(CredentialsError, match="No such file"):
        read_credentials(tmp_path / "absent.json")


@pytest.fixture(scope="module")
def airtable() -> Iterator[AirtableServer]:
    with AirtableServer() as server:
        yield server


def tell(airtable: AirtableServer, method: str, what: str, body: Any = None, *, token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {airtable.admin_token if token is None else token}"}
    answer = requests.request(method, f"{airtable.url}/_standin/{what}", json=body, headers=headers, timeout=5)
    return (answer.status_code, answer.json())


def test_the_admin_path_needs_its_own_token(airtable: AirtableServer) -> None:
    for token in ("", "wrong", airtable.token):
        assert tell(airtable, "GET", "requests", token=token)[0] == 401
    assert tell(airtable, "GET", "secrets")[0] == 404
    assert tell(airtable, "PATCH", "requests")[0] == 404
    headers = {"Authorization": f"Bearer {airtable.admin_token}"}
    assert requests.get(f"{airtable.url}/v0/meta/whoami", headers=headers, timeout=5).status_code == 401


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
    status, said = tell(airtable, "PUT", "rate-limit", {"per_base": 1, "lockout_seconds": 0.05})
    assert (status, said) == (200, {"enabled": True, "per_base": 1, "per_owner": 50, "lockout_seconds": 0.05})
    table = Api(airtable.token, endpoint_url=airtable.url, retry_strategy=None).table(airtable.base_id, airtable.table)
    table.all()
    with pytest.raises(requests.HTTPError, match="429"):
        table.all()
    time.sleep(0.06)
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
