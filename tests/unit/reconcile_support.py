"""What the tests of `callrec reconcile` stand on: a function that answers by script, and a stack that has it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from scripts.deployment import Deployment
from tests.unit.verify_support import FakeAws, FakeClient, deployment

MISSING = {
    "egress": "EG_lost",
    "room": "camille",
    "ended": "2026-11-24T10:00:00+01:00",
    "status": "EGRESS_COMPLETE",
    "enqueued": True,
}
STUCK = MISSING | {"egress": "EG_stuck", "status": "EGRESS_FAILED"}
UNWANTED = {"key": "calls/x y.mp4", "version": "v1", "size": 1234, "arrived": "2026-11-24T09:00:00+00:00"}
WITHOUT = {"record": "rec1", "started": "2026-11-24T08:00:00+00:00"}


def answer(**changes: Any) -> dict[str, Any]:
    """What the function says when all is well, but for the changes; counts go with the lists."""
    said: dict[str, Any] = {
        "dry_run": False,
        "counts": {"told": 3, "arrivals": 4, "running": 1, "enqueued": 0},
        "requests": {"livekit": 2, "airtable": 3},
        "missing": [],
        "stuck": [],
        "unwanted": [],
        "without_recording": [],
        "problems": [],
        "skipped": [],
    }
    said |= changes
    lists = {name: len(said[name]) for name in ("missing", "stuck", "unwanted", "without_recording")}
    return said | {"counts": lists | said["counts"]}


def throttled(reason: str | None) -> ClientError:
    response: Any = {"Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}}
    if reason:
        response["Reason"] = reason
    return ClientError(response, "Invoke")


Reply = Callable[[dict[str, Any]], Any]


@dataclass
class FakeFunction(FakeAws):
    """An AwsAccess whose `reconcile` answers `reply`: a document, bytes, an error to raise, (bytes, FunctionError)."""

    reply: Reply = lambda _: answer()
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    patience: float = 0.0

    def invoker(self, seconds: float) -> FakeClient:
        self.patience = seconds
        return FakeClient(invoke=self._invoke)

    def _invoke(self, **call: Any) -> dict[str, Any]:
        assert call["FunctionName"] == "callrec-unit-reconcile"
        assert call.get("InvocationType", "RequestResponse") == "RequestResponse"
        self.asked.append(json.loads(call["Payload"]))
        reply = self.reply(self.asked[-1])
        if isinstance(reply, BaseException):
            raise reply
        content, error = reply if isinstance(reply, tuple) else (reply, None)
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        return {"Payload": io.BytesIO(sent), **({"FunctionError": error} if error else {})}


def stack(reply: Reply = lambda _: answer(), **changes: Any) -> tuple[Deployment, FakeFunction]:
    aws = FakeFunction(reply=reply)
    return deployment(aws, **changes), aws
