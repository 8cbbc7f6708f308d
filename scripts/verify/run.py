"""The way a call takes, as one list of hops, and a run along it."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from scripts.deployment import Deployment
from scripts.errors import StackError
from scripts.interruption import interruptible, uninterruptible
from scripts.verify import airtable, bucket, dead_letters, functions, livekit_key, playback, uploader, webhook
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
    _reach(deployment)
    probe = Probe.new(deployment.outputs.prefix)
    table = Conversations.of(deployment)
    journey = Journey.of(deployment, probe, table)
    cleanup = Cleanup.of(deployment, table)
    with interruptible():
        try:
            results = run_all(plan(deployment, probe, table, journey, cleanup), on_start=on_start, on_result=on_result)
        finally:
            with uninterruptible():
                last = _put_away(cleanup, journey, on_start)
                on_result(last)
    return [*results, last]


def plan(deployment: Deployment, probe: Probe, table: Conversations, journey: Journey, cleanup: Cleanup) -> list[Hop]:
    """Every hop, in the order a call takes; those that others need come first."""
    return [
        Hop(
            id="cleanup.before",
            title="leftovers of earlier runs are gone",
            probe=lambda: cleanup.everything(waiting=False),
        ),
        *bucket.hops(deployment),
        *uploader.hops(deployment, probe),
        *functions.hops(deployment),
        *webhook.hops(deployment, probe),
        *livekit_key.hops(deployment),
        *airtable.hops(table),
        *journey.hops(),
        *playback.hops(deployment, journey),
        *dead_letters.hops(deployment),
    ]


def _put_away(cleanup: Cleanup, journey: Journey, on_start: OnStart) -> Result:
    hop = Hop(id=CLEANUP, title="probes are removed", probe=lambda: cleanup.everything(waiting=not journey.link))
    on_start(hop)
    return attempt(hop)


def _reach(deployment: Deployment) -> None:
    """Ask for the bucket: whatever S3 says, it was reached."""
    try:
        deployment.aws.client("s3").head_bucket(Bucket=deployment.outputs.bucket)
    except ClientError:
        return
    except BotoCoreError as error:
        raise StackError(
            f"AWS cannot be reached with your credentials ({type(error).__name__}). Try: aws sts get-caller-identity"
        ) from None
