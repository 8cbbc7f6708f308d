"""What went wrong with a live call, and why most likely (pure). What LiveKit does when: see its own behaviour below.

Measured on livekit-server 1.13 and egress 1.14: a room that is to be recorded is created with 200 although no egress
runs; S3's refusals end an egress as FAILED with code 400, a killed recorder with 500; when nobody publishes it is
ABORTED with 412; a webhook whose signing key LiveKit does not know is silently not sent.
"""

from __future__ import annotations

from livekit import api

from scripts.verify.hop import Failed
from scripts.verify.live.sound import Sound

UPLOAD, NOBODY, LIMIT = 400, 412, 413
_LOGS = "look at the egress service's log"
#: Fewer seconds of what was spoken may be missing than these: joining and hanging up cost a moment.
LOST_SECONDS = 2.0


def not_started(info: api.EgressInfo | None, *, by_policy: bool) -> Failed:
    """No egress became active."""
    if info is not None:
        cause = "egress was asked and does not get going: it is overloaded, or cannot reach LiveKit"
        return Failed(f"{info.egress_id} is still starting", cause=cause, mend=_LOGS)
    if by_policy:
        cause = "LiveKit's project webhook does not reach receive (deliver starts recordings by it), or no egress runs"
        return Failed("no egress for this room", cause=cause, mend="callrec configure webhook")
    cause = "no egress is running: LiveKit answers 200 all the same"
    return Failed("no egress for this room", cause=cause, mend="start livekit-egress, with the same Redis as LiveKit")


def ended(info: api.EgressInfo) -> Failed:
    """The egress ended otherwise than well."""
    status = api.EgressStatus.Name(info.status).removeprefix("EGRESS_")
    seen = f"{info.egress_id}: {status}, code {info.error_code}"
    if info.error_code == UPLOAD:
        cause = (
            "S3 refused the upload: the bucket, the region, or the write-only key is not what S3 knows; with an S3 of "
            "your own, egress may not trust its certificate"
        )
        return Failed(seen, cause=cause, mend="callrec verify (rows of bucket and write-only key)")
    if info.error_code == NOBODY:
        cause = "nobody published a track: the caller's sound did not reach LiveKit (UDP blocked?)"
        return Failed(seen, cause=cause, mend="https://livekit.io/connection-test")
    if info.error_code == LIMIT:
        return Failed(
            seen, cause="egress has a limit shorter than this call", mend="raise its file_output_max_duration"
        )
    return Failed(seen, cause="the recorder was killed, or failed", mend=_LOGS)


def never_ends() -> Failed:
    """LiveKit keeps saying ACTIVE."""
    cause = "the egress host died: LiveKit then says ACTIVE for ever, and egress_ended never comes"
    return Failed("the recording does not end", cause=cause, mend=_LOGS)


def not_announced(refusals: tuple[str, ...]) -> Failed:
    """No egress_ended was taken; `refusals`: reasons for which `receive` refused webhooks meanwhile."""
    if refusals:
        cause = "LiveKit signs with another secret than the stack has, or its clock is off"
        seen = f"receive refused webhooks meanwhile: {', '.join(refusals)}"
        return Failed(seen, cause=cause, mend="pulumi config set --secret livekitApiSecret, then: pulumi up")
    cause = "LiveKit does not know an API key of this name and so sends nothing, or cannot reach the address"
    return Failed("no webhook came", cause=cause, mend="callrec configure webhook")


def judged(sound: Sound, *, claimed: float, spoken: float, tolerance: float) -> str:
    """What was heard; lengths in seconds. Raises Failed."""
    seen = f"{sound.codec}, {sound.seconds:.1f} s, {sound.heard} s with sound"
    if sound.codec != "aac" or "mp4" not in sound.container:
        raise Failed(seen, cause="egress was asked for something else than AAC in MP4", mend="callrec configure")
    if abs(sound.seconds - claimed) > tolerance:
        cause = f"egress says {claimed:.1f} s: the file is cut, or another one"
        raise Failed(seen, cause=cause, mend=_LOGS)
    if sound.heard < spoken - LOST_SECONDS:
        cause = f"of {spoken:.0f} s of speech that much is missing: the caller's sound did not get through"
        raise Failed(seen, cause=cause, mend="https://livekit.io/connection-test")
    return seen
