"""The LiveKit key: may it record?"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import aiohttp
from livekit import api

from scripts.deployment import Deployment
from scripts.verify.hop import Failed, Hop, Skipped

TIMEOUT = aiohttp.ClientTimeout(total=15)


def hops(deployment: Deployment) -> list[Hop]:
    """One hop."""
    return [
        Hop(
            id="livekit.room_record",
            title="LiveKit key may record (roomRecord)",
            probe=lambda: check(
                deployment.outputs.livekit_url,
                deployment.config.get("livekitApiKey", ""),
                deployment.config.get("livekitApiSecret", ""),
            ),
        )
    ]


def check(url: str, key: str, secret: str) -> str:
    """List the active egresses, which takes `roomRecord`."""
    if not url:
        raise Skipped("no livekitUrl is configured")
    try:
        active = asyncio.run(active_egresses(url, key, secret))
    except api.ServerError as error:
        if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            cause = "LiveKit does not know the key, or its secret is another, or the key lacks roomRecord"
            raise Failed(
                f"ListEgress: {error.status}", cause=cause, mend="pulumi config set --secret livekitApiSecret …"
            ) from None
        cause = "LiveKit runs without its egress service, or is out of order"
        raise Failed(f"ListEgress: {error.status} {error.code}", cause=cause, mend="callrec verify") from None
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Failed(
            f"LiveKit did not answer ({type(error).__name__})",
            cause="livekitUrl is wrong, or LiveKit is not reachable from here",
            mend="pulumi config set livekitUrl wss://…",
        ) from None
    return f"yes; {len(active)} recording now"


async def active_egresses(url: str, key: str, secret: str) -> list[api.EgressInfo]:
    """The egresses that run now, as LiveKit tells.

    Raises api.ServerError, aiohttp.ClientError, TimeoutError.
    """
    async with api.LiveKitAPI(url, key, secret, timeout=TIMEOUT, failover=False) as livekit:
        answer = await livekit.egress.list_egress(api.ListEgressRequest(active=True))
        return list(answer.items)
