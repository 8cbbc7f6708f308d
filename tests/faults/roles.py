"""What an instance does: `receive` behind HTTP, or `deliver` at the queue as Lambda's event source mapping runs it."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import requests
from botocore.exceptions import ClientError

from infra.functions import airtable, aws, deliver, receive, reconcile
from tests.faults import broken
from tests.faults.clock import wait_real
from tests.faults.steps import Death, Steps

BATCH = 10
_IDLE_SECONDS = 0.01
#: Airtable's time-outs are seconds of a socket: they shrink with the clock, but leave a busy machine this much.
_LEAST_TIMEOUT_SECONDS = 0.5
#: What a Function URL hands over as text; LiveKit's own type is not among it.
_TEXTS = ("text/", "application/json", "application/javascript", "application/xml")
_CONFIG = aws.config(connect=5, read=10, attempts=3)


def prepare() -> None:
    """Do what takes long once for all: load the descriptions of the AWS services, without credentials."""
    for service in aws.SERVICES:
        aws.default_session().create_client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x", config=_CONFIG
        )


def run_receive(order: Mapping[str, Any]) -> None:
    """Answer HTTP on a port, one request at a time, as one instance of the function does."""
    broken.apply(order["broken"])
    receive.app()
    turn = threading.Lock()

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            event = url_event(self.command, self.path, dict(self.headers), body)
            with turn:
                answer = receive.handler(event, SimpleNamespace(function_name="receive"))
            sent = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in (answer["headers"] | {"Content-Length": str(len(sent))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            return

    ThreadingHTTPServer(("127.0.0.1", order["port"]), Front).serve_forever()


def url_event(method: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The Function URL event (payload format 2.0) of a request.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
    """
    lower = {name.lower(): value for name, value in headers.items()}
    text = lower.get("content-type", "").startswith(_TEXTS)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": lower,
        "requestContext": {"http": {"method": method, "path": path, "protocol": "HTTP/1.1"}},
        "body": body.decode() if text else base64.b64encode(body).decode(),
        "isBase64Encoded": not text,
    }


def run_deliver(order: Mapping[str, Any]) -> None:
    """Poll the queue, run the handler, delete what it does not return, until killed or (`idle`) nothing comes."""
    steps = Steps(Death(**order["death"]) if order.get("death") else None)
    _compress_timeouts(order["factor"])
    plain = aws.client
    functions_aws: Any = aws
    functions_aws.client = lambda service, settings: steps.client(plain(service, settings))
    session: Any = requests.Session
    session.send = steps.session(session.send)
    broken.apply(order["broken"])
    sqs = aws.client("sqs", _CONFIG)
    context = SimpleNamespace(function_name="deliver")
    while True:
        batch = poll(sqs, os.environ["CALLREC_QUEUE_URL"])
        if not batch:
            wait_real(_IDLE_SECONDS)
            continue
        try:
            answer = deliver.handler({"Records": batch}, context)
        except Exception as error:  # noqa: BLE001 - as Lambda: the batch comes again after its visibility time-out
            _trace(event="invocation_failed", error=type(error).__name__)
            continue
        _delete(sqs, os.environ["CALLREC_QUEUE_URL"], batch, answer)


def run_reconcile(order: Mapping[str, Any]) -> None:
    """Run it once, and print its answer."""
    broken.apply(order["broken"])
    _trace(event="answer", answer=reconcile.handler(order["event"], SimpleNamespace(function_name="reconcile")))


def poll(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Up to ten messages as the records of Lambda's SQS event."""
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=BATCH, AttributeNames=["All"], MessageAttributeNames=["All"]
    )
    messages = answer.get("Messages", [])
    for message in messages:
        _trace(event="received", message=message["MessageId"], about=_event_id(message["Body"]))
    return [record(message) for message in messages]


def _event_id(body: str) -> str | None:
    try:
        return json.loads(body)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def record(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of SQS's API as Lambda hands it over.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {
            name: {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:callrec-faults-events.fifo",
        "awsRegion": "us-east-1",
    }


def _delete(sqs: Any, url: str, batch: list[dict[str, Any]], answer: Mapping[str, Any]) -> None:
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    done = [record for record in batch if record["messageId"] not in failed]
    if done:
        entries = [{"Id": str(number), "ReceiptHandle": one["receiptHandle"]} for number, one in enumerate(done)]
        try:
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        except ClientError as error:  # as with Lambda: what was not deleted comes again
            _trace(event="delete_failed", error=str(error))


def _compress_timeouts(factor: float) -> None:
    module: Any = airtable
    module._TIMEOUT = tuple(max(seconds / factor, _LEAST_TIMEOUT_SECONDS) for seconds in airtable._TIMEOUT)


def _trace(**fields: object) -> None:
    sys.stdout.write(json.dumps({"trace": True, "at": time.time(), **fields}) + "\n")


RUN: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "receive": run_receive,
    "deliver": run_deliver,
    "reconcile": run_reconcile,
}
