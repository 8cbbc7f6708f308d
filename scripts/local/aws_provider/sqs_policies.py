"""The policies of a queue that are resources of their own; the id of each is the queue's URL."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pulumi_aws import sqs

from .aws import ignore_missing
from .equality import same_json
from .resource import Created, Kind, Prop
from .sqs_queues import ATTRIBUTES, attributes_of

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class QueueAttribute(Kind):
    """What the policies of a queue share: each is one attribute of it."""

    attribute: ClassVar[str]
    """The input that holds it; on the wire it starts with a capital."""
    identified_by = ("queueUrl",)

    def create(self, aws: Aws, inputs: Props) -> Created:
        """SetQueueAttributes."""
        self.update(aws, inputs["queueUrl"], inputs, frozenset(), {})
        return Created(id=inputs["queueUrl"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetQueueAttributes."""
        text = (attributes_of(aws, identity) or {}).get(ATTRIBUTES[self.attribute])
        return {self.attribute: text, "queueUrl": identity, "region": aws.region} if text else None

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """SetQueueAttributes again."""
        self._set(aws, identity, inputs[self.attribute])

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Takes the attribute away by setting it to nothing."""
        with ignore_missing():
            self._set(aws, identity, "")

    def _set(self, aws: Aws, url: str, text: str) -> None:
        attributes = {ATTRIBUTES[self.attribute]: text}
        aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


def _props(attribute: str) -> tuple[Prop, ...]:
    return (
        Prop(name=attribute, same=same_json),
        Prop(name="queueUrl", replaces=True),
        Prop(name="region", computed=True, replaces=True),
    )


class QueuePolicy(QueueAttribute):
    """`aws.sqs.QueuePolicy`."""

    pulumi_type = "aws:sqs/queuePolicy:QueuePolicy"
    resource = sqs.QueuePolicy
    attribute = "policy"
    props = _props("policy")


class RedrivePolicy(QueueAttribute):
    """`aws.sqs.RedrivePolicy`."""

    pulumi_type = "aws:sqs/redrivePolicy:RedrivePolicy"
    resource = sqs.RedrivePolicy
    attribute = "redrivePolicy"
    props = _props("redrivePolicy")


class RedriveAllowPolicy(QueueAttribute):
    """`aws.sqs.RedriveAllowPolicy`."""

    pulumi_type = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
    resource = sqs.RedriveAllowPolicy
    attribute = "redriveAllowPolicy"
    props = _props("redriveAllowPolicy")
