"""One JSON line per happening, metrics included (CloudWatch embedded metric format)."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from .errors import SettingsError

Value: TypeAlias = "str | int | float | bool | None"
#: Everything that is counted, one word each; alarms and figures are about these. Each word, and each reason of one, is
#: a metric that CloudWatch bills for the hours in which it has a value.
Metric: TypeAlias = Literal[
    "dead",
    "delivery_late",
    "delivered",
    "egress_stuck",
    "nobody_spoke",
    "not_played",
    "played",
    "reconcile_problem",
    "reconcile_run",
    "recording_failed",
    "recording_started",
    "repaired",
    "signature_failed",
    "start_missed",
    "unwanted",
    "waiting",
    "without_recording",
]

NAMESPACE = "callrec"
#: What a reason may look like: no digits, so that a number that got here by mistake never becomes a dimension.
_REASON = re.compile(r"[a-z_]{1,40}")
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def log(level: str, event: str, **fields: Value) -> None:
    """Write one line. Give codes, counts and LiveKit's own ids; never a body, token, secret, key or name."""
    _write({"level": level, "event": event, **fields})


def metric(function: str, name: Metric, count: int = 1, *, reason: str | None = None) -> None:
    """Count `name` for one function, and for the function and reason when there is one.

    Dimensions: `function`; `function`, `reason`. A reason is a code of ours, never a name, an id or a text.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    dimensions = [["function"]] if reason is None else [["function"], ["function", "reason"]]
    directive = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": name, "Unit": "Count"}]}
    line: dict[str, Any] = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "function": function,
        name: count,
    }
    _write(line if reason is None else line | {"reason": reason if _REASON.fullmatch(reason) else "other"})


def fault(error: BaseException) -> str:
    """What may be logged of an unexpected error: its type, and the service's error code when it has one."""
    kind = type(error).__name__
    if isinstance(error, SettingsError):
        return f"{kind}:{error.name}"
    response: object = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's ClientError
        code = str(response.get("Error", {}).get("Code", ""))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if _CODE.fullmatch(code):
            return f"{kind}:{code}"
    return kind


def _write(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
