"""SNS: topics, their policies, their subscriptions."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_aws import sns

from .aws import both_tags, ignore_missing, or_none, stale, tag_list, tags_of
from .equality import same_json
from .resource import Created, Kind, Prop, ReplacedKind

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

REGION = Prop(name="region", computed=True, replaces=True)


class Topic(Kind):
    """`aws.sns.Topic`, a standard one; its policy is a resource of its own."""

    pulumi_type = "aws:sns/topic:Topic"
    resource = sns.Topic
    autonamed = "name"
    name_length = 256
    props = (
        Prop(name="displayName", default=""),
        Prop(name="name", computed=True, replaces=True),
        REGION,
        Prop(name="tags"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateTopic."""
        attributes = {"DisplayName": inputs["displayName"]} if inputs.get("displayName") else {}
        made = aws.client("sns").create_topic(
            Name=inputs["name"], Attributes=attributes, Tags=tag_list(inputs.get("tags", {}))
        )
        return Created(id=made["TopicArn"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetTopicAttributes and tags."""
        client = aws.client("sns")
        answer = or_none(client.get_topic_attributes, TopicArn=identity)
        if answer is None:
            return None
        tags = client.list_tags_for_resource(ResourceArn=identity)["Tags"]
        return {
            "arn": identity,
            "displayName": answer["Attributes"].get("DisplayName", ""),
            "name": identity.rsplit(":", 1)[-1],
            "region": aws.region,
            **both_tags(tags_of(tags)),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """SetTopicAttributes and tags."""
        client = aws.client("sns")
        if "displayName" in changed:
            client.set_topic_attributes(
                TopicArn=identity, AttributeName="DisplayName", AttributeValue=inputs.get("displayName", "")
            )
        if "tags" in changed:
            wanted = inputs.get("tags", {})
            if gone := stale(wanted, state.get("tags") or {}):
                client.untag_resource(ResourceArn=identity, TagKeys=gone)
            if wanted:
                client.tag_resource(ResourceArn=identity, Tags=tag_list(wanted))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteTopic, and with it its subscriptions."""
        with ignore_missing():
            aws.client("sns").delete_topic(TopicArn=identity)


class TopicPolicy(Kind):
    """`aws.sns.TopicPolicy`; taking it away leaves the one that a topic is born with."""

    pulumi_type = "aws:sns/topicPolicy:TopicPolicy"
    resource = sns.TopicPolicy
    identified_by = ("arn",)
    props = (Prop(name="arn", replaces=True), Prop(name="policy", same=same_json), REGION)

    def create(self, aws: Aws, inputs: Props) -> Created:
        """SetTopicAttributes."""
        self.update(aws, inputs["arn"], inputs, frozenset(), {})
        return Created(id=inputs["arn"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetTopicAttributes."""
        answer = or_none(aws.client("sns").get_topic_attributes, TopicArn=identity)
        if answer is None:
            return None
        attributes = answer["Attributes"]
        return {"arn": identity, "policy": attributes["Policy"], "owner": attributes["Owner"], "region": aws.region}

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """SetTopicAttributes again."""
        self._set(aws, identity, inputs["policy"])

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Puts the born one back: the topic's owner may do everything, nobody else anything."""
        if or_none(aws.client("sns").get_topic_attributes, TopicArn=identity) is not None:
            self._set(aws, identity, born(identity))

    @staticmethod
    def _set(aws: Aws, arn: str, text: str) -> None:
        aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)


def born(arn: str) -> str:
    """The policy that a topic has when nobody gave it one."""
    owner = arn.split(":")[4]
    return (
        '{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",'
        '"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",'
        '"SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic",'
        f'"SNS:Publish"],"Resource":"{arn}","Condition":{{"StringEquals":{{"AWS:SourceOwner":"{owner}"}}}}}}]}}'
    )


class TopicSubscription(ReplacedKind):
    """`aws.sns.TopicSubscription`; one that waits for its confirmation exists already."""

    pulumi_type = "aws:sns/topicSubscription:TopicSubscription"
    resource = sns.TopicSubscription
    identified_by = ("topic", "protocol", "endpoint")
    props = (
        Prop(name="endpoint", replaces=True),
        Prop(name="protocol", replaces=True),
        REGION,
        Prop(name="topic", replaces=True),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """Subscribe."""
        made = aws.client("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            ReturnSubscriptionArn=True,
        )
        return Created(id=made["SubscriptionArn"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetSubscriptionAttributes."""
        answer = or_none(aws.client("sns").get_subscription_attributes, SubscriptionArn=identity)
        if answer is None:
            return None
        attributes = answer["Attributes"]
        return {
            "arn": identity,
            "endpoint": attributes["Endpoint"],
            "ownerId": attributes["Owner"],
            "pendingConfirmation": attributes["PendingConfirmation"] == "true",
            "protocol": attributes["Protocol"],
            "region": aws.region,
            "topic": attributes["TopicArn"],
        }

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Unsubscribe."""
        with ignore_missing():
            aws.client("sns").unsubscribe(SubscriptionArn=identity)
