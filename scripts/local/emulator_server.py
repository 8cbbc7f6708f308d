"""The emulator with two of its gaps closed: `python -m scripts.local.emulator_server`.

ministack answers a GET of a named object version with the whole object, whatever `Range` and `response-*` ask for; S3
serves the range and the overrides of any version. Links to recordings name their version, so both are mended here.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html

ministack wants policies to allow SQS's batches under names of their own; AWS knows no such actions, and lets a batch by
whom it lets one message. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qs

import ministack.app
import ministack.core.iam_actions

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Judge = Callable[..., str | None]
App = Callable[[Mapping[str, Any], Receive, Send], Coroutine[Any, Any, None]]

OVERRIDES = ("content-type", "content-disposition", "cache-control")


def ranges_of_versions(app: App) -> App:
    """Wrap the emulator's ASGI application."""

    async def wrapped(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        if scope["type"] != "http" or scope["method"] != "GET" or "versionId" not in query:
            await app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await app(scope, receive, hold)
        asked = dict(scope["headers"]).get(b"range", b"").decode("latin-1")
        for message in mended(held, query, asked):
            await send(message)

    return wrapped


def mended(held: list[Message], query: Mapping[str, list[str]], asked: str) -> list[Message]:
    """The answer as S3 gives it: of a whole object, the range asked for, under the headers asked for."""
    start, *bodies = held
    if start["status"] != 200:  # noqa: PLR2004 -- HTTP's "OK"; anything else is no object
        return held
    body = b"".join(message.get("body", b"") for message in bodies)
    headers = {name.lower(): value for name, value in start["headers"]}
    for name in OVERRIDES:
        if f"response-{name}" in query:
            headers[name.encode()] = query[f"response-{name}"][0].encode("latin-1")
    status = 200
    span = wanted(asked, len(body))
    if span is not None:
        status = 206
        headers[b"content-range"] = f"bytes {span.start}-{span.stop - 1}/{len(body)}".encode()
        body = body[span.start : span.stop]
    headers[b"content-length"] = str(len(body)).encode()
    return [
        {"type": "http.response.start", "status": status, "headers": list(headers.items())},
        {"type": "http.response.body", "body": body},
    ]


def wanted(asked: str, size: int) -> range | None:
    """The bytes that `Range: bytes=…` asks for; None for the whole, or for what cannot be satisfied."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if found is None or found[0] == "bytes=-":
        return None
    first = int(found[1]) if found[1] else max(size - int(found[2]), 0)
    last = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
    return range(first, last + 1) if first <= last else None


def batches_as_single(action_of: Judge) -> Judge:
    """Wrap what tells the IAM action of a request."""

    def judged(*request: Any) -> str | None:
        action = action_of(*request)
        return re.sub(r"\A(sqs:\w+)Batch\Z", r"\1", action) if action else action

    return judged


def main() -> None:
    """Serve as `python -m ministack` does."""
    server: Any = ministack.app
    actions: Any = ministack.core.iam_actions
    actions.extract_iam_action = batches_as_single(actions.extract_iam_action)
    server.app = ranges_of_versions(server.app)
    server.main()


if __name__ == "__main__":
    main()
