"""Lambda Function URL requests and responses (payload format 2.0)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import protojson


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a handler needs of a request; header names are in lower case, `body` is still as the event carries it.

    `source`: the address it came from, as AWS saw it; no header of the caller's can change it.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    base64_encoded: bool
    source: str = field(default="", repr=False)

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read a Function URL event; what is missing reads as empty."""
        call = protojson.child(protojson.child(event, "requestContext"), "http")
        headers: dict[str, list[str]] = {}
        for name, value in protojson.child(event, "headers").items():
            headers.setdefault(name.lower(), []).append(str(value))
        return cls(
            method=protojson.text(call, "method") or "",
            path=protojson.text(event, "rawPath") or "/",
            headers={name: ",".join(values) for name, values in headers.items()},
            body=protojson.text(event, "body") or "",
            base64_encoded=event.get("isBase64Encoded") is True,
            source=protojson.text(call, "sourceIp") or "",
        )

    def size_estimate(self) -> int:
        """At most two more than the body's size in bytes; cheap to have before decoding."""
        return len(self.body) // 4 * 3 if self.base64_encoded else len(self.body)

    def raw_body(self) -> bytes:
        """The body's bytes as sent; ValueError when they cannot be had."""
        if not self.base64_encoded:
            return self.body.encode("utf-8")
        try:
            return base64.b64decode(self.body, validate=True)
        except binascii.Error:
            raise ValueError("the body is not base64") from None


def response(status: int, body: str, content_type: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A response that nothing between us and the caller may keep."""
    common = {
        "Content-Type": content_type,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return {"statusCode": status, "headers": common | dict(headers or {}), "body": body, "isBase64Encoded": False}
