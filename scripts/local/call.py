"""One real call: a recording made by a real LiveKit egress, and the webhook that LiveKit sent for it, byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.deployment import ROOT

EVENT = ROOT / "tests" / "events" / "egress_ended.json"
RECORDING = ROOT / "tests" / "recordings" / "call1.mp4"
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call that took place: `body` as LiveKit sent it, `recording` as its egress uploaded it to `key`."""

    body: bytes
    recording: bytes
    room_name: str
    key: str
    started: datetime


def captured(event: Path = EVENT, recording: Path = RECORDING) -> Call:
    """Read the captured call; the body is kept as bytes, since the signature covers bytes."""
    body = event.read_bytes()
    egress: dict[str, Any] = json.loads(body)["egressInfo"]
    return Call(
        body=body,
        recording=recording.read_bytes(),
        room_name=egress["roomName"],
        key=egress["fileResults"][0]["filename"],
        started=datetime.fromtimestamp(int(egress["startedAt"]) / NANOSECONDS, UTC),
    )
