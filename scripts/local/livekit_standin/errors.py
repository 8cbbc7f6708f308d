"""Refusals as livekit-server words them.

Two shapes exist: Twirp's JSON `{"code", "msg", "meta"}`, and plain text for tokens that are no good and paths that lead
nowhere. What a service of LiveKit's refuses comes with the prefix "twirp error unknown: ", as the real one sends it.
Source: livekit-server 1.13 pkg/service/errors.go and auth.go; https://twitchtv.github.io/twirp/docs/spec_v7.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping

STATUS_OF_CODE = {
    "canceled": 408,
    "unknown": 500,
    "invalid_argument": 400,
    "malformed": 400,
    "deadline_exceeded": 408,
    "not_found": 404,
    "bad_route": 404,
    "permission_denied": 403,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "failed_precondition": 412,
    "unimplemented": 501,
    "internal": 500,
    "unavailable": 503,
}
CODE_OF_STATUS = {
    400: "invalid_argument",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    408: "deadline_exceeded",
    412: "failed_precondition",
    429: "resource_exhausted",
    500: "internal",
    501: "unimplemented",
    503: "unavailable",
}


class LiveKitRefusal(Exception):  # noqa: N818 - it is an answer to the client, not a fault of ours
    """An answer other than success: the HTTP status, and Twirp's code; None for an answer in plain text."""

    def __init__(self, status: int, code: str | None, message: str, meta: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.meta = dict(meta or {})

    @property
    def content_type(self) -> str:
        """What the body is."""
        return "text/plain; charset=utf-8" if self.code is None else "application/json"

    @property
    def body(self) -> bytes:
        """The body as it goes to the client."""
        if self.code is None:
            return self.message.encode()
        meta = {"meta": self.meta} if self.meta else {}
        return json.dumps({"code": self.code, "msg": self.message, **meta}, separators=(",", ":")).encode()


def twirp(code: str, message: str, meta: Mapping[str, str] | None = None) -> LiveKitRefusal:
    """A refusal of Twirp itself, or of LiveKit's argument checks."""
    return LiveKitRefusal(STATUS_OF_CODE[code], code, message, meta)


def service(code: str, message: str) -> LiveKitRefusal:
    """A refusal from behind LiveKit's internal bus."""
    return twirp(code, f"twirp error unknown: {message}")


def plain(status: int, message: str) -> LiveKitRefusal:
    """A refusal before Twirp: bad tokens, unknown paths."""
    return LiveKitRefusal(status, None, message)


def bad_route(message: str, method: str, path: str) -> LiveKitRefusal:
    """404 for a request that no method takes."""
    return twirp("bad_route", message, {"twirp_invalid_route": f"{method} {path}"})


def permissions_denied() -> LiveKitRefusal:
    """401, not 403: LiveKit's answer to a good token, or none at all, that lacks the grant."""
    return twirp("unauthenticated", "permissions denied")


def no_room() -> LiveKitRefusal:
    """404 for a room that is not open."""
    return service("not_found", "requested room does not exist")


def no_egress() -> LiveKitRefusal:
    """404 for an egress that LiveKit does not know, or no longer."""
    return service("not_found", "egress does not exist")


def no_response() -> LiveKitRefusal:
    """503: no egress service took the request."""
    return service("unavailable", "no response from servers")


def timed_out() -> LiveKitRefusal:
    """408: the egress service that runs this egress does not answer."""
    return service("deadline_exceeded", "request timed out")


def metadata_too_long(limit: int) -> LiveKitRefusal:
    """400 for metadata over the limit in bytes."""
    reason = "metadata size exceeds limits"
    return twirp("invalid_argument", f"{reason} {limit}", {"argument": reason})
