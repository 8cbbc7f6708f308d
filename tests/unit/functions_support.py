"""What the functions' tests share: captured bodies, signatures, and small fakes that record what they were asked."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from botocore.exceptions import ClientError

from infra.functions.recording import Recording, Status

EVENTS = Path(__file__).parent.parent / "events"
KEY = "devkey"
SECRET = "devsecret-devsecret-devsecret-devsecret"
LINK_KEY = "link-key-link-key-link-key-link-key-1"
NOW = 1_795_478_447.9
START = datetime(2026, 11, 24, 0, 0, 35, tzinfo=UTC)
END = START + timedelta(seconds=12)
SECRET_JSON = json.dumps({"livekit_keys": {KEY: SECRET}, "airtable_token": "pat-token", "link_keys": [LINK_KEY]})


def captured(name: str) -> tuple[bytes, str, float]:
    """A captured body, its Authorization header, and when it came."""
    meta = json.loads((EVENTS / f"{name}.meta.json").read_bytes())
    authorization = dict(meta["headers"])["Authorization"]
    return (EVENTS / f"{name}.json").read_bytes(), authorization, meta["received_at"]


def captured_names() -> list[str]:
    return sorted(path.name.removesuffix(".meta.json") for path in EVENTS.glob("*.meta.json"))


def claims(body: bytes, now: float = NOW, **changes: Any) -> dict[str, Any]:
    """LiveKit's claims for a body; a change to None leaves the claim out."""
    made = {
        "iss": KEY,
        "exp": int(now) + 300,
        "nbf": int(now),
        "iat": int(now),
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def sign(body: bytes, *, secret: str = SECRET, now: float = NOW, **changes: Any) -> str:
    """A token as LiveKit makes it."""
    return jwt.encode(claims(body, now, **changes), secret, "HS256")


def ended(name: str = "egress_ended", /, **info: Any) -> dict[str, Any]:
    """A captured event's payload with changes to its egressInfo; a change to None removes the field."""
    payload = json.loads((EVENTS / f"{name}.json").read_bytes())
    merged = payload["egressInfo"] | info
    payload["egressInfo"] = {key: value for key, value in merged.items() if value is not None}
    return payload


def recording(**changes: Any) -> Recording:
    """A good recording of the room camille."""
    made: dict[str, Any] = {
        "egress_id": "EG_1",
        "room_id": "RM_1",
        "room_name": "camille",
        "key": "calls/camille/1.mp4",
        "buckets": ("recordings",),
        "size_bytes": 100,
        "duration_s": 12.0,
        "started_at": START,
        "ended_at": END,
        "status": Status.COMPLETE,
        "backup_storage_used": False,
        "reason": None,
    }
    return Recording(**(made | changes))


def url_event(
    body: bytes | str | None = None,
    *,
    method: str = "POST",
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    encode: bool = True,
) -> dict[str, Any]:
    """A Function URL event, payload format 2.0."""
    if isinstance(body, bytes):
        body = base64.b64encode(body).decode() if encode else body.decode()
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": dict(headers or {}),
        "requestContext": {"http": {"method": method, "path": path}},
        "body": body,
        "isBase64Encoded": encode,
    }


def client_error(code: str, operation: str = "Op") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "a message with a secret"}}, operation)


@dataclass
class FakeSqs:
    """Records messages and visibility changes; `broken` names queues and calls that fail."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    delays: list[tuple[str, int]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def send_message(self, **request: Any) -> dict[str, Any]:
        if request["QueueUrl"] in self.broken:
            raise client_error("ServiceUnavailable")
        self.sent.append(request)
        return {"MessageId": "m"}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        if "visibility" in self.broken:
            raise client_error("ServiceUnavailable")
        assert len(request["Entries"]) <= 10
        self.delays += [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in request["Entries"]]
        return {"Failed": [{"Id": "0"}]} if "visibility-some" in self.broken else {}


class Clock:
    """A clock that stands still until told."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
