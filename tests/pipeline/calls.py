"""What LiveKit does to a stack: uploads, webhooks, and the waiting for what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import requests

from scripts.aws_access import Key
from scripts.verify.signing import token
from tests.pipeline.conftest import Local

PATIENCE_SECONDS = 120.0


def upload(local: Local, key: str, content: bytes) -> str:
    """Put a recording as egress does and return its S3 version."""
    outputs = local.deployment.outputs
    credentials = Key(
        access_key_id=outputs.uploader_access_key_id, secret_access_key=outputs.uploader_secret_access_key
    )
    client = local.deployment.aws.client("s3", credentials)
    return client.put_object(Bucket=outputs.bucket, Key=key, Body=content)["VersionId"]


def announce(local: Local, body: bytes, **headers: str) -> requests.Response:
    """Send a webhook, signed with the stack's key unless `headers` say otherwise."""
    config = local.deployment.config
    signed = {
        "Authorization": token(config["livekitApiKey"], config["livekitApiSecret"], body, datetime.now(UTC)),
        "Content-Type": "application/webhook+json",
        "User-Agent": "LiveKit",
    }
    return requests.post(
        local.deployment.outputs.webhook_url,
        data=body,
        headers={**signed, **headers},
        verify=local.services.ca_bundle,
        timeout=30,
    )


def wait_for(found: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until `found` returns something; fails the test when it does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seen = found()
        if seen:
            return seen
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


def cells(local: Local, record: str, field: str) -> dict[str, Any]:
    """The conversation's cells, once `field` is filled."""

    def filled() -> dict[str, Any] | None:
        read = local.airtable.read(record)
        return read if field in read else None

    return wait_for(filled, field)


def depth(local: Local, url: str) -> int:
    """Messages in a queue, waiting or in work."""
    names = (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    )
    answer = local.deployment.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
    return sum(int(answer["Attributes"][name]) for name in names)


def drained(local: Local) -> bool:
    """Whether the queue is empty."""
    return depth(local, local.deployment.outputs.queue_url) == 0
