"""Points in time as the Web API writes and reads them: ISO 8601, milliseconds, Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?")


def to_text(instant: datetime) -> str:
    """`2026-11-24T00:00:35.000Z`; below a millisecond is cut off."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime | None:
    """The instant an ISO 8601 text names (no zone: UTC; no time: midnight), None for any other text."""
    if _ISO.fullmatch(text) is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
