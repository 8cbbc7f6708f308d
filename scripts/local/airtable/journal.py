"""What was asked of the stand-in: enough to assert on, nothing of any record's contents.

A query string is left out on purpose: a filter formula holds room names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from scripts.local.journal import JournalOf

from .exchange import Kind
from .json_value import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One request: seconds on the server's clock, the status sent (None: none was), and the fault that befell it."""

    at: float
    method: str
    path: str
    kind: Kind
    status: int | None
    fault: str | None = None

    def shown(self) -> dict[str, Json]:
        """The entry as JSON."""
        return asdict(self)


class Journal(JournalOf[Entry]):
    """All requests since the start or the last `clear`, oldest first."""

    def counts(self) -> Counter[str]:
        """How many requests there were of each kind (those that failed count too); 0 for kinds never seen."""
        return Counter(entry.kind.value for entry in self.entries)

    def count(self, kind: str | None = None) -> int:
        """How many requests there were of a kind, or of all kinds."""
        return self.counts().total() if kind is None else self.counts()[Kind(kind).value]
