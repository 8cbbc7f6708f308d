"""Fuzz target: the whole handler of `receive`, with real signatures and a queue that takes anything.

An input's first byte chooses what the rest becomes, see _FORMS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any, cast

from infra.functions import receive
from infra.functions.secret import SecretCache
from infra.functions.settings import ReceiveSettings
from tests.fuzz.logged import logged
from tests.fuzz.standing_in import app_of
from tests.unit.functions_support import (
    KEY,
    NOW,
    SECRET,
    SECRET_JSON,
    Clock,
    FakeSqs,
    captured,
    captured_names,
    claims,
    sign,
    url_event,
)

LIMIT = 8192
ANSWERS = frozenset({200, 400, 401, 405, 413})
#: What SQS takes. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_ALLOWED = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_ID = re.compile(r"[!-~]{1,128}")
_HASH = b"$HASH"

_SQS = FakeSqs()
_APP = receive.App(
    settings=ReceiveSettings(secret_arn="arn", queue_url="https://q", max_body_bytes=LIMIT),
    secrets=SecretCache(lambda: SECRET_JSON, Clock()),
    sqs=cast("Any", _SQS),
    clock=Clock(),
)


def _post(body: bytes, authorization: str) -> dict[str, Any]:
    return url_event(body, headers={"authorization": authorization})


def _raw(data: bytes) -> dict[str, Any]:
    """The Authorization header, a new line, the body."""
    header, _, body = data.partition(b"\n")
    return _post(body, header.decode("latin-1"))


def _raw_text(data: bytes) -> dict[str, Any]:
    """The same, the body as text that is not base64, whatever it says."""
    header, _, body = data.partition(b"\n")
    event = url_event(body.decode("utf-8", "surrogateescape"), headers={"authorization": header.decode("latin-1")})
    return event | {"isBase64Encoded": len(body) % 2 == 0}


def _signed_body(data: bytes) -> dict[str, Any]:
    """A body that LiveKit signed."""
    return _post(data, sign(data))


def _signed_token(data: bytes) -> dict[str, Any]:
    """A header and claims (one line each; $HASH there becomes the body's) that a holder of our key signed; the body."""
    header, _, rest = data.partition(b"\n")
    content, _, body = rest.partition(b"\n")
    digest = base64.b64encode(hashlib.sha256(body).digest())
    text = b".".join(_segment(part) for part in (header, content.replace(_HASH, digest)))
    return _post(body, (text + b"." + _segment(_signature(text))).decode())


def _event(data: bytes) -> dict[str, Any]:
    """A Function URL event as JSON; Lambda itself accepts nothing else."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", event) if isinstance(event, dict) else {}


_FORMS: tuple[Callable[[bytes], dict[str, Any]], ...] = (_raw, _raw_text, _signed_body, _signed_token, _event)


def one_input(data: bytes) -> None:
    """Send one request; AssertionError unless it is answered as documented, and just what we signed goes on."""
    if not data:
        return
    form = _FORMS[data[0] % len(_FORMS)]
    event = form(data[1:])
    _SQS.sent.clear()
    with app_of(receive, _APP), logged() as lines:
        answer = receive.handler(event, None)
    status = answer["statusCode"]
    assert status in ANSWERS, (status, lines())
    assert form is not _signed_body or status != 401, "what LiveKit signed was refused as a stranger's"
    # One line for whatever is asked, and one that counts when it is not signed.
    assert len(lines()) == (status != 405) + (status == 401), lines()
    assert len(_SQS.sent) == (status == 200)
    if status == 200:
        _check_accepted(event, _SQS.sent[0])


def _check_accepted(event: dict[str, Any], sent: dict[str, Any]) -> None:
    """Whether what was enqueued was signed with our key (checked anew here), is the same JSON, and fits the queue."""
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    headers = {name.lower(): value for name, value in event["headers"].items()}
    text, _, signature = headers["authorization"].strip(" \t").split(" ")[-1].encode().rpartition(b".")
    assert _segment(_signature(text)) == signature, "a forged token was accepted"
    content = text.split(b".")[1]
    claim = json.loads(base64.urlsafe_b64decode(content + b"=" * (-len(content) % 4)))["sha256"]
    assert base64.b64decode(claim) == hashlib.sha256(body).digest(), "a body that nobody signed was accepted"
    message = sent["MessageBody"]
    assert json.loads(message) == json.loads(body)
    assert _ALLOWED.fullmatch(message)
    assert len(message.encode()) <= LIMIT
    assert _ID.fullmatch(sent["MessageGroupId"])
    assert _ID.fullmatch(sent["MessageDeduplicationId"])


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _signature(text: bytes) -> bytes:
    return hmac.digest(SECRET.encode(), text, "sha256")


def seeds() -> list[bytes]:
    """Every captured webhook in every form, and the traps that are known."""
    made: list[bytes] = []
    header = b'{"alg":"HS256","typ":"JWT"}'
    content = json.dumps(claims(b"") | {"sha256": _HASH.decode()}).encode()
    for name in captured_names():
        body, authorization, _ = captured(name)
        fresh = sign(body).encode()
        made += [
            b"\x00" + authorization.encode() + b"\n" + body,
            b"\x00" + fresh + b"\n" + body,
            b"\x01Bearer " + fresh + b"\n" + body,
            b"\x02" + body,
            b"\x03" + header + b"\n" + content + b"\n" + body,
            b"\x04" + json.dumps(_post(body, fresh.decode())).encode(),
        ]
    small = b'{"event":"x","id":"EV_1"}'
    made += [
        b"\x02" + body for body in (b"", b"[]", b"\xff", b'{"event":' + b"[" * 3000, b'{"event":"x","id":"\\ud800"}')
    ]
    made += [b"\x02" + '{"event":"\ufffe\uffff","id":" "}'.encode(), b'\x02{"event":"x","a":' + b"9" * 5000 + b"}"]
    made += [b"\x03" + header + b"\n" + b"[" * 3000 + b"\n" + small, b"\x03{}\n{}\n" + small, b"\x03\n\n"]
    wrong_times: tuple[Any, ...] = (True, "1", 1e400, -1, 10**30, [], None)
    for value in wrong_times:
        for name in ("exp", "nbf", "iat", "iss", "sha256"):
            spoiled = json.dumps({"iss": KEY, "exp": NOW + 9, "sha256": _HASH.decode(), name: value}).encode()
            made.append(b"\x03" + header + b"\n" + spoiled + b"\n" + small)
    return made
