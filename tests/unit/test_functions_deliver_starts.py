"""`deliver` starts recordings: LiveKit's webhooks by `receive`, a FIFO queue and `deliver` to LiveKit, over HTTP."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from infra.functions import deliver, livekit_egress, receive
from infra.functions.egress import EgressOptions
from infra.functions.errors import SettingsError
from infra.functions.secret import SecretCache
from infra.functions.settings import ReceiveSettings
from infra.functions.start_policy import PATIENCE_SECONDS, Policy
from infra.functions.start_settings import StartSettings
from scripts.local.airtable_server import AirtableServer
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from tests.unit.functions_support import FakeSqs, captured, ended, url_event
from tests.unit.livekit_support import wait_until
from tests.unit.test_functions_deliver import PLAY, Rig, metrics, record

START = "StartRoomCompositeEgress"
UPLOAD_SECRET = "upload-secret-upload-secret-upload-secret"


class Studio(Rig):
    """`deliver` with a LiveKit that it may start recordings at."""

    def __init__(self, server: AirtableServer, livekit: LiveKitServer) -> None:
        super().__init__(server)
        self.livekit = livekit
        keys = {livekit.api_key: livekit.api_secret}
        uploader = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": UPLOAD_SECRET}
        self.secret = json.dumps(json.loads(str(self.secret)) | {"livekit_keys": keys, "uploader": uploader})
        self.start: StartSettings | None = StartSettings(
            livekit_url=livekit.url,
            livekit_key=livekit.api_key,
            bucket="recordings",
            region="us-east-1",
            policy=Policy(),
            options=EgressOptions(
                prefix="calls/",
                template="calls/{room_name}-{time}.mp4",
                phone_template="calls/{room_id}-{time}.mp4",
            ),
        )

    @property
    def app(self) -> deliver.App:
        return replace(super().app, start=self.start)

    @property
    def starts(self) -> int:
        return self.livekit.journal.count(START)


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=0.01) as made:
        yield made


@pytest.fixture
def studio(server: AirtableServer, livekit: LiveKitServer) -> Studio:
    return Studio(server, livekit)


def joined(studio: Studio, name: str = "camille", event: str = "participant_joined", **participant: Any) -> str:
    """A captured event, of a room that the LiveKit here really has; the clock stands at its time."""
    known = studio.livekit.rooms.find(name)
    if known is None:
        studio.livekit.join(name, "somebody")
        known = studio.livekit.rooms.get(name)
    body, _, at = captured(event)
    studio.clock.now = at
    payload = json.loads(body)
    payload["room"] |= {"sid": known.info.sid, "name": name}
    payload["participant"] = payload.get("participant", {}) | participant
    return json.dumps(payload)


def group(body: str) -> str:
    return str(json.loads(body)["room"]["sid"])


def message(body: str, name: str = "m1", **more: Any) -> dict[str, Any]:
    return record(body, name, group=group(body), **more)


def told(capsys: pytest.CaptureFixture[str]) -> tuple[list[tuple[str, int, str | None]], str]:
    """The metrics, and the whole text."""
    text = capsys.readouterr().out
    return metrics(text), text


def test_the_caller_s_arrival_starts_a_recording(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    assert studio.run(message(joined(studio))) == []
    (info,) = studio.livekit.recorder.all()
    assert info.file_results[0].filename.startswith("calls/camille-")
    counted, text = told(capsys)
    assert ("recording_started", 1, None) in counted
    assert info.egress_id in text
    for private in (UPLOAD_SECRET, studio.livekit.api_secret, "camille", "calls/"):
        assert private not in text


def test_a_phone_call_s_path_holds_no_name(studio: Studio) -> None:
    body = joined(studio, "call-_+15105550100_x", kind="SIP")
    assert studio.run(message(body)) == []
    (info,) = studio.livekit.recorder.all()
    assert info.file_results[0].filename.startswith(f"calls/{group(body)}-")


@pytest.mark.parametrize("name", ["test-1", "debug-camille"])
def test_an_excluded_room_is_never_recorded(studio: Studio, name: str) -> None:
    bodies = [joined(studio, name), joined(studio, name, "room_started"), joined(studio, name, kind="SIP")]
    assert studio.run(*(message(body, f"m{index}") for index, body in enumerate(bodies))) == []
    assert studio.livekit.journal.count() == 0


@pytest.mark.parametrize("participant", [{"kind": "AGENT"}, {"kind": "EGRESS"}, {"permission": {"hidden": True}}])
def test_an_agent_alone_is_not_recorded(studio: Studio, participant: dict[str, Any]) -> None:
    assert studio.run(message(joined(studio, **participant))) == []
    assert studio.livekit.journal.count() == 0


def test_without_the_setting_livekit_is_not_asked(studio: Studio) -> None:
    studio.start = None
    assert studio.run(message(joined(studio))) == []
    assert studio.livekit.journal.count() == 0


@pytest.mark.parametrize("missing", ["uploader", "livekit_keys"])
def test_a_secret_that_lacks_what_recording_takes_makes_it_wait(studio: Studio, missing: str) -> None:
    secret = json.loads(str(studio.secret))
    secret[missing] = {"another-key": "x" * 40}
    studio.secret = json.dumps(secret)
    assert studio.run(message(joined(studio))) == ["m1"]
    assert studio.livekit.journal.count() == 0


@pytest.mark.parametrize(
    ("status", "reason"), [(503, "livekit_unavailable"), (401, "livekit_refused"), (403, "livekit_refused")]
)
def test_what_livekit_cannot_do_now_comes_again(
    studio: Studio, capsys: pytest.CaptureFixture[str], status: int, reason: str
) -> None:
    studio.livekit.faults.add(Fault(outcome=Outcome.STATUS, status=status))
    body = joined(studio)
    assert studio.run(message(body)) == ["m1"]
    assert ("waiting", 1, reason) in told(capsys)[0]
    assert studio.run(message(body, count=2)) == []
    assert studio.starts == 1


def test_a_start_is_given_up_after_some_minutes(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    studio.livekit.faults.add(Fault(outcome=Outcome.STATUS, times=None))
    body = joined(studio)
    assert studio.run(message(body)) == ["m1"]
    studio.clock.now += PATIENCE_SECONDS + 1
    assert studio.run(message(body, count=4)) == []
    counted, text = told(capsys)
    assert ("start_missed", 1, "too_late") in counted
    assert studio.sqs.sent == []  # nothing for the dead-letter queue: nobody could send it again in time
    assert "camille" not in text


def test_a_room_that_is_gone_is_missed(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    body = joined(studio)
    studio.livekit.rooms.close(studio.livekit.rooms.get("camille"), 0)  # pyright: ignore[reportArgumentType]
    assert studio.run(message(body)) == []
    assert ("start_missed", 1, "room_gone") in told(capsys)[0]


def test_a_recorder_that_died_is_replaced_while_the_call_goes_on(
    studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    sid = group(joined(studio))
    died = ended("egress_ended.failed.auth3", roomId=sid, roomName="camille", errorCode=500, error="the recorder died")
    died["room"] = {"sid": sid, "name": "camille"}
    studio.server.seed({"room_name": "camille", "room_id": sid})
    assert studio.run(record(died, group=sid)) == []
    assert ("recording_started", 1, None) in told(capsys)[0]
    assert studio.run(record(died, "m2", group=sid)) == []
    assert studio.starts == 1


@pytest.mark.parametrize("info", [{"errorCode": 400}, {"errorCode": 500, "roomId": "RM_over"}])
def test_one_that_cannot_be_replaced_is_not(
    studio: Studio, capsys: pytest.CaptureFixture[str], info: dict[str, Any]
) -> None:
    sid = group(joined(studio))
    died = ended("egress_ended.failed.auth3", **{"roomId": sid, "roomName": "camille"} | info)
    died["room"] = {"sid": died["egressInfo"]["roomId"], "name": "camille"}
    studio.server.seed({"room_name": "camille", "room_id": died["egressInfo"]["roomId"]})
    assert studio.run(record(died, group=sid)) == []
    assert studio.starts == 0
    assert not [name for name, _, _ in told(capsys)[0] if name == "start_missed"]


class TestBesideDeliveries:
    """Starts and deliveries of one batch do not wait for, nor fail with, each other."""

    def test_an_outage_of_livekit_leaves_deliveries_alone(self, studio: Studio) -> None:
        payload = studio.call(1)
        row = studio.server.seed({"room_name": "room 1", "room_id": "RM_1"})
        body = joined(studio)
        studio.livekit.faults.add(Fault(outcome=Outcome.STATUS, times=None))
        assert studio.run(message(body), record(payload, "m2")) == ["m1"]
        assert str(studio.server.read(row)["audio_recording_url"]).startswith(PLAY)

    def test_an_outage_of_airtable_leaves_starts_alone(self, studio: Studio) -> None:
        payload = studio.call(1)
        body = joined(studio)
        studio.server.stop()
        assert studio.run(message(body), record(payload, "m2")) == ["m2"]
        assert studio.starts == 1

    def test_deliveries_are_written_while_livekit_still_thinks(
        self, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        thinking = threading.Event()
        monkeypatch.setattr(livekit_egress, "TOTAL_SECONDS", 120)
        monkeypatch.setattr(studio.livekit.pace, "wait", lambda _: not thinking.wait(60))
        payload = studio.call(1)
        row = studio.server.seed({"room_name": "room 1", "room_id": "RM_1"})
        body = joined(studio)
        studio.livekit.faults.add(Fault(outcome=Outcome.STATUS, delay_seconds=22, methods=frozenset({START})))
        answer: list[list[str]] = []
        working = threading.Thread(target=lambda: answer.append(studio.run(message(body), record(payload, "m2"))))
        working.start()
        wait_until(lambda: bool(studio.server.read(row).get("audio_recording_url")) or not working.is_alive())
        assert studio.server.read(row).get("audio_recording_url")
        assert working.is_alive(), "the delivery waited for LiveKit"
        thinking.set()
        working.join()
        assert answer == [["m1"]]

    def test_a_fault_of_ours_in_a_start_fails_just_the_start(
        self, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payload = studio.call(1)
        studio.server.seed({"room_name": "room 1", "room_id": "RM_1"})

        def fail(*_: object) -> None:
            raise RuntimeError(UPLOAD_SECRET)

        monkeypatch.setattr(livekit_egress, "start_all", fail)
        assert studio.run(message(joined(studio)), record(payload, "m2")) == ["m1"]

    def test_what_died_for_another_reason_dies(self, studio: Studio) -> None:
        """A start that has to wait does not keep a dead letter alive."""
        sid = group(joined(studio))
        died = ended("egress_ended.failed.auth3", roomId=sid, roomName="camille", errorCode=500, egressId=None)
        died["room"] = {"sid": sid, "name": "camille"}
        studio.livekit.faults.add(Fault(outcome=Outcome.STATUS, times=None))
        assert studio.run(record(died, group=sid)) == []
        assert [sent["MessageAttributes"]["reason"]["StringValue"] for sent in studio.sqs.sent] == ["bad_recording"]


class Fifo:
    """A FIFO queue before `deliver`: one batch at a time for each group, and what fails comes again, first.

    Every fourth time a worker crashes when everything is done but not acknowledged: all of its batch comes again.
    """

    def __init__(self, studio: Studio, messages: list[Mapping[str, Any]], seed: int) -> None:
        self._studio, self._random = studio, random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._groups: dict[str, deque[dict[str, Any]]] = {}
        for number, sent in enumerate(messages):
            name = f"m{number}"
            made = record(sent["MessageBody"], name, group=sent["MessageGroupId"], sent=time.time())
            self._groups.setdefault(sent["MessageGroupId"], deque()).append(made)
        self._batches = 0

    def run(self, workers: int) -> None:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(self._work) for _ in range(workers)]:
                done.result()

    def _work(self) -> None:
        while batch := self._take():
            failed = set(self._studio.run(*batch))
            with self._lock:
                self._batches += 1
                again = batch if self._batches % 4 == 1 else [one for one in batch if one["messageId"] in failed]
                for one in reversed(again):
                    self._groups[one["attributes"]["MessageGroupId"]].appendleft(one)
                self._busy -= {one["attributes"]["MessageGroupId"] for one in batch}

    def _take(self) -> list[dict[str, Any]]:
        while True:
            with self._lock:
                free = [name for name, waiting in self._groups.items() if waiting and name not in self._busy]
                if free:
                    size = self._random.randint(1, 10)
                    batch: list[dict[str, Any]] = []
                    for name in self._random.sample(free, len(free)):
                        while self._groups[name] and len(batch) < size:
                            batch.append(self._groups[name].popleft())
                            self._busy.add(name)
                    return batch
                if not any(self._groups.values()) and not self._busy:
                    return []
            time.sleep(0.002)


@pytest.fixture
def inbox(studio: Studio) -> Iterator[tuple[str, FakeSqs]]:
    """The address of a real `receive` over HTTP, and the queue behind it, which takes duplicates as new messages."""
    sqs = FakeSqs()
    to = receive.App(
        settings=ReceiveSettings(secret_arn="arn", queue_url="https://q", max_body_bytes=262_144),
        secrets=SecretCache(studio.read),
        sqs=cast("Any", sqs),
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = receive.receive(url_event(body, headers=dict(self.headers)), to)
            self.send_response(answer["statusCode"])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/", sqs
        listening.shutdown()


@pytest.mark.parametrize("seed", range(5))
def test_ten_join_at_once_and_every_event_comes_twice(studio: Studio, inbox: tuple[str, FakeSqs], seed: int) -> None:
    """Exactly one recording a session, none of an excluded room, though workers crash; over real webhooks."""
    url, sqs = inbox
    studio.livekit.webhooks.urls += [url, url]
    names = ["camille", "theo", "test-1", "call-_+15105550100_x", "empty"]
    studio.livekit.join("empty", "agent", "agent")
    with ThreadPoolExecutor(10) as people:
        for name in names[:-1]:
            for number in range(10):
                people.submit(studio.livekit.join, name, f"caller-{number}", "sip" if number % 3 else "standard")
    studio.livekit.settle()
    studio.clock.now = time.time()
    arrivals = [sent for sent in sqs.sent if '"participant_joined"' in sent["MessageBody"]]
    assert len(arrivals) == 2 * (4 * 10 + 1)
    Fifo(studio, list(sqs.sent), seed).run(workers=2)
    studio.livekit.settle()
    assert sorted(info.room_name for info in studio.livekit.recorder.all()) == sorted([*names[:2], names[3]])
    # Egress joins as a participant itself, and its events start nothing more.
    Fifo(studio, list(sqs.sent), seed + 100).run(workers=2)
    assert studio.starts == 3


def test_start_settings_from_the_environment() -> None:
    env = {
        "CALLREC_RECORD_ROOMS": "true",
        "CALLREC_LIVEKIT_URL": "wss://x.livekit.cloud",
        "CALLREC_LIVEKIT_KEY": "APIx",
        "CALLREC_BUCKET": "ours",
        "AWS_REGION": "eu-central-1",
        "CALLREC_RECORD_INCLUDE": "call-*, visit-*",
        "CALLREC_WEBHOOK_URL": "https://hook.example",
    }
    made = StartSettings.from_env(env)
    assert made == StartSettings(
        livekit_url="wss://x.livekit.cloud",
        livekit_key="APIx",
        bucket="ours",
        region="eu-central-1",
        policy=Policy(include=("call-*", "visit-*")),
        options=EgressOptions(webhook_url="https://hook.example", signing_key="APIx"),
    )
    assert StartSettings.from_env(env | {"CALLREC_RECORD_ROOMS": "false"}) is None
    assert StartSettings.from_env({}) is None
    for name in ("CALLREC_LIVEKIT_URL", "CALLREC_LIVEKIT_KEY", "CALLREC_BUCKET", "AWS_REGION"):
        with pytest.raises(SettingsError, match=name):
            StartSettings.from_env(env | {name: ""})
