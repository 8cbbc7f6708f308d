"""Calls that are being recorded while the key they upload with is about to go."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from livekit import api

from infra.functions.egress_list import buckets
from scripts.errors import StackError, UnfinishedError
from scripts.livekit_access import STOP_EGRESS, LiveKit, LiveKitError

# Stopping an egress makes it finish its file and upload it, which for a long call takes a while.
UPLOAD_SECONDS = 120.0
POLL_SECONDS = 2.0
# While some are stopped and their files are fetched others may begin: so often it is looked again.
MOST_LOOKS = 6


def recording_into(livekit: LiveKit, bucket: str) -> list[str]:
    """Ids of the egresses that run now and upload to this bucket.

    Raises StackError when LiveKit cannot be asked.
    """
    try:
        active = livekit.egresses(active=True)
    except LiveKitError as error:
        raise _unreachable(error) from None
    return [info.egress_id for info in active if bucket in buckets(info)]


def stop(livekit: LiveKit, bucket: str, egresses: list[str], wait: Callable[[float], None] = time.sleep) -> None:
    """Stop them, and wait until what they recorded is uploaded.

    Raises StackError when LiveKit cannot be asked, or they do not end.
    """
    try:
        for egress in egresses:
            livekit.ask(STOP_EGRESS, partial(_stop, egress))
    except LiveKitError as error:
        raise _unreachable(error) from None
    until = time.monotonic() + UPLOAD_SECONDS
    while left := set(recording_into(livekit, bucket)) & set(egresses):
        if time.monotonic() > until:
            raise StackError(
                f"{len(left)} recordings do not end: {', '.join(sorted(left))}. Nothing was removed. "
                "Try again later, or give up what they record: callrec teardown --ignore-livekit"
            )
        wait(POLL_SECONDS)


def never_quiet(active: list[str]) -> UnfinishedError:
    """Recordings begin faster than they are stopped."""
    return UnfinishedError(
        f"recordings begin again and again, now {', '.join(sorted(active))}. Nothing was removed. Something starts "
        "them: an agent that has the upload key, or recordRooms (pulumi config set recordRooms false && pulumi up). "
        "Stop that and run teardown again, or give up what they record: callrec teardown --ignore-livekit"
    )


async def _stop(egress: str, client: api.LiveKitAPI) -> None:
    try:
        await client.egress.stop_egress(api.StopEgressRequest(egress_id=egress))
    except api.ServerError as error:
        if error.code not in ("not_found", "failed_precondition"):  # it has ended meanwhile
            raise


def _unreachable(error: LiveKitError) -> StackError:
    return StackError(
        f"LiveKit cannot be asked what it records now ({error.code}), and a call recorded now would be lost. "
        "Nothing was removed. Try again later, or go on without it: callrec teardown --ignore-livekit"
    )
