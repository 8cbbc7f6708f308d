"""Webhooks as they reach `receive`: the captured bodies, signed now, in the event that a Function URL makes of them."""

from __future__ import annotations

import time
from typing import Any

from tests.unit.functions_support import captured, captured_names, sign, url_event

#: What AWS's front adds to a request.
_HEADERS = {
    "content-length": "1324",
    "content-type": "application/webhook+json",
    "user-agent": "Go-http-client/1.1",
    "accept-encoding": "gzip",
    "host": "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
    "x-amzn-tls-version": "TLSv1.3",
    "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
    "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def bodies() -> list[bytes]:
    """Every captured body."""
    return [captured(name)[0] for name in captured_names()]


def events() -> list[dict[str, Any]]:
    """One event for each captured body; their tokens are good for an hour."""
    now = time.time()
    return [
        url_event(body, headers=_HEADERS | {"authorization": sign(body, now=now, exp=int(now) + 3600)})
        for body in bodies()
    ]
