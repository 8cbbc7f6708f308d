"""What the tests of verify and teardown stand on: scripted AWS clients, a deployment, and a web server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.exceptions import ClientError

from scripts.deployment import Deployment
from scripts.outputs import AirtableOutputs, Outputs
from scripts.verify.hop import Failed, Hop, Outcome, Result, attempt

PARTS = ("receive", "deliver", "play", "reconcile")
BUCKET, PREFIX, REGION = "recordings", "calls/", "eu-central-1"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/0000-key"
API_KEY, API_SECRET = "APIunit", "unit-secret-unit-secret-unit-secret-unit"
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:callrec-unit-credentials-AbCdEf"


def refusal(code: str, operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "a text that may quote a token"}}, operation)


class FakeClient:
    """A boto3 client that answers by script: a value, an exception to raise, or a function of the arguments."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer(**arguments) if callable(answer) else answer

        return call

    def get_paginator(self, name: str) -> Any:
        client = self

        class Pages:
            def paginate(self, **arguments: Any) -> Iterator[Any]:
                answer = getattr(client, name)(**arguments)
                yield from answer if isinstance(answer, list) else [answer]

        return Pages()

    def called(self, name: str) -> list[dict[str, Any]]:
        return [arguments for method, arguments in self.calls if method == name]


@dataclass
class FakeAws:
    """An AwsAccess whose clients are scripted; `uploader` answers for whoever brings a key."""

    clients: dict[str, FakeClient] = field(default_factory=dict)
    uploader: FakeClient = field(default_factory=FakeClient)
    endpoint_url: str | None = None
    trust: bool = True
    region: str = REGION

    def client(self, service: str, key: Any = None) -> FakeClient:
        return self.uploader if key is not None else self.clients.setdefault(service, FakeClient())


def outputs(**changes: Any) -> Outputs:
    values: dict[str, Any] = {
        "bucket": BUCKET,
        "region": REGION,
        "prefix": PREFIX,
        "bucket_settings": {
            "encryption": "kms",
            "archiveClass": "GLACIER_IR",
            "archiveAfterDays": 30.0,
            "retentionDays": None,
            "noncurrentDays": 30.0,
            "accessLogs": False,
            "disposable": False,
        },
        "key_arn": KEY_ARN,
        "uploader_user": "callrec-unit-uploader",
        "uploader_access_key_id": "AKIAUNIT",
        "uploader_secret_access_key": "uploader-secret",
        "secret_arn": SECRET_ARN,
        "webhook_url": "http://127.0.0.1:9/webhook",
        "play_url": "http://127.0.0.1:9/play",
        "queue_url": "https://sqs/events.fifo",
        "dead_letter_queue_url": "https://sqs/events-dlq.fifo",
        "arrivals_queue_url": "https://sqs/arrivals",
        "reconcile_minutes": 15,
        "deliver_mapping": "mapping-uuid",
        "functions": {part: f"callrec-unit-{part}" for part in PARTS},
        "log_groups": {part: f"/aws/lambda/callrec-unit-{part}" for part in PARTS},
        "livekit_url": "",
        "airtable": AirtableOutputs(url="http://127.0.0.1:9", base="appUnit", table="Conversations", fields={}),
    }
    return Outputs(**(values | changes))


def deployment(aws: FakeAws, config: dict[str, str] | None = None, **changes: Any) -> Deployment:
    def no_engine() -> Any:
        raise AssertionError("verify needs no engine")

    settings = {"livekitApiKey": API_KEY, "livekitApiSecret": API_SECRET} if config is None else config
    fake: Any = aws
    return Deployment(stack="unit", outputs=outputs(**changes), config=settings, aws=fake, engine=no_engine)


def by_id(hops: list[Hop], name: str) -> Hop:
    return next(hop for hop in hops if hop.id == name)


def tried(hops: list[Hop], name: str) -> Result:
    """One hop, tried by itself."""
    return attempt(by_id(hops, name))


def failure(probe: Callable[[], object]) -> Failed:
    """How a probe failed; the test fails when it did not."""
    try:
        seen = probe()
    except Failed as failed:
        return failed
    raise AssertionError(f"it held: {seen}")


def assert_failed(result: Result, words: str) -> None:
    """A red row: it says what was seen, why, and what to do."""
    assert result.outcome is Outcome.FAILED, result
    assert words in result.seen
    assert result.cause
    assert result.mend


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def web(respond: Callable[[Request], Answer]) -> Generator[str]:
    """Serve `respond` on a free loopback port; yields the address without a slash at its end."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(method=self.command, path=self.path, headers=headers, body=self.rfile.read(size))
            status, more, content = respond(request)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            with suppress(BrokenPipeError, ConnectionResetError):  # a client that has seen enough
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815 -- http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
