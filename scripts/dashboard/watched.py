"""What the alarms and figures of a deployed stack are about, from what it tells about itself."""

from __future__ import annotations

from infra.watched import Watched
from scripts.deployment import Deployment


def watched(deployment: Deployment) -> Watched:
    """The names that infra/ made."""
    outputs = deployment.outputs
    return Watched(
        stack=deployment.stack,
        functions=dict(outputs.functions),
        queue=name_of(outputs.queue_url),
        dead_letters=name_of(outputs.dead_letter_queue_url),
        reconcile_minutes=outputs.reconcile_minutes,
        settle_seconds=outputs.settle_seconds,
    )


def name_of(queue_url: str) -> str:
    """A queue's name is the end of its address."""
    return queue_url.rpartition("/")[2]
