"""The webhook's rows against receive's own verdict, and against servers that answer wrongly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from livekit.api import TokenVerifier, WebhookReceiver

from infra.functions.errors import WebhookError
from infra.functions.livekit_webhook import verify
from infra.functions.recording import Recording, Status
from scripts.verify import webhook
from scripts.verify.hop import Outcome, Result
from scripts.verify.probe import Probe
from scripts.verify.signing import egress_ended, harmless_event, token
from tests.unit.verify_support import (
    API_KEY,
    API_SECRET,
    BUCKET,
    PREFIX,
    Answer,
    FakeAws,
    FakeClient,
    Request,
    assert_failed,
    deployment,
    tried,
    web,
)

STORED = {"get_secret_value": {"SecretString": json.dumps({"livekit_keys": {API_KEY: API_SECRET}})}}
REFUSALS = ["unsigned", "tampered", "expired", "wrong_secret", "wrong_key"]


def receive(request: Request) -> Answer:
    """What `receive` answers, without its queue."""
    if request.method != "POST":
        return 405, {}, b""
    try:
        verify(request.body, request.headers.get("authorization"), {API_KEY: API_SECRET}, time.time())
    except WebhookError as error:
        return error.status, {}, b"refused"
    return 200, {}, b"ok"


def always(status: int, headers: dict[str, str] | None = None) -> Callable[[Request], Answer]:
    return lambda _: (status, headers or {}, b"")


def row(name: str, server: Callable[[Request], Answer], stored: Any = STORED, **config: str) -> Result:
    settings = {"livekitApiKey": API_KEY, "livekitApiSecret": API_SECRET} | config
    with web(server) as url:
        aws = FakeAws(clients={"secretsmanager": FakeClient(**stored)})
        return tried(webhook.hops(deployment(aws, settings, webhook_url=url), Probe.new(PREFIX)), f"webhook.{name}")


@pytest.mark.parametrize("name", [*REFUSALS, "get", "signed"])
def test_receives_own_verdicts_make_every_row_green(name: str) -> None:
    assert row(name, receive).outcome is Outcome.OK


@pytest.mark.parametrize("name", [*REFUSALS, "get"])
def test_an_open_door_is_found(name: str) -> None:
    result = row(name, always(200))
    assert_failed(result, "200: accepted")
    assert "invent" in result.cause


@pytest.mark.parametrize("name", [*REFUSALS, "get", "signed"])
@pytest.mark.parametrize(("status", "words"), [(503, "fails"), (403, "AWS itself"), (404, "AWS itself")])
def test_another_answer_is_explained(name: str, status: int, words: str) -> None:
    result = row(name, always(status))
    assert_failed(result, str(status))
    assert words in result.cause


def test_a_redirect_is_not_followed() -> None:
    assert_failed(row("unsigned", always(302, {"Location": "/elsewhere"})), "302")


def test_another_secret_in_the_configuration_is_named() -> None:
    result = row("signed", receive, livekitApiSecret="another-secret-another-secret-another")
    assert_failed(result, "401")
    assert "Secrets Manager" in result.cause
    assert result.mend == "pulumi up --refresh --stack unit"


@pytest.mark.parametrize("text", [json.dumps({"livekit_keys": "none"}), json.dumps({})])
def test_a_secret_without_the_key_is_named(text: str) -> None:
    result = row("signed", always(401), {"get_secret_value": {"SecretString": text}})
    assert "Secrets Manager" in result.cause


def test_a_refusal_although_all_agrees_may_be_an_old_copy() -> None:
    assert "five minutes" in row("signed", always(401)).cause


def test_a_wrong_clock_is_named() -> None:
    hour = timedelta(hours=1)

    def late(_: Request) -> Answer:
        return 401, {}, b""

    with web(late) as url:
        aws = FakeAws(clients={"secretsmanager": FakeClient(**STORED)})
        task = webhook.Webhook.of(deployment(aws, webhook_url=url))
        answer = task.post(b"{}", None)
        answer.headers["Date"] = format_datetime(datetime.now(UTC) - hour, usegmt=True)
        with pytest.raises(webhook.Failed) as failed:
            task.accepted(answer)
    assert "clock" in failed.value.cause


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_an_answer_without_a_usable_date_says_nothing_about_the_clock(date: str | None) -> None:
    with web(always(401)) as url:
        aws = FakeAws(clients={"secretsmanager": FakeClient(**STORED)})
        task = webhook.Webhook.of(deployment(aws, webhook_url=url))
        answer = task.post(b"{}", None)
        del answer.headers["Date"]
        if date:
            answer.headers["Date"] = date
        with pytest.raises(webhook.Failed) as failed:
            task.accepted(answer)
    assert "five minutes" in failed.value.cause


def test_nobody_listening_is_a_failure_of_the_row() -> None:
    aws = FakeAws(clients={"secretsmanager": FakeClient(**STORED)})
    result = tried(webhook.hops(deployment(aws, webhook_url="http://127.0.0.1:9"), Probe.new(PREFIX)), "webhook.signed")
    assert_failed(result, "ConnectionError")


def test_events_are_what_livekits_own_library_accepts() -> None:
    probe, now = Probe.new(PREFIX), datetime.now(UTC)
    receiver = WebhookReceiver(TokenVerifier(API_KEY, API_SECRET))
    for body in (harmless_event(probe, now), egress_ended(probe, BUCKET, now - timedelta(seconds=30), now)):
        event = receiver.receive(body.decode(), token(API_KEY, API_SECRET, body, now))
        assert event.room.name == probe.room


def test_the_announced_recording_reads_as_it_was_meant() -> None:
    probe, ended = Probe.new(PREFIX), datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    started = ended - timedelta(seconds=30)
    recording = Recording.from_payload(json.loads(egress_ended(probe, BUCKET, started, ended)))
    assert recording is not None
    assert (recording.key, recording.size_bytes, recording.duration_s) == (probe.key, len(probe.content), 30.0)
    assert (recording.started_at, recording.ended_at) == (started, ended)
    assert (recording.room_name, recording.room_id, recording.egress_id) == (probe.room, probe.room_id, probe.egress_id)
    assert (recording.status, recording.buckets) == (Status.COMPLETE, (BUCKET,))


def test_nothing_follows_from_the_harmless_event() -> None:
    assert json.loads(harmless_event(Probe.new(PREFIX), datetime.now(UTC)))["event"] == "room_finished"
