"""What was asked of a stand-in, in order."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

E = TypeVar("E")


class JournalOf(Generic[E]):
    """All requests since the start or the last `clear`, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[E] = []

    def add(self, entry: E) -> None:
        """Write down one request."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._entries.clear()

    @property
    def entries(self) -> tuple[E, ...]:
        """The requests so far."""
        with self._lock:
            return tuple(self._entries)
