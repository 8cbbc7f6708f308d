"""`receive`: a webhook comes in; what LiveKit signed goes to the queue, byte for byte, and is answered at once.

LiveKit never sends again after a 4xx: every fault of ours is a 503, and a key that was rotated a moment ago is looked
up afresh before a 401. Clients give up so early that the answer comes well within LiveKit's 10 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from . import aws, settings
from .errors import BadEventError, BodyTooLargeError, NotLiveKitError, WebhookError
from .function_url import Request, response
from .livekit_webhook import Event, verify
from .log import fault, log, metric
from .queue_id import queue_id
from .secret import SecretCache, reader

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: How old the secret may be when it refuses a signature.
FRESH_SECONDS = 10
#: Worst case: one read of the secret (2.5 s), two tries of the queue (5 s) and the pause between them (< 1 s).
_SECRET_CONFIG = aws.config(connect=1, read=1.5, attempts=1)
_QUEUE_CONFIG = aws.config(connect=1, read=1.5, attempts=2)

#: JSON may carry these two raw, a queue message may not. They only stand inside strings: there the escape is equal.
_ESCAPES = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What a request needs. `clock` in unix seconds."""

    settings: settings.ReceiveSettings
    secrets: SecretCache
    sqs: SQSClient
    clock: Callable[[], float] = time.time


@cache
def app() -> App:
    """The App of this process."""
    configured = settings.ReceiveSettings.from_env()
    secrets = SecretCache(reader(aws.client("secretsmanager", _SECRET_CONFIG), configured.secret_arn))
    secrets.warm()
    return App(settings=configured, secrets=secrets, sqs=aws.client("sqs", _QUEUE_CONFIG))


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry."""
    try:
        return receive(event, app(), str(getattr(context, "function_name", "receive")))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is ours: LiveKit shall try again
        log("error", "receive_failed", error=fault(error))
        return _answer(503, "unavailable")


def receive(event: Mapping[str, Any], to: App, function: str = "receive") -> dict[str, Any]:
    """Answer one request; raises for faults of ours. `function`: its name, for metrics."""
    request = Request.from_event(event)
    if request.method != "POST":
        return _answer(405, "method not allowed", {"Allow": "POST"})
    try:
        body = _body(request, to.settings.max_body_bytes)
        accepted = _verify(body, request.headers.get("authorization"), to)
        message = _message(body, to.settings.max_body_bytes)
    except WebhookError as error:
        log("warning", "refused", status=error.status, reason=error.reason)
        if isinstance(error, NotLiveKitError):
            # Without a reason: one metric, whatever strangers send, so that a flood costs no more than lines of log.
            metric(function, "signature_failed")
        return _answer(error.status, "refused")
    to.sqs.send_message(
        QueueUrl=to.settings.queue_url,
        MessageBody=message,
        MessageGroupId=queue_id(accepted.room_id or accepted.egress_id or accepted.id),
        MessageDeduplicationId=queue_id(accepted.id),
    )
    egress = accepted.egress_id and queue_id(accepted.egress_id)
    signed_by = accepted.key and queue_id(accepted.key)
    log("info", "accepted", type=queue_id(accepted.event), id=queue_id(accepted.id), egress=egress, key=signed_by)
    return _answer(200, "ok")


def _body(request: Request, limit: int) -> bytes:
    if request.size_estimate() > limit + 2:
        raise BodyTooLargeError("too_large")
    try:
        return request.raw_body()
    except ValueError:
        raise BadEventError("undecodable_body") from None


def _verify(body: bytes, authorization: str | None, to: App) -> Event:
    secrets = to.secrets.get()
    try:
        return verify(body, authorization, secrets.livekit_keys, to.clock())
    except NotLiveKitError as error:
        if not error.maybe_rotated:
            raise
        fresh = to.secrets.refresh_if_older_than(FRESH_SECONDS)
        if fresh is secrets:
            raise
    return verify(body, authorization, fresh.livekit_keys, to.clock())


def _message(body: bytes, limit: int) -> str:
    """The body as text that the queue takes; the same JSON, maybe longer."""
    message = body.decode("utf-8").translate(_ESCAPES)
    if len(message.encode()) > limit:
        raise BodyTooLargeError("too_large")
    return message


def _answer(status: int, word: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return response(status, word, "text/plain; charset=utf-8", headers)


if settings.in_lambda():
    app()
