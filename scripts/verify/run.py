"""The way a call takes, as one list of hops, and a run along it."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from scripts.deployment import Deployment
from scripts.errors import StackError
from scripts.interruption import interruptible, uninterruptible
from scripts.verify import (
    airtable,
    alarms,
    bucket,
    dead_letters,
    functions,
    keys,
    livekit_key,
    playback,
    reconcile,
    uploader,
    webhook,
)
from scripts.verify.airtable import Conversations
from scripts.verify.cleanup import Cleanup
from scripts.verify.hop import Hop, OnResult, OnStart, Result, attempt, run_all
from scripts.verify.journey import Journey
from scripts.verify.probe import Probe

CLEANUP = "cleanup.after"


def run(deployment: Deployment, *, on_result: OnResult, on_start: OnStart = lambda _: None) -> list[Result]:
    """Try every hop of a stack, and remove what that made, also when it is interrupted.

    The last result is that of the removal; it is reported by `on_result` even when Interrupted ends the run.
    Raises StackError when AWS cannot be reached at all, Interrupted on SIGINT and SIGTERM.
    """
    reach(deployment)
    probe = Probe.new(deployment.outputs.prefix)
    table = Conversations.of(deployment)
    journey = Journey.of(deployment, probe, table)
    cleanup = Cleanup.of(deployment, table)
    hops = plan(deployment, probe, table, journey, cleanup)
    return along(hops, lambda: cleanup.everything(waiting=not journey.link), on_start=on_start, on_result=on_result)


def along(hops: list[Hop], put_away: Callable[[], str], *, on_start: OnStart, on_result: OnResult) -> list[Result]:
    """Try the hops, then `put_away`, also when SIGINT or SIGTERM end the run; its result is the last one.

    Raises Interrupted.
    """
    with interruptible():
        try:
            results = run_all(hops, on_start=on_start, on_result=on_result)
        finally:
            with uninterruptible():
                hop = Hop(id=CLEANUP, title="probes are removed", probe=put_away)
                on_start(hop)
                last = attempt(hop)
                on_result(last)
    return [*results, last]


def plan(deployment: Deployment, probe: Probe, table: Conversations, journey: Journey, cleanup: Cleanup) -> list[Hop]:
    """Every hop, in the order a call takes; those that others need come first."""
    return [
        leftovers(cleanup),
        *bucket.hops(deployment),
        *uploader.hops(deployment, probe),
        *functions.hops(deployment),
        *reconcile.hops(deployment),
        *webhook.hops(deployment, probe),
        *livekit_key.hops(deployment),
        *keys.hops(deployment),
        *airtable.hops(table),
        *journey.hops(),
        *playback.hops(deployment, journey),
        *dead_letters.hops(deployment),
        *alarms.hops(deployment),
    ]


def leftovers(cleanup: Cleanup) -> Hop:
    """What a run that was killed left behind goes first."""
    return Hop(
        id="cleanup.before",
        title="leftovers of earlier runs are gone",
        probe=lambda: cleanup.everything(waiting=False),
    )


def reach(deployment: Deployment) -> None:
    """Ask for the bucket: whatever S3 says, it was reached. Raises StackError when AWS cannot be reached."""
    try:
        deployment.aws.client("s3").head_bucket(Bucket=deployment.outputs.bucket)
    except ClientError:
        return
    except BotoCoreError as error:
        raise StackError(
            f"AWS cannot be reached with your credentials ({type(error).__name__}). Try: aws sts get-caller-identity"
        ) from None
