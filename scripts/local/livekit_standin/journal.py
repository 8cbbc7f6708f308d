"""What was asked of the stand-in: enough to assert on; no token, no room's name, no credentials of a request."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from scripts.local.journal import JournalOf


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One request: its service and method, the grants of its token, the status sent (None: none was).

    `at` in seconds on the server's clock; `key` is the API key's id, "" without a good token; `fault` befell it.
    """

    at: float
    service: str
    method: str
    key: str
    grants: tuple[str, ...]
    status: int | None
    code: str | None
    fault: str | None = None

    def shown(self) -> dict[str, Any]:
        """The entry as JSON."""
        return asdict(self)


class Journal(JournalOf[Entry]):
    """All requests since the start or the last `clear`, oldest first."""

    def counts(self) -> Counter[str]:
        """How many requests there were of each method (those that failed count too); 0 for methods never seen."""
        return Counter(entry.method for entry in self.entries)

    def count(self, method: str | None = None) -> int:
        """How many requests there were of a method, or of all."""
        return self.counts().total() if method is None else self.counts()[method]
