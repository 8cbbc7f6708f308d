"""Webhooks on their way out: in order within a queue, signed, tried again, and dropped when they are too late.

Source: livekit/protocol webhook/: one queue per address and egress id or room name; what has waited 30 s, or comes to a
queue of 200, is dropped without a try; nothing is kept when the server ends.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from livekit import api
from livekit.protocol.webhook import WebhookEvent

from scripts.verify.signing import token

from . import protojson
from .events import queue_key
from .pace import Pace
from .sending import Post, send

MAX_AGE_SECONDS = 30.0
MAX_DEPTH = 200
HEADERS = {"User-Agent": "LiveKit", "Content-Type": "application/webhook+json", "Accept-Encoding": "gzip"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What became of one event at one address: the status of every try (None: no answer); no tries, it was dropped."""

    url: str
    event: str
    id: str
    tries: tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Item:
    url: str
    key: str
    event: WebhookEvent = field(repr=False)
    queued_ns: int


class Webhooks:
    """The project's webhook addresses, signed for with the first API key, and the queues behind them."""

    def __init__(
        self, *, keys: Mapping[str, str], pace: Pace, now_ns: Callable[[], int], ca_bundle: str | None = None
    ) -> None:
        self.urls: list[str] = []
        self.max_age_seconds = MAX_AGE_SECONDS  # not scaled: a slow receiver must not lose events to a quick test
        self.max_depth = MAX_DEPTH
        self.timeout_seconds = 10.0
        self._keys = keys
        self._pace = pace
        self._now_ns = now_ns
        self._verify: str | bool = ca_bundle or True
        self._changed = threading.Condition()
        self._queues: dict[tuple[str, str], deque[_Item]] = {}
        self._sent: list[Sent] = []

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What was sent, or dropped, so far."""
        with self._changed:
            return tuple(self._sent)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        with self._changed:
            return not self._queues

    def notify(self, event: WebhookEvent, extra: Sequence[api.WebhookConfig] = ()) -> None:
        """Queue an event for the project's addresses, and for those of the request that it comes of.

        An address whose `signing_key` is no key of the project gets nothing, nor do those behind it; nobody is told.
        """
        default = next(iter(self._keys))
        for url in self.urls:
            self._queue(url, default, event)
        for webhook in extra:
            key = webhook.signing_key or default
            if key not in self._keys:
                return
            self._queue(webhook.url, key, event)

    def _queue(self, url: str, key: str, event: WebhookEvent) -> None:
        copy = WebhookEvent()
        copy.CopyFrom(event)
        item = _Item(url=url, key=key, event=copy, queued_ns=self._now_ns())
        with self._changed:
            lane = (url, queue_key(event))
            if lane not in self._queues:
                self._queues[lane] = deque([item])
                threading.Thread(target=self._work, args=(lane,), daemon=True).start()
            elif len(self._queues[lane]) > self.max_depth:
                self._note([item], ())
            else:
                self._queues[lane].append(item)

    def _work(self, lane: tuple[str, str]) -> None:
        """Send what is in a queue until it is empty; its first item is the one on its way."""
        while True:
            with self._changed:
                item = self._queues[lane][0]
            tries = self._process(item)
            with self._changed:
                self._note([item], tries)
                self._queues[lane].popleft()
                if not self._queues[lane] or self._pace.stopping.is_set():
                    del self._queues[lane]
                    return

    def _process(self, item: _Item) -> tuple[int | None, ...]:
        age = (self._now_ns() - item.queued_ns) / 1e9
        if age > self.max_age_seconds:
            return ()
        body = protojson.written(item.event)
        now = datetime.fromtimestamp(self._now_ns() / 1e9, UTC)
        headers = {**HEADERS, "Authorization": token(item.key, self._keys[item.key], body, now)}
        post = Post(url=item.url, headers=headers, body=body)
        return send(post, self._pace, verify=self._verify, timeout_seconds=self.timeout_seconds)

    def _note(self, items: Iterable[_Item], tries: tuple[int | None, ...]) -> None:
        self._sent.extend(Sent(url=item.url, event=item.event.event, id=item.event.id, tries=tries) for item in items)
