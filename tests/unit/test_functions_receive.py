"""`receive`: what is answered, what is enqueued, and that nothing of a request is logged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.functions import receive
from infra.functions.secret import SecretCache
from infra.functions.settings import ReceiveSettings
from tests.unit.functions_support import (
    KEY,
    NOW,
    SECRET,
    SECRET_JSON,
    Clock,
    FakeSqs,
    captured,
    captured_names,
    client_error,
    sign,
    url_event,
)

BODY = b'{"event":"room_started","id":"EV_1","room":{"sid":"RM_1","name":"+41791234567"}}'
LIMIT = 2000
ROOT = Path(__file__).parents[2]


class Rig:
    """`receive` with fakes around it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sqs = FakeSqs()
        self.secret: str | Exception = SECRET_JSON
        self.reads = 0
        self.app = receive.App(
            settings=ReceiveSettings(secret_arn="arn", queue_url="https://q", max_body_bytes=LIMIT),
            secrets=SecretCache(self.read, self.clock),
            sqs=cast("Any", self.sqs),
            clock=self.clock,
        )

    def read(self) -> str:
        self.reads += 1
        if isinstance(self.secret, Exception):
            raise self.secret
        return self.secret

    def post(self, body: bytes = BODY, authorization: str | None = None, **more: Any) -> dict[str, Any]:
        token = sign(body) if authorization is None else authorization
        request: dict[str, Any] = {"headers": {"authorization": token}} | more
        return receive.handler(url_event(body, **request), None)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    made = Rig()
    monkeypatch.setattr(receive, "app", lambda: made.app)
    return made


@pytest.mark.parametrize("name", captured_names())
def test_every_captured_body_is_enqueued_byte_for_byte(rig: Rig, name: str) -> None:
    body, authorization, rig.clock.now = captured(name)
    assert rig.post(body, authorization)["statusCode"] == 200
    payload = json.loads(body)
    assert rig.sqs.sent == [
        {
            "QueueUrl": "https://q",
            "MessageBody": body.decode(),
            "MessageGroupId": payload["room"]["sid"],
            "MessageDeduplicationId": payload["id"],
        }
    ]


@pytest.mark.parametrize("header", ["authorization", "Authorization", "AUTHORIZATION", "aUthorization"])
@pytest.mark.parametrize("encode", [True, False])
def test_any_header_case_and_either_encoding(rig: Rig, header: str, encode: bool) -> None:  # noqa: FBT001
    answer = rig.post(headers={header: sign(BODY)}, encode=encode)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert rig.sqs.sent[0]["MessageBody"] == BODY.decode()


def test_two_authorization_headers_are_none(rig: Rig) -> None:
    token = sign(BODY)
    assert rig.post(headers={"authorization": token, "Authorization": token})["statusCode"] == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS", "post", ""])
def test_other_methods(rig: Rig, method: str) -> None:
    answer = rig.post(method=method)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "POST")
    assert not rig.sqs.sent


def test_what_is_not_livekits_is_refused_without_detail(rig: Rig) -> None:
    rig.clock.now = NOW + 5
    for authorization in (
        "",
        "x",
        sign(BODY, secret="x" * 40),
        sign(BODY, exp=1),
        sign(b"{}"),
        sign(BODY, iss="other"),
    ):
        answer = rig.post(authorization=authorization)
        assert (answer["statusCode"], answer["body"]) == (401, "refused")
    assert not rig.sqs.sent


def test_forgeries_are_counted_as_one_metric_whatever_they_are(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    for authorization in ("", "x", sign(BODY, secret="x" * 40), sign(BODY, exp=1), sign(BODY, iss="other"), sign(BODY)):
        rig.post(authorization=authorization)
    rig.post(method="GET")
    lines = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]
    assert [line["signature_failed"] for line in lines] == [1] * 5
    assert {json.dumps(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]) for line in lines} == {'[["function"]]'}


def test_a_missing_header_is_refused(rig: Rig) -> None:
    assert rig.post(headers={})["statusCode"] == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"id":"EV_1"}'])
def test_a_signed_body_that_is_no_event(rig: Rig, body: bytes) -> None:
    assert rig.post(body)["statusCode"] == 400
    assert not rig.sqs.sent


@pytest.mark.parametrize("body", ["not base64!", "YQ", "\ud800"])
def test_a_body_that_cannot_be_decoded(rig: Rig, body: str) -> None:
    for encode in (True, False):
        answer = receive.handler(url_event(body, encode=encode, headers={"authorization": sign(b"")}), None)
        assert answer["statusCode"] in (400, 401)
    assert not rig.sqs.sent


def padded(size: int, character: str = "x") -> bytes:
    start, end = b'{"event":"x","id":"EV_1","pad":"', b'"}'
    return start + character.encode() * ((size - len(start) - len(end)) // len(character.encode())) + end


@pytest.mark.parametrize("encode", [True, False])
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413), (LIMIT + 3, 413), (LIMIT * 9, 413)])
def test_a_body_too_large(rig: Rig, size: int, status: int, encode: bool) -> None:  # noqa: FBT001
    body = padded(size)
    assert len(body) == size
    assert rig.post(body, encode=encode)["statusCode"] == status
    assert len(rig.sqs.sent) == (status == 200)


def test_a_huge_body_is_refused_before_anything_is_done_with_it(rig: Rig) -> None:
    for encode in (True, False):
        assert rig.post(padded(LIMIT * 9), authorization="none", encode=encode)["statusCode"] == 413
    assert rig.reads == 0


def test_a_body_that_outgrows_the_queue_by_escaping(rig: Rig) -> None:
    assert rig.post(padded(LIMIT, "\uffff"))["statusCode"] == 413
    assert not rig.sqs.sent


def test_characters_the_queue_refuses_are_escaped_and_mean_the_same(rig: Rig) -> None:
    body = '{"event":"x","id":"EV_1","a":"1\ufffe2\uffff3\U0001ffffé\u007f"}'.encode()
    assert rig.post(body)["statusCode"] == 200
    sent = rig.sqs.sent[0]["MessageBody"]
    assert json.loads(sent) == json.loads(body)
    assert not set(sent) & {"\ufffe", "\uffff"}


ALLOWED = {"\t", "\n", "\r"}


def allowed(character: str) -> bool:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
    code = ord(character)
    return character in ALLOWED or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


@settings(max_examples=300)
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), st.booleans())
def test_whatever_is_enqueued_is_the_same_json_in_allowed_characters(values: dict[str, str], raw: bool) -> None:  # noqa: FBT001
    rig = Rig()
    body = json.dumps({"event": "x", "values": values}, ensure_ascii=not raw).encode("utf-8", "surrogatepass")
    answer = receive.receive(url_event(body, headers={"authorization": sign(body)}), rig.app)
    if answer["statusCode"] != 200:
        assert raw
        assert any("\ud800" <= character <= "\udfff" for text in [*values, *values.values()] for character in text)
        return
    sent = rig.sqs.sent[0]
    assert json.loads(sent["MessageBody"]) == json.loads(body)
    assert all(map(allowed, sent["MessageBody"]))


@pytest.mark.parametrize(
    ("payload", "group", "deduplication"),
    [
        ({"event": "x", "id": "EV_1", "room": {"sid": "RM_1"}}, "RM_1", "EV_1"),
        ({"event": "x", "id": "EV_1", "egressInfo": {"roomId": "RM_2", "egressId": "EG_2"}}, "RM_2", "EV_1"),
        ({"event": "x", "id": "EV_1", "egressInfo": {"egress_id": "EG_2"}}, "EG_2", "EV_1"),
        ({"event": "x", "id": "EV_1"}, "EV_1", "EV_1"),
        ({"event": "x", "id": "EV 1"}, None, None),
        ({"event": "x", "id": "é" * 200}, None, None),
        ({"event": "x", "id": "x" * 129}, None, None),
        ({"event": "x", "id": "\ud800"}, None, None),
        ({"event": "x", "id": "x" * 128}, "x" * 128, "x" * 128),
    ],
)
def test_ids_the_queue_takes(rig: Rig, payload: dict[str, Any], group: str | None, deduplication: str | None) -> None:
    assert rig.post(json.dumps(payload).encode())["statusCode"] == 200
    sent = rig.sqs.sent[0]
    for got, wanted in ((sent["MessageGroupId"], group), (sent["MessageDeduplicationId"], deduplication)):
        assert got == wanted or (wanted is None and got.startswith("sha256-") and len(got) == 71)


def test_a_key_rotated_a_moment_ago_is_known(rig: Rig) -> None:
    assert rig.post()["statusCode"] == 200
    rig.clock.now += 11
    document = json.loads(SECRET_JSON)
    rig.secret = json.dumps(document | {"livekit_keys": {KEY: "n" * 40, "second": "s" * 40}})
    assert rig.post(authorization=sign(BODY, secret="n" * 40))["statusCode"] == 200
    assert rig.post(authorization=sign(BODY, secret="s" * 40, iss="second"))["statusCode"] == 200
    assert rig.post(authorization=sign(BODY))["statusCode"] == 401
    assert rig.reads == 2


def test_a_forged_request_reads_the_secret_at_most_every_ten_seconds(rig: Rig) -> None:
    for _ in range(20):
        rig.clock.now += 1
        assert rig.post(authorization=sign(BODY, secret="x" * 40))["statusCode"] == 401
    assert rig.reads == 2


def test_a_wrong_token_that_no_rotation_explains_reads_nothing(rig: Rig) -> None:
    rig.post()
    rig.clock.now += 100
    assert rig.post(authorization=sign(BODY, exp=1))["statusCode"] == 401
    assert rig.reads == 1


@pytest.mark.parametrize("secret", [RuntimeError(SECRET), client_error("AccessDeniedException"), "{}", "no json"])
def test_a_secret_that_fails_is_our_fault(
    rig: Rig, secret: str | Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.secret = secret
    assert rig.post()["statusCode"] == 503
    assert not rig.sqs.sent
    assert SECRET not in capsys.readouterr().out
    rig.secret = SECRET_JSON
    assert rig.post()["statusCode"] == 200


def test_a_doubt_that_cannot_be_settled_is_our_fault(rig: Rig) -> None:
    """A key that might be new, and no way to see the newest: LiveKit shall ask again."""
    rig.post()
    rig.clock.now += 20
    rig.secret = RuntimeError()
    assert rig.post(authorization=sign(BODY, secret="n" * 40))["statusCode"] == 503


def test_a_queue_that_fails_is_our_fault(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.sqs.broken.add("https://q")
    answer = rig.post()
    assert (answer["statusCode"], answer["body"]) == (503, "unavailable")
    assert json.loads(capsys.readouterr().out) == {
        "level": "error",
        "event": "receive_failed",
        "error": "ClientError:ServiceUnavailable",
    }
    rig.sqs.broken.clear()
    assert rig.post()["statusCode"] == 200


def test_missing_settings_are_our_fault(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("CALLREC_SECRET_ARN", raising=False)
    receive.app.cache_clear()
    assert receive.handler(url_event(BODY), None)["statusCode"] == 503
    assert "SettingsError:CALLREC_SECRET_ARN" in capsys.readouterr().out


def test_which_key_signed_is_logged_so_that_an_old_one_can_go(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.post()
    assert json.loads(capsys.readouterr().out)["key"] == KEY


def test_nothing_of_a_request_is_logged(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    for authorization in (sign(BODY), sign(BODY, secret="x" * 40), "junk-token"):
        rig.post(authorization=authorization)
        logged = capsys.readouterr().out
        level, *counted = map(json.loads, logged.splitlines())
        assert level["level"] in ("info", "warning")
        assert [line.keys() for line in counted] in ([], [{"_aws", "function", "signature_failed"}])
        assert authorization not in logged
        assert "+41791234567" not in logged


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(["rawPath", "headers", "requestContext", "body", "isBase64Encoded"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["http", "method", "authorization", "x"]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    ),
    st.booleans(),
)
def test_no_shape_of_event_gets_through(event: dict[str, Any], post: bool) -> None:  # noqa: FBT001
    rig = Rig()
    if post:
        event["requestContext"] = {"http": {"method": "POST"}}
    assert receive.receive(event, rig.app)["statusCode"] in (400, 401, 405)
    assert not rig.sqs.sent


def test_the_app_of_a_process_is_made_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CALLREC_SECRET_ARN": "arn:x",
        "CALLREC_QUEUE_URL": "https://sqs.example/q.fifo",
        "CALLREC_MAX_BODY_BYTES": "1000",
    }.items():
        monkeypatch.setenv(name, value)
    made: list[tuple[str, float]] = []

    class Client:
        def get_secret_value(self, **_: Any) -> dict[str, str]:
            return {"SecretString": SECRET_JSON}

    def client(service: str, config: Any) -> Any:
        tries = config.retries["total_max_attempts"]
        made.append((service, tries * (config.connect_timeout + config.read_timeout)))
        return Client()

    monkeypatch.setattr(receive.aws, "client", client)
    receive.app.cache_clear()
    assert receive.app().secrets.get().livekit_keys == {KEY: SECRET}
    assert {service for service, _ in made} == {"secretsmanager", "sqs"}
    assert sum(seconds for _, seconds in made) < 9
    receive.app.cache_clear()


def test_importing_it_loads_no_pydantic_and_in_lambda_prepares_the_clients() -> None:
    code = (
        "import sys, infra.functions.receive as r\n"
        "assert not {'pyairtable', 'pydantic', 'requests', 'itsdangerous', 'livekit'} & set(sys.modules)\n"
        "print(r.app.cache_info().currsize)"
    )
    environment = {
        "CALLREC_SECRET_ARN": "arn:x",
        "CALLREC_QUEUE_URL": "https://127.0.0.1:1/q.fifo",
        "CALLREC_MAX_BODY_BYTES": "1000",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_ENDPOINT_URL": "https://127.0.0.1:1",
    }
    for extra, prepared in (({}, "0"), ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, "1")):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment | extra, capture_output=True, text=True, check=True, cwd=ROOT
        )
        assert done.stdout.splitlines()[-1] == prepared
