"""What the tests of the LiveKit stand-in share: its real client, tokens of any make, and a receiver of webhooks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import jwt
import pytest
from livekit import api
from livekit.protocol.webhook import WebhookEvent

from scripts.local.livekit_server import LiveKitServer
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


def room_egress(bucket: str = "recordings", **changes: Any) -> api.RoomCompositeEgressRequest:
    """A request as callrec makes it."""
    upload = api.S3Upload(
        access_key="AKIAUNIT",
        secret="s3-secret-of-the-request",
        region="us-east-1",
        bucket=bucket,
        endpoint="http://127.0.0.1:45661",
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
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.005)


@dataclass
class Receiver:
    """A receiver of webhooks: answers in turn, then 200; keeps what came, and when."""

    url: str = ""
    answers: list[int | tuple[int, dict[str, str]]] = field(default_factory=list[Any])
    requests: list[Request] = field(default_factory=list[Request])
    at: list[float] = field(default_factory=list[float])

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        self.at.append(time.monotonic())
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
    from google.protobuf.json_format import Parse  # noqa: PLC0415 - only this needs it

    return Parse(request.body, WebhookEvent())


@contextmanager
def receiving(*answers: int | tuple[int, dict[str, str]]) -> Generator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver(answers=list(answers))
    with web(receiver.respond) as url:
        receiver.url = f"{url}/webhook"
        yield receiver
