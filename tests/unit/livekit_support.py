"""What the tests of the LiveKit stand-in share: its real client, tokens of any make, and a receiver of webhooks."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import jwt
import pytest
from google.protobuf.json_format import Parse
from livekit import api
from livekit.protocol.webhook import WebhookEvent

from scripts.local.livekit_server import LiveKitServer
from scripts.local.livekit_standin import standin
from tests.unit.verify_support import Answer, Request, web

EVENTS = Path(__file__).resolve().parents[1] / "events"
SCALE = 0.01
Result = TypeVar("Result")


def ask(server: LiveKitServer, question: Callable[[api.LiveKitAPI], Awaitable[Result]], *, secret: str = "") -> Result:
    """Ask with LiveKit's own client, over HTTP."""

    async def asked() -> Result:
        async with api.LiveKitAPI(server.url, server.api_key, secret or server.api_secret) as client:
            return await question(client)

    return asyncio.run(asked())


@contextmanager
def open_house(**options: Any) -> Generator[LiveKitServer]:
    """A stand-in at SCALE that closes no idle room: for a busy machine the scaled time-outs may be over at once."""
    with patch.object(standin, "HOUSEKEEPING_SECONDS", 3600.0), LiveKitServer(time_scale=SCALE, **options) as server:
        yield server


def refusal(
    server: LiveKitServer, question: Callable[[api.LiveKitAPI], Awaitable[Any]], *, secret: str = ""
) -> api.ServerError:
    """How LiveKit's client was refused; the test fails when it was not."""
    with pytest.raises(api.ServerError) as caught:
        ask(server, question, secret=secret)
    return caught.value


def token(server: LiveKitServer, **claims: Any) -> str:
    """A token of the server's key for ten minutes, with claims put in or (None) left out."""
    now = int(time.time())
    whole = {"iss": server.api_key, "nbf": now, "exp": now + 600, **claims}
    return jwt.encode({name: value for name, value in whole.items() if value is not None}, server.api_secret)


def room_egress(endpoint: str = "http://127.0.0.1:45661", **changes: Any) -> api.RoomCompositeEgressRequest:
    """A request as callrec makes it."""
    upload = api.S3Upload(
        access_key="AKIAUNIT",
        secret="s3-secret-of-the-request",
        region="us-east-1",
        bucket="recordings",
        endpoint=endpoint,
        force_path_style=True,
    )
    output = api.EncodedFileOutput(
        file_type=api.EncodedFileType.MP4, filepath="calls/{room_name}/{time}.mp4", s3=upload
    )
    values: dict[str, Any] = {"audio_only": True, "file_outputs": [output]}
    return api.RoomCompositeEgressRequest(**(values | changes))


def listed(server: LiveKitServer, **filters: Any) -> list[api.EgressInfo]:
    """What ListEgress answers."""
    return list(ask(server, lambda client: client.egress.list_egress(api.ListEgressRequest(**filters))).items)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something that comes of itself; the test fails when it does not."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.005)


@dataclass
class Receiver:
    """A receiver of webhooks: answers in turn, then 200, while `answering` is set; keeps what came, and when."""

    url: str = ""
    answers: list[int | tuple[int, dict[str, str]]] = field(default_factory=list[Any])
    requests: list[Request] = field(default_factory=list[Request])
    at: list[float] = field(default_factory=list[float])
    answering: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answering.set()

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        self.at.append(time.monotonic())
        self.answering.wait(60)
        answer = self.answers.pop(0) if self.answers else 200
        status, headers = (answer, dict[str, str]()) if isinstance(answer, int) else answer
        return status, headers, b""

    def verified(self, key: str, secret: str) -> list[WebhookEvent]:
        """The events, each as LiveKit's own receiver takes it."""
        receiver = api.WebhookReceiver(api.TokenVerifier(key, secret))
        return [receiver.receive(request.body.decode(), request.headers["authorization"]) for request in self.requests]

    def names(self) -> list[str]:
        """The events' names, in the order they came."""
        return [api_event(request).event for request in self.requests]


def api_event(request: Request) -> WebhookEvent:
    """The event of a request, unchecked."""
    return Parse(request.body, WebhookEvent())


@dataclass
class Store:
    """An S3 that takes single and multipart uploads, or refuses all with a status; it only notes who signed."""

    url: str = ""
    refuses: int = 0
    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    calls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    signers: set[str] = field(default_factory=set[str])
    _parts: list[bytes] = field(default_factory=list[bytes])

    def respond(
        self, verb: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        path, _, query = target.partition("?")
        self.calls.append((verb, re.sub("=.*", "", query)))
        self.signers.add(headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0])
        if self.refuses:
            told = b"<Error><Code>InvalidAccessKeyId</Code><Message>it does not exist.</Message></Error>"
            return self.refuses, {"x-amz-request-id": "REQUEST", "x-amz-id-2": "HOST"}, told
        if verb == "POST" and query == "uploads":
            return 200, {}, b"<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>"
        if verb == "POST":
            self.objects[path] = b"".join(self._parts)
            return 200, {}, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        if query:
            self._parts.append(body)
        else:
            self.objects[path] = body
        return 200, {"ETag": '"e"'}, b""


@contextmanager
def storing(*, refuses: int = 0) -> Generator[Store]:
    """An S3 on a free port."""
    store = Store(refuses=refuses)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # answers `Expect: 100-continue`, for which S3's client waits a second

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, content = store.respond(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 -- http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def receiving(*answers: int | tuple[int, dict[str, str]]) -> Generator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver(answers=list(answers))
    with web(receiver.respond) as url:
        receiver.url = f"{url}/webhook"
        yield receiver
