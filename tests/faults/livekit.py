"""LiveKit's way of sending webhooks, as measured: in order within a key, from memory, a few tries, then never again.

One try at 0, 1, 3, 7 and 15 s after the first for a 5xx, a 429 or a broken connection, byte-identical; anything else is
done with. What waited more than 30 s in memory is dropped without one try, and so is what comes when 200 wait already.
"""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.clock import Clock
from tests.faults.sender import Sender
from tests.unit.functions_support import sign

TRIES_AT_SECONDS = (0, 1, 3, 7, 15)
OLDEST_SECONDS, MOST_WAITING = 30, 200
ANSWER_SECONDS = 10.0
#: A busy machine gets this much (real) time to answer, however fast the clock runs.
_LEAST_TIMEOUT_SECONDS = 2.0


@dataclass(slots=True, kw_only=True)
class Notice:
    """One event on its way. `first`, `status`: the first and last answer, None while there was none.

    `slowest`: the longest wait for an answer, in seconds of the clock.
    """

    body: bytes
    made_at: float
    outcome: str = "waiting"
    tries: int = 0
    first: int | None = None
    status: int | None = None
    slowest: float = 0.0


@dataclass(slots=True, kw_only=True)
class _Lane:
    """The events of one room or egress; served by one thread while there are any."""

    waiting: deque[Notice] = field(default_factory=deque[Notice])
    served: bool = False


class LiveKit:
    """Sends to one receiver. `notices` holds every event ever given, with what became of it."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url, self._clock = url, clock
        self._lanes: dict[str, _Lane] = {}
        self._lock = threading.Lock()
        self.notices: list[Notice] = []

    def notify(self, key: str, body: bytes) -> Notice:
        """An event of this room or egress happened now; returns at once."""
        notice = Notice(body=body, made_at=self._clock())
        with self._lock:
            self.notices.append(notice)
            lane = self._lanes.setdefault(key, _Lane())
            if len(lane.waiting) >= MOST_WAITING:
                notice.outcome = "dropped"
                return notice
            lane.waiting.append(notice)
            if not lane.served:
                lane.served = True
                threading.Thread(target=self._serve, args=[lane], daemon=True).start()
        return notice

    def idle(self) -> bool:
        """Whether nothing waits to be sent."""
        with self._lock:
            return not any(lane.served for lane in self._lanes.values())

    def outcomes(self, *which: str) -> Sequence[Notice]:
        """The events that ended so: accepted, refused (never sent again), given up, dropped."""
        with self._lock:
            return [notice for notice in self.notices if notice.outcome in which]

    def _serve(self, lane: _Lane) -> None:
        sender = Sender(self._url, self._clock, max(ANSWER_SECONDS / self._clock.factor, _LEAST_TIMEOUT_SECONDS))
        while True:
            with self._lock:
                if not lane.waiting:
                    lane.served = False
                    return
                notice = lane.waiting.popleft()
            notice.outcome = self._send(sender, notice)

    def _send(self, sender: Sender, notice: Notice) -> str:
        if self._clock() - notice.made_at > OLDEST_SECONDS:
            return "dropped"
        first = self._clock()
        authorization = sign(notice.body, now=first)
        for at in TRIES_AT_SECONDS:
            self._clock.sleep(first + at - self._clock())
            notice.tries += 1
            began = self._clock()
            try:
                notice.status = sender.post(notice.body, authorization)
            except (OSError, http.client.HTTPException):
                notice.status = None
            notice.first = notice.first or notice.status
            notice.slowest = max(notice.slowest, self._clock() - began)
            if notice.status is not None and notice.status < 300:
                return "accepted"
            if notice.status is not None and notice.status != 429 and notice.status not in (500, 502, 503, 504):
                return "refused"
        return "given up"
