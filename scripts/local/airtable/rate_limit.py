"""Airtable's rate limits: 5 requests a second per base, 50 per token owner, then 30 seconds of nothing but 429.

Source: https://airtable.com/developers/web/api/rate-limits. Undocumented and so decided here: the second slides, and
requests during the lock-out neither count nor extend it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from . import errors

PER_BASE = 5
PER_OWNER = 50
LOCKOUT_SECONDS = 30.0


class RateLimit:
    """Off until `enabled`. The clock counts seconds; a test may give its own, or scale the lock-out down."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.enabled = False
        self.per_base = PER_BASE
        self.per_owner = PER_OWNER
        self.lockout_seconds = LOCKOUT_SECONDS
        self.clock = clock
        self._recent: dict[str, deque[float]] = {}
        self._locked_until: dict[str, float] = {}

    def reset(self) -> None:
        """Forget all requests so far and end every lock-out."""
        self._recent.clear()
        self._locked_until.clear()

    def admit(self, *, owner: str, base_id: str | None) -> None:
        """Count a request; 429 when the base or the owner is over its limit or locked out."""
        if not self.enabled:
            return
        self._count(owner, self.per_owner)
        if base_id is not None:
            self._count(base_id, self.per_base)

    def _count(self, key: str, limit: int) -> None:
        now = self.clock()
        if now < self._locked_until.get(key, float("-inf")):
            raise errors.rate_limited()
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= limit:
            self._locked_until[key] = now + self.lockout_seconds
            recent.clear()
            raise errors.rate_limited()
        recent.append(now)
