"""Sends webhooks as fast as the functions take them, and tells what was answered."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.faults.clock import Clock, wait_real
from tests.unit.functions_support import sign

SIGN = "sign"
_TOKEN_SECONDS = 300
#: A process that was just forked listens soon.
_REFUSALS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One request to send. `authorization`: as given, but "sign" becomes a good one at the moment of sending."""

    body: bytes
    authorization: str | None = SIGN


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of it; sent `at`, answered when `done`: unix seconds of the test's clock."""

    body: bytes
    status: int
    at: float
    done: float


class Sender:
    """One connection to one receiver, kept alive."""

    def __init__(self, url: str, clock: Clock, timeout: float = 30.0) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout)
        self._clock = clock

    def post(self, body: bytes, authorization: str | None) -> int:
        """The status answered; ConnectionError or TimeoutError when nobody answers."""
        headers = {"Content-Type": "application/webhook+json", "User-Agent": "LiveKit"}
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            self._connection.request("POST", "/", body, headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return answer.status

    def patiently(self, webhook: Webhook) -> Sent:
        """Post to a receiver that may still be starting."""
        for _ in range(_REFUSALS):
            at, authorization = self._clock(), webhook.authorization
            if authorization == SIGN:
                # LiveKit's five minutes by the wall's clock: by a fast one they pass before a busy machine comes to it.
                authorization = sign(webhook.body, now=at, exp=int(at + _TOKEN_SECONDS * self._clock.factor))
            try:
                status = self.post(webhook.body, authorization)
                return Sent(body=webhook.body, status=status, at=at, done=self._clock())
            except ConnectionRefusedError:
                wait_real(0.02)
        raise ConnectionRefusedError("the receiver does not start")


def send_all(urls: Sequence[str], webhooks: Sequence[Webhook], clock: Clock, threads: int = 4) -> list[Sent]:
    """Send everything over several connections, spread over the receivers; in the order given, as near as may be."""

    def lane(number: int) -> list[Sent]:
        sender = Sender(urls[number % len(urls)], clock)
        return [sender.patiently(webhook) for webhook in webhooks[number::threads]]

    with ThreadPoolExecutor(threads) as pool:
        return [sent for lane_sent in pool.map(lane, range(threads)) for sent in lane_sent]


def statuses(sent: Sequence[Sent]) -> Counter[int]:
    """How many answers of each status."""
    return Counter(one.status for one in sent)
