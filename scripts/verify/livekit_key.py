"""The LiveKit key: may it record?"""

from __future__ import annotations

from scripts.deployment import Deployment
from scripts.livekit_access import LiveKit, LiveKitError
from scripts.verify.hop import Failed, Hop, Skipped


def hops(deployment: Deployment) -> list[Hop]:
    """One hop."""
    livekit = LiveKit.of({**deployment.config, "livekitUrl": deployment.outputs.livekit_url})
    return [
        Hop(id="livekit.room_record", title="LiveKit key may record (roomRecord)", probe=lambda: check(livekit)),
    ]


def check(livekit: LiveKit | None) -> str:
    """List the active egresses, which takes `roomRecord`."""
    if livekit is None:
        raise Skipped("no livekitUrl is configured")
    try:
        active = livekit.egresses(active=True)
    except LiveKitError as error:
        raise Failed(error.seen, cause=error.cause, mend=error.mend) from None
    return f"yes; {len(active)} recording now"
