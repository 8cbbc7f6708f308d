"""What is recorded and played, and how long it is kept: everything that the costs depend on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.errors import UsageError

DAYS_IN_MONTH = 365 / 12
PER = {"day": 1.0, "week": 7.0, "month": DAYS_IN_MONTH}
#: An MP4 is so much larger than its sound: 32 kb/s make 7.5 MB in 30 minutes.
CONTAINER = 1.04
#: S3 uploads what is larger in parts of this size: https://github.com/livekit/egress uses AWS's uploader as it comes.
PART_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """Calls a day, minutes of one, kilobits a second of its recording, plays of a recording."""

    calls: float
    minutes: float
    bitrate: float
    plays: float

    @property
    def size(self) -> int:
        """Bytes of a recording."""
        return math.ceil(self.minutes * 60 * self.bitrate * 1000 / 8 * CONTAINER)

    @property
    def puts(self) -> int:
        """Requests that its upload takes: beginning and end besides the parts."""
        return 1 if self.size <= PART_BYTES else math.ceil(self.size / PART_BYTES) + 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """The stack's settings that cost: how a recording ages (days), and what else is switched on."""

    archive_class: str = "GLACIER_IR"
    archive_after: int = 30
    retention: int | None = None
    noncurrent: int = 30
    link_days: int = 30
    log_days: int = 90
    reconcile_minutes: int = 15
    settle_seconds: int = 900
    kms: bool = True
    starts: bool = False
    architecture: str = "arm64"

    @property
    def end(self) -> float:
        """Days from the upload until its last byte is deleted."""
        return math.inf if self.retention is None else self.retention + self.noncurrent

    @classmethod
    def of(cls, config: Mapping[str, str]) -> Keeping:
        """From a stack's configuration, keys without their namespace; what is unset is at its default."""
        default = cls()
        numbers: dict[str, Any] = {
            field: int(config[key])
            for field, key in {
                "archive_after": "archiveAfterDays",
                "retention": "retentionDays",
                "noncurrent": "noncurrentDays",
                "link_days": "linkDays",
                "log_days": "logRetentionDays",
                "reconcile_minutes": "reconcileMinutes",
                "settle_seconds": "settleSeconds",
            }.items()
            if config.get(key)
        }
        return cls(
            archive_class=config.get("archiveClass") or default.archive_class,
            kms=config.get("encryption") != "s3",
            starts=config.get("recordRooms") == "true",
            architecture=config.get("functionArchitecture") or default.architecture,
            **numbers,
        )


def calls_a_day(text: str) -> float:
    """Calls a day, from `100/day`, `500/week`, `2000/month` or `100`. Raises UsageError for anything else."""
    found = re.fullmatch(r"(\d{1,7}(?:\.\d+)?)(?:/(day|week|month))?", text, re.ASCII)
    if found is None or not float(found[1]):
        raise UsageError(
            f"--calls: a number of calls, a day unless you say /week or /month; got {text!r}. "
            "For example: callrec cost --calls 100/day"
        )
    return float(found[1]) / PER[found[2] or "day"]
