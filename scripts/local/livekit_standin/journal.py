"""What was asked of the stand-in: enough to assert on; no token, no room's name, no credentials of a request."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


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


class Journal:
    """All requests since the start or the last `clear`, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Write down one request."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._entries.clear()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The requests so far."""
        with self._lock:
            return tuple(self._entries)

    def counts(self) -> Counter[str]:
        """How many requests there were of each method (those that failed count too); 0 for methods never seen."""
        return Counter(entry.method for entry in self.entries)

    def count(self, method: str | None = None) -> int:
        """How many requests there were of a method, or of all."""
        return self.counts().total() if method is None else self.counts()[method]
