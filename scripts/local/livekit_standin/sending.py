"""One webhook on its way: a POST, tried again as LiveKit does.

Source: hashicorp/go-retryablehttp client.go, whose defaults LiveKit uses (measured: tries at 0, 1, 3, 7 and 15 s): a
closed connection, 429 and 5xx but 501 are tried again; every other status is final, and counts as delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import requests

from .pace import Pace

TRIES = 5
_FINAL = (
    requests.exceptions.TooManyRedirects,
    requests.exceptions.SSLError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """What is posted, the same at every try."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def send(post: Post, pace: Pace, *, verify: str | bool, timeout_seconds: float) -> tuple[int | None, ...]:
    """Post until an answer is final; the status of every try, None where none came."""
    seen: list[int | None] = []
    for attempt in range(TRIES):
        status, wait = _tried(post, 2.0**attempt, verify=verify, timeout=timeout_seconds)
        seen.append(status)
        if wait is None or attempt == TRIES - 1 or not pace.wait(wait):
            break
    return tuple(seen)


def _tried(post: Post, backoff: float, *, verify: str | bool, timeout: float) -> tuple[int | None, float | None]:
    """One try's status, and the seconds until the next; None when there is none."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy between loopback addresses
        try:
            answer = session.post(
                post.url, data=post.body, headers=dict(post.headers), verify=verify, timeout=timeout, stream=True
            )
        except _FINAL:
            return None, None
        except requests.RequestException:
            return None, backoff
        return answer.status_code, _again(answer, backoff)


def _again(answer: requests.Response, backoff: float) -> float | None:
    status = answer.status_code
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        asked = retry_after(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        return backoff if asked is None else asked
    refused = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    return backoff if refused else None


def retry_after(value: str, now: datetime) -> float | None:
    """The seconds of a Retry-After header, given as a number or as a date; None for anything else."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None
