"""What finds the recordings that no webhook brought: the bucket's arrivals, a clock, `reconcile`."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra import airtable, identity_policies, resource_policies
from infra.account import Account
from infra.config import StackConfig
from infra.credentials import Credentials
from infra.function import Function, FunctionSpec
from infra.pipeline import FOURTEEN_DAYS, Pipeline
from infra.storage import RecordingBucket

# A run that is not let start within a minute is left to the next, which does the same; with what a run may take that is
# 15 minutes, the shortest interval: two scheduled runs are never at work at once.
TIMEOUT = 840
LATEST_START = 60
# What a run has taken off the queue comes back only when that run cannot be at work any more.
VISIBILITY_TIMEOUT = TIMEOUT + 60


class Arrivals(pulumi.ComponentResource):
    """A queue that S3 tells of every new object under the prefix: a listing of the bucket that costs nothing to keep.

    The notification belongs here and not to the bucket: it goes with the queue, so that a bucket that is left behind
    announces nothing to a queue that is gone.
    """

    def __init__(
        self,
        name: str,
        config: StackConfig,
        *,
        storage: RecordingBucket,
        account: Account,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("callrec:Arrivals", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self.queue = aws.sqs.Queue(
            name,
            name=config.name("arrivals"),
            visibility_timeout_seconds=VISIBILITY_TIMEOUT,
            message_retention_seconds=FOURTEEN_DAYS,
            sqs_managed_sse_enabled=True,
            tags=config.tags,
            opts=own,
        )
        policy = aws.sqs.QueuePolicy(
            name,
            queue_url=self.queue.url,
            policy=pulumi.Output.all(self.queue.arn, storage.arn).apply(
                lambda arns: json.dumps(resource_policies.arrivals(arns[0], arns[1], account.id))
            ),
            opts=own,
        )
        aws.s3.BucketNotification(
            name,
            bucket=storage.name,
            queues=[
                aws.s3.BucketNotificationQueueArgs(
                    id="arrivals",
                    queue_arn=self.queue.arn,
                    events=["s3:ObjectCreated:*"],
                    filter_prefix=storage.prefix,
                )
            ],
            # S3 tries the queue before it takes the setting, and there must be a bucket to set it on.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *storage.settings]),
        )
        self.register_outputs({"url": self.queue.url})


class Reconcile(pulumi.ComponentResource):
    """`reconcile` by the clock and by hand: it finds what got lost, and gives it to `deliver` once more."""

    def __init__(
        self,
        name: str,
        config: StackConfig,
        *,
        archive: Path,
        storage: RecordingBucket,
        credentials: Credentials,
        pipeline: Pipeline,
        account: Account,
    ) -> None:
        super().__init__("callrec:Reconcile", name)
        own = pulumi.ResourceOptions(parent=self)
        arrivals = Arrivals("arrivals", config, storage=storage, account=account, opts=own)
        self.reconcile = Function(
            FunctionSpec(
                name="reconcile",
                timeout=TIMEOUT,
                memory=512,
                permissions=identity_policies.reconcile,
                grants={
                    "secret_arn": credentials.arn,
                    "queue_arn": pipeline.queue_arn,
                    "arrivals_queue_arn": arrivals.queue.arn,
                    "bucket_arn": storage.arn,
                    "prefix": storage.prefix,
                },
                environment={
                    "CALLREC_SECRET_ARN": credentials.arn,
                    "CALLREC_QUEUE_URL": pipeline.queue_url,
                    "CALLREC_ARRIVALS_URL": arrivals.queue.url,
                    "CALLREC_BUCKET": storage.name,
                    "CALLREC_PREFIX": storage.prefix,
                    "CALLREC_LIVEKIT_URL": config.text("livekitUrl"),
                    "CALLREC_RECONCILE_SECONDS": str(config.number("reconcileHours") * 3600),
                    "CALLREC_RECONCILE_INTERVAL_SECONDS": str(config.number("reconcileMinutes") * 60),
                    "CALLREC_MATCH_WINDOW_SECONDS": config.text("matchWindowSeconds"),
                    "CALLREC_SETTLE_SECONDS": config.text("settleSeconds"),
                    **airtable.environment(config, airtable.RECONCILE_INTERVAL_MS),
                },
            ),
            config,
            archive=archive,
            depends_on=[credentials.version],
            opts=own,
        )
        self._schedule(name, config)
        self.arrivals_url = arrivals.queue.url
        self.register_outputs({"arrivalsUrl": self.arrivals_url})

    def _schedule(self, name: str, config: StackConfig) -> None:
        """Run it every few minutes, once each time: what a run could not do the next one does."""
        own, function = pulumi.ResourceOptions(parent=self), self.reconcile.function
        waiting = aws.lambda_.FunctionEventInvokeConfig(
            name,
            function_name=function.name,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=LATEST_START,
            opts=own,
        )
        rule = aws.cloudwatch.EventRule(
            name,
            name=self.reconcile.name,
            description="Looks for recordings that did not find their conversation",
            schedule_expression=f"rate({config.number('reconcileMinutes')} minutes)",
            tags=config.tags,
            opts=own,
        )
        allowed = aws.lambda_.Permission(
            f"{name}-by-schedule",
            function=function.name,
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=own,
        )
        aws.cloudwatch.EventTarget(
            name,
            rule=rule.name,
            target_id="reconcile",
            arn=function.arn,
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_retry_attempts=0, maximum_event_age_in_seconds=LATEST_START
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed, waiting]),
        )
