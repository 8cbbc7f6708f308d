"""From LiveKit's webhook to Airtable: `receive`, the queue, `deliver`."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra import airtable, identity_policies, resource_policies, starts
from infra.config import StackConfig
from infra.credentials import Credentials
from infra.function import Function, FunctionSpec
from infra.storage import RecordingBucket

# LiveKit waits up to 10 s for an answer and its queue waits behind it: https://docs.livekit.io/home/server/webhooks/
RECEIVE_TIMEOUT = 10
DELIVER_TIMEOUT = 60
# AWS asks for six times the function's timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_TIMEOUT = 6 * DELIVER_TIMEOUT
FOURTEEN_DAYS = 14 * 24 * 3600
BATCH = 10
# `deliver` waits up to a day for a conversation, at 30 s doubling to 15 min: about 100 receives. When it fails before
# it can say so a message comes back after VISIBILITY_TIMEOUT: 240 receives a day.
MAXIMUM_RECEIVES = 300
# LiveKit's bodies are 1-2 KiB; ten of the largest still fit into one Lambda event of 6 MB.
LARGEST_BODY = 256 * 1024
# A dead letter carries its reason besides the body: it must fit whatever the queue took.
LARGEST_DEAD_LETTER = 1024 * 1024


class EventQueue(pulumi.ComponentResource):
    """An encrypted FIFO queue, in order within one room session, with a dead-letter queue that only it may feed."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions) -> None:
        super().__init__("callrec:EventQueue", name, None, opts)
        self.queue = self._fifo(name, config, "events", LARGEST_BODY)
        self.dead_letters = self._fifo(f"{name}-dlq", config, "events-dlq", LARGEST_DEAD_LETTER)
        own = pulumi.ResourceOptions(parent=self)
        aws.sqs.RedriveAllowPolicy(
            name,
            queue_url=self.dead_letters.url,
            redrive_allow_policy=self.queue.arn.apply(lambda arn: json.dumps(resource_policies.redrive_allow(arn))),
            opts=own,
        )
        aws.sqs.RedrivePolicy(
            name,
            queue_url=self.queue.url,
            redrive_policy=self.dead_letters.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAXIMUM_RECEIVES})
            ),
            opts=own,
        )
        self.name, self.dead_letters_name = fifo_name(config, "events"), fifo_name(config, "events-dlq")
        self.register_outputs({"url": self.queue.url, "deadLetterUrl": self.dead_letters.url})

    def _fifo(self, name: str, config: StackConfig, part: str, largest: int) -> aws.sqs.Queue:
        own = pulumi.ResourceOptions(parent=self)
        queue = aws.sqs.Queue(
            name,
            name=fifo_name(config, part),
            fifo_queue=True,
            content_based_deduplication=False,
            # High throughput: both limits per message group. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
            deduplication_scope="messageGroup",
            fifo_throughput_limit="perMessageGroupId",
            visibility_timeout_seconds=VISIBILITY_TIMEOUT,
            message_retention_seconds=FOURTEEN_DAYS,
            max_message_size=largest,
            sqs_managed_sse_enabled=True,
            tags=config.tags,
            opts=own,
        )
        aws.sqs.QueuePolicy(
            name,
            queue_url=queue.url,
            policy=queue.arn.apply(lambda arn: json.dumps(resource_policies.queue(arn))),
            opts=own,
        )
        return queue


def fifo_name(config: StackConfig, part: str) -> str:
    """Physical name of a FIFO queue; SQS asks for the ending."""
    return f"{config.name(part)}.fifo"


class Pipeline(pulumi.ComponentResource):
    """`receive` behind its address, the queue, and `deliver` at the queue's other end."""

    def __init__(
        self,
        name: str,
        config: StackConfig,
        *,
        archive: Path,
        storage: RecordingBucket,
        credentials: Credentials,
        play_url: pulumi.Output[str],
    ) -> None:
        super().__init__("callrec:Pipeline", name)
        own = pulumi.ResourceOptions(parent=self)
        events = EventQueue("events", config, own)
        self.receive = Function(
            FunctionSpec(
                name="receive",
                timeout=RECEIVE_TIMEOUT,
                memory=512,
                permissions=identity_policies.receive,
                grants={"secret_arn": credentials.arn, "queue_arn": events.queue.arn},
                environment={
                    "CALLREC_SECRET_ARN": credentials.arn,
                    "CALLREC_QUEUE_URL": events.queue.url,
                    "CALLREC_MAX_BODY_BYTES": str(LARGEST_BODY),
                },
            ),
            config,
            archive=archive,
            depends_on=[credentials.version],
            opts=own,
        )
        self.webhook_url = self.receive.open_to_the_internet()
        self.deliver = Function(
            FunctionSpec(
                name="deliver",
                timeout=DELIVER_TIMEOUT,
                memory=512,
                permissions=identity_policies.deliver,
                grants={
                    "secret_arn": credentials.arn,
                    "queue_arn": events.queue.arn,
                    "dead_letter_queue_arn": events.dead_letters.arn,
                    "bucket_arn": storage.arn,
                    "prefix": storage.prefix,
                },
                environment={
                    "CALLREC_SECRET_ARN": credentials.arn,
                    "CALLREC_QUEUE_URL": events.queue.url,
                    "CALLREC_DLQ_URL": events.dead_letters.url,
                    "CALLREC_BUCKET": storage.name,
                    "CALLREC_PREFIX": storage.prefix,
                    "CALLREC_PLAY_URL": play_url,
                    "CALLREC_LINK_DAYS": config.text("linkDays"),
                    "CALLREC_MATCH_WINDOW_SECONDS": config.text("matchWindowSeconds"),
                    "CALLREC_SETTLE_SECONDS": config.text("settleSeconds"),
                    **airtable.environment(config, airtable.DELIVER_INTERVAL_MS),
                    **starts.environment(config, self.webhook_url),
                },
            ),
            config,
            archive=archive,
            depends_on=[credentials.version],
            opts=own,
        )
        mapping = aws.lambda_.EventSourceMapping(
            "deliver",
            event_source_arn=events.queue.arn,
            function_name=self.deliver.function.name,
            batch_size=BATCH,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": airtable.DELIVERS_AT_ONCE},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.deliver.permission]),
        )
        self.queue_url = events.queue.url
        self.queue_arn = events.queue.arn
        self.queue_name, self.dead_letters_name = events.name, events.dead_letters_name
        self.dead_letter_queue_url = events.dead_letters.url
        self.mapping = mapping.uuid
        self.register_outputs({"webhookUrl": self.webhook_url})
