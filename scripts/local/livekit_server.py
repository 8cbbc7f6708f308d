"""The stand-in for LiveKit's server API: real HTTP on 127.0.0.1, for the local stack and tests only.

with LiveKitServer() as livekit:
    livekit.webhooks.urls.append("http://127.0.0.1:8080/webhook")
    livekit.join("camille", "caller", kind="sip")
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as client: …
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from .http_front import Call, HttpFront, Reply
from .livekit_standin.exchange import Request
from .livekit_standin.faults import Fault, Outcome
from .livekit_standin.ids import new_id
from .livekit_standin.journal import Entry
from .livekit_standin.standin import Standin
from .livekit_standin.webhooks import Sent

__all__ = ["Entry", "Fault", "LiveKitServer", "Outcome", "Sent"]


class LiveKitServer(Standin):
    """A stand-in that listens: `start()` and `stop()`, or a `with` block.

    `time_scale` shortens LiveKit's waits: 0.01 makes its 15 seconds of retries 0.15. `other_keys` are further API keys
    of the project (key → secret); `ca_bundle` is what webhooks and uploads over TLS are checked with.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        api_secret: str | None = None,
        other_keys: Mapping[str, str] | None = None,
        admin_token: str | None = None,
        port: int = 0,
        time_scale: float = 1.0,
        ca_bundle: str | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api_key = api_key or new_id("API")
        self.api_secret = api_secret or secrets.token_urlsafe(36)
        self.admin_token = admin_token or secrets.token_urlsafe(24)
        super().__init__(
            keys={self.api_key: self.api_secret, **(other_keys or {})},
            admin_token=self.admin_token,
            time_scale=time_scale,
            ca_bundle=ca_bundle,
            now_ns=now_ns,
            clock=clock,
        )
        self._front = HttpFront("LiveKit", port, self._reply)
        self._threads = [
            threading.Thread(target=self._front.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True),
            threading.Thread(target=self.keep_house, daemon=True),
        ]

    @property
    def url(self) -> str:
        """What LiveKitAPI takes as `url`."""
        return f"http://127.0.0.1:{self._front.port}"

    def start(self) -> Self:
        """Answer from now on."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, end delays, egresses and connections; what waits to be sent is lost; harmless again."""
        if self.pace.stopping.is_set():
            return
        self.pace.stopping.set()
        with self.changed:
            self.changed.notify_all()
        self._front.close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _reply(self, call: Call) -> Reply | None:
        answer = self.handle(Request(method=call.method, target=call.target, headers=call.headers, body=call.body))
        if answer is None:
            return None
        return Reply(status=answer.status, content_type=answer.content_type, body=answer.body)
