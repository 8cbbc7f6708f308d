"""Calls that are being recorded while the key they upload with is about to go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
from google.protobuf.json_format import MessageToDict
from livekit import api

from scripts.errors import StackError
from scripts.verify.livekit_key import TIMEOUT, active_egresses

# Stopping an egress makes it finish its file and upload it, which for a long call takes a while.
UPLOAD_SECONDS = 120.0
POLL_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveKit:
    """LiveKit as the stack's configuration names it."""

    url: str
    key: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, config: Mapping[str, str]) -> LiveKit | None:
        """None when the stack knows no LiveKit."""
        if not config.get("livekitUrl"):
            return None
        return cls(
            url=config["livekitUrl"], key=config.get("livekitApiKey", ""), secret=config.get("livekitApiSecret", "")
        )


def recording_into(livekit: LiveKit, bucket: str) -> list[str]:
    """Ids of the egresses that run now and upload to this bucket.

    Raises StackError when LiveKit cannot be asked.
    """
    try:
        active = asyncio.run(active_egresses(livekit.url, livekit.key, livekit.secret))
    except (api.ServerError, aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise _unreachable(error) from None
    return [info.egress_id for info in active if bucket in _buckets(MessageToDict(info))]


def stop(livekit: LiveKit, bucket: str, egresses: list[str], wait: Callable[[float], None] = time.sleep) -> None:
    """Stop them, and wait until what they recorded is uploaded.

    Raises StackError when LiveKit cannot be asked, or they do not end.
    """
    try:
        asyncio.run(_stop(livekit, egresses))
    except (api.ServerError, aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise _unreachable(error) from None
    until = time.monotonic() + UPLOAD_SECONDS
    while left := set(recording_into(livekit, bucket)) & set(egresses):
        if time.monotonic() > until:
            raise StackError(
                f"{len(left)} recordings do not end: {', '.join(sorted(left))}. Nothing was removed. "
                "Try again later, or give up what they record: callrec teardown --ignore-livekit"
            )
        wait(POLL_SECONDS)


async def _stop(livekit: LiveKit, egresses: list[str]) -> None:
    async with api.LiveKitAPI(livekit.url, livekit.key, livekit.secret, timeout=TIMEOUT, failover=False) as client:
        for egress in egresses:
            try:
                await client.egress.stop_egress(api.StopEgressRequest(egress_id=egress))
            except api.ServerError as error:
                if error.code not in ("not_found", "failed_precondition"):  # it has ended meanwhile
                    raise


def _unreachable(error: Exception) -> StackError:
    detail = error.code if isinstance(error, api.ServerError) else type(error).__name__
    return StackError(
        f"LiveKit cannot be asked what it records now ({detail}), and a call recorded now would be lost. Nothing was "
        "removed. Try again later, or go on without it: callrec teardown --ignore-livekit"
    )


def _buckets(value: Any) -> set[str]:
    """Every S3 bucket that an egress names as its target, wherever in its request."""
    if isinstance(value, list):
        return set[str]().union(*map(_buckets, cast("list[Any]", value)))
    if not isinstance(value, dict):
        return set()
    fields = cast("dict[str, Any]", value)
    target = fields.get("s3")
    named = cast("dict[str, Any]", target).get("bucket") if isinstance(target, dict) else None
    own = {str(named)} if named else set[str]()
    return own.union(*map(_buckets, fields.values()))
