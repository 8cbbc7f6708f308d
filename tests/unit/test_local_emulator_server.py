"""Ranges and overrides of a named version, as S3 answers them; everything else goes through untouched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scripts.local.emulator_server import batches_as_single, ranges_of_versions

BODY = bytes(range(10))


def ask(
    query: str, method: str = "GET", range_header: str = "", status: int = 200
) -> tuple[int, dict[str, str], bytes]:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"Content-Length", b"10"), (b"Content-Type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": BODY[:4], "more_body": True})
        await send({"type": "http.response.body", "body": BODY[4:]})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {
        "type": "http",
        "method": method,
        "query_string": query.encode(),
        "headers": [(b"range", range_header.encode())] if range_header else [],
    }
    asyncio.run(ranges_of_versions(app)(scope, receive, send))
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    ("asked", "span", "body"),
    [
        ("bytes=2-4", "bytes 2-4/10", BODY[2:5]),
        ("bytes=7-", "bytes 7-9/10", BODY[7:]),
        ("bytes=-3", "bytes 7-9/10", BODY[7:]),
        ("bytes=0-99", "bytes 0-9/10", BODY),
        ("bytes=-99", "bytes 0-9/10", BODY),
    ],
)
def test_a_range_of_a_version(asked: str, span: str, body: bytes) -> None:
    status, headers, got = ask("versionId=v", range_header=asked)
    assert (status, headers["content-range"], got) == (206, span, body)
    assert headers["content-length"] == str(len(body))


@pytest.mark.parametrize("asked", ["", "bytes=-", "bytes=20-30", "items=1-2"])
def test_what_is_no_range_is_the_whole(asked: str) -> None:
    status, headers, got = ask("versionId=v", range_header=asked)
    assert (status, got) == (200, BODY)
    assert "content-range" not in headers


def test_overrides_of_a_version() -> None:
    _, headers, _ = ask("versionId=v&response-content-type=audio%2Fmp4&response-content-disposition=inline")
    assert headers["content-type"] == "audio/mp4"
    assert headers["content-disposition"] == "inline"


@pytest.mark.parametrize(
    ("query", "method", "status"), [("", "GET", 200), ("versionId=v", "HEAD", 200), ("versionId=v", "GET", 404)]
)
def test_everything_else_is_untouched(query: str, method: str, status: int) -> None:
    got = ask(query, method, "bytes=2-4", status)
    assert got == (status, {"content-length": "10", "content-type": "application/octet-stream"}, BODY)


@pytest.mark.parametrize(
    ("action", "judged"),
    [
        ("sqs:DeleteMessageBatch", "sqs:DeleteMessage"),
        ("sqs:SendMessage", "sqs:SendMessage"),
        ("dynamodb:BatchGetItem", "dynamodb:BatchGetItem"),
        ("sns:PublishBatch", "sns:PublishBatch"),
        (None, None),
    ],
)
def test_a_batch_of_sqs_is_judged_as_one_message_is(action: str | None, judged: str | None) -> None:
    assert batches_as_single(lambda *_: action)("sqs", "POST") == judged
