"""SQS queues; the id is the queue's URL."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pulumi_aws import sqs

from .aws import both_tags, ignore_missing, or_none, own_tags, stale
from .equality import same_json, same_tail
from .resource import Created, Kind, Prop
from .schema import Failure
from .values import Unknown

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_FLAGS = {"contentBasedDeduplication", "fifoQueue", "sqsManagedSseEnabled"}
_TEXTS = {
    "deduplicationScope",
    "fifoThroughputLimit",
    "kmsMasterKeyId",
    "policy",
    "redriveAllowPolicy",
    "redrivePolicy",
}
_FIFO_ONLY = {"contentBasedDeduplication", "deduplicationScope", "fifoQueue", "fifoThroughputLimit"}


class Queue(Kind):
    """`aws.sqs.Queue`."""

    pulumi_type = "aws:sqs/queue:Queue"
    resource = sqs.Queue
    autonamed = "name"
    name_length = 80
    props = (
        Prop(name="contentBasedDeduplication", default=False),
        Prop(name="deduplicationScope", computed=True),
        Prop(name="delaySeconds", default=0),
        Prop(name="fifoQueue", default=False, replaces=True),
        Prop(name="fifoThroughputLimit", computed=True),
        Prop(name="kmsDataKeyReusePeriodSeconds", computed=True),
        Prop(name="kmsMasterKeyId", same=same_tail),
        Prop(name="maxMessageSize", default=262144),
        Prop(name="messageRetentionSeconds", default=345600),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="policy", computed=True, same=same_json),
        Prop(name="receiveWaitTimeSeconds", default=0),
        Prop(name="redriveAllowPolicy", computed=True, same=same_json),
        Prop(name="redrivePolicy", computed=True, same=same_json),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="sqsManagedSseEnabled", computed=True),
        Prop(name="tags"),
        Prop(name="visibilityTimeoutSeconds", default=30),
    )

    def physical_name(self, proposed: str, inputs: Props) -> str:
        """The name of a FIFO queue ends in `.fifo`."""
        ending = ".fifo" if inputs.get("fifoQueue") is True else ""
        return proposed[: self.name_length - len(ending)] + ending

    def check(self, inputs: Props) -> list[Failure]:
        """AWS's rule for names, and pulumi-aws's."""
        name, fifo = inputs["name"], inputs.get("fifoQueue", False)
        if isinstance(name, Unknown) or isinstance(fifo, Unknown) or name.endswith(".fifo") == fifo:
            return []
        rule = "must end in '.fifo' for" if fifo else "must not end in '.fifo' without"
        return [Failure("name", f"name {rule} a FIFO queue, got {name!r}")]

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateQueue with all attributes."""
        names = set(inputs) & set(ATTRIBUTES)
        names -= set() if inputs["fifoQueue"] else _FIFO_ONLY
        attributes = {ATTRIBUTES[name]: _sent(inputs[name]) for name in sorted(names)}
        arguments = {"QueueName": inputs["name"], "Attributes": attributes, "tags": inputs.get("tags", {})}
        return Created(id=aws.client("sqs").create_queue(**arguments)["QueueUrl"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetQueueAttributes and tags."""
        attributes = attributes_of(aws, identity)
        if attributes is None:
            return None
        told = {name: _told(name, attributes[sent]) for name, sent in ATTRIBUTES.items() if sent in attributes}
        tags = own_tags(aws.client("sqs").list_queue_tags(QueueUrl=identity).get("Tags"))
        return {
            "fifoQueue": False,
            **told,
            "arn": attributes["QueueArn"],
            "name": attributes["QueueArn"].rsplit(":", 1)[-1],
            "region": aws.region,
            "url": identity,
            **both_tags(tags),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """SetQueueAttributes for what changed, and tags."""
        client = aws.client("sqs")
        names = sorted(changed & set(ATTRIBUTES))
        if names:
            attributes = {ATTRIBUTES[name]: _sent(inputs.get(name, "")) for name in names}
            client.set_queue_attributes(QueueUrl=identity, Attributes=attributes)
        if "tags" in changed:
            tags = inputs.get("tags", {})
            if gone := stale(tags, own_tags(client.list_queue_tags(QueueUrl=identity).get("Tags"))):
                client.untag_queue(QueueUrl=identity, TagKeys=gone)
            if tags:
                client.tag_queue(QueueUrl=identity, Tags=tags)

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteQueue."""
        with ignore_missing():
            aws.client("sqs").delete_queue(QueueUrl=identity)


def attributes_of(aws: Aws, url: str) -> dict[str, str] | None:
    """Returns all attributes of a queue as SQS words them, None when it is gone."""
    answer = or_none(aws.client("sqs").get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
    return None if answer is None else answer["Attributes"]


def _sent(value: Any) -> str:
    """Every attribute is text on the wire."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _told(name: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    return text == "true" if name in _FLAGS else int(text)
