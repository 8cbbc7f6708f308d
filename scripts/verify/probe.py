"""What one run makes in the world, all of it under names by which a later run finds what an earlier one left."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from infra.functions.probes import MARK
from scripts.aws_access import AwsAccess
from scripts.deployment import Deployment

CONTENT_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """Names of one run: room, ids as LiveKit's, object keys, and the probe recording's bytes."""

    room: str
    room_id: str
    egress_id: str
    key: str
    small_key: str
    large_key: str
    aborted_key: str
    outside_key: str
    content: bytes = field(repr=False)

    @classmethod
    def new(cls, prefix: str) -> Probe:
        """Draw names that no other run has; `prefix` is the recordings' folder, ending in a slash."""
        run = secrets.token_hex(8)
        folder = f"{inside(prefix)}{run}"
        return cls(
            room=f"{MARK}-{run}",
            room_id=f"RM_{MARK}-{run}",
            egress_id=f"EG_{MARK}-{run}",
            key=f"{folder}.mp4",
            small_key=f"{folder}.small",
            large_key=f"{folder}.large",
            aborted_key=f"{folder}.aborted",
            outside_key=f"{OUTSIDE}{run}",
            content=secrets.token_bytes(CONTENT_BYTES),
        )


OUTSIDE = f"{MARK}-outside/"


def inside(prefix: str) -> str:
    """The folder of the probes within the recordings' folder."""
    return f"{prefix}{MARK}/"


def mend(deployment: Deployment) -> str:
    """The command that makes the stack again what the program says."""
    return remedy(deployment.stack, deployment.aws)


def remedy(stack: str, aws: AwsAccess) -> str:
    """As `mend`; the refresh matters: without it Pulumi trusts its state and sees no change made behind its back."""
    return f"pulumi up --refresh --stack {stack}" if aws.endpoint_url is None else "callrec local up"
