"""CloudWatch log groups."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_aws import cloudwatch

from .aws import both_tags, ignore_missing, own_tags, stale
from .resource import Created, Kind, Prop

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class LogGroup(Kind):
    """`aws.cloudwatch.LogGroup`."""

    pulumi_type = "aws:cloudwatch/logGroup:LogGroup"
    resource = cloudwatch.LogGroup
    autonamed = "name"
    name_length = 512
    props = (
        Prop(name="name", computed=True, replaces=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="retentionInDays", default=0),
        Prop(name="skipDestroy", default=False, write_only=True),
        Prop(name="tags"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateLogGroup."""
        tags = {"tags": inputs["tags"]} if inputs.get("tags") else {}
        aws.client("logs").create_log_group(logGroupName=inputs["name"], **tags)
        return Created(id=inputs["name"])

    def settle(self, aws: Aws, identity: str, inputs: Props) -> None:
        """Retention cannot be asked for at creation."""
        if inputs["retentionInDays"]:
            _retain(aws, identity, inputs["retentionInDays"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """DescribeLogGroups and tags."""
        client = aws.client("logs")
        pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=identity)
        found = next(
            (group for page in pages for group in page["logGroups"] if group["logGroupName"] == identity), None
        )
        if found is None:
            return None
        arn = found["arn"].removesuffix(":*")
        return {
            "arn": arn,
            "logGroupClass": found.get("logGroupClass", "STANDARD"),
            "name": identity,
            "region": aws.region,
            "retentionInDays": found.get("retentionInDays", 0),
            **both_tags(own_tags(client.list_tags_for_resource(resourceArn=arn)["tags"])),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Retention and tags."""
        if "retentionInDays" in changed:
            _retain(aws, identity, inputs["retentionInDays"])
        if "tags" in changed:
            client, tags = aws.client("logs"), inputs.get("tags", {})
            had = own_tags(client.list_tags_for_resource(resourceArn=state["arn"])["tags"])
            if gone := stale(tags, had):
                client.untag_resource(resourceArn=state["arn"], tagKeys=gone)
            if tags:
                client.tag_resource(resourceArn=state["arn"], tags=tags)

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteLogGroup, unless `skipDestroy` says to leave the logs."""
        if state.get("skipDestroy"):
            return
        with ignore_missing():
            aws.client("logs").delete_log_group(logGroupName=identity)


def _retain(aws: Aws, group: str, days: int) -> None:
    client = aws.client("logs")
    if days:
        client.put_retention_policy(logGroupName=group, retentionInDays=days)
    else:
        client.delete_retention_policy(logGroupName=group)
