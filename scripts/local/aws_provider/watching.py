"""CloudWatch: log groups, alarms, dashboards."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_aws import cloudwatch

from .aws import both_tags, ignore_missing, or_none, own_tags, stale, tag_list, tags_of
from .equality import same_json, same_set
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


_ALARM = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluationPeriods": "EvaluationPeriods",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}


class MetricAlarm(Kind):
    """`aws.cloudwatch.MetricAlarm` on one metric."""

    pulumi_type = "aws:cloudwatch/metricAlarm:MetricAlarm"
    resource = cloudwatch.MetricAlarm
    autonamed = "name"
    props = (
        Prop(name="actionsEnabled", default=True),
        Prop(name="alarmActions", same=same_set),
        Prop(name="alarmDescription", default=""),
        Prop(name="comparisonOperator"),
        Prop(name="datapointsToAlarm"),
        Prop(name="dimensions"),
        Prop(name="evaluationPeriods"),
        Prop(name="metricName"),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="namespace"),
        Prop(name="okActions", same=same_set),
        Prop(name="period"),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="statistic"),
        Prop(name="tags"),
        Prop(name="threshold"),
        Prop(name="treatMissingData", default="missing"),
        Prop(name="unit"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """PutMetricAlarm."""
        _put_alarm(aws, inputs, Tags=tag_list(inputs.get("tags", {})))
        return Created(id=inputs["name"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """DescribeAlarms and tags."""
        client = aws.client("cloudwatch")
        alarms = client.describe_alarms(AlarmNames=[identity])["MetricAlarms"]
        if not alarms:
            return None
        live = alarms[0]
        tags = client.list_tags_for_resource(ResourceARN=live["AlarmArn"])["Tags"]
        return {
            **{name: live.get(sent) for name, sent in _ALARM.items()},
            "arn": live["AlarmArn"],
            "dimensions": {pair["Name"]: pair["Value"] for pair in live.get("Dimensions", [])},
            "name": identity,
            "region": aws.region,
            **both_tags(tags_of(tags)),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """PutMetricAlarm again, and tags."""
        if changed - {"tags"}:
            _put_alarm(aws, inputs)
        if "tags" in changed:
            client, tags = aws.client("cloudwatch"), inputs.get("tags", {})
            had = tags_of(client.list_tags_for_resource(ResourceARN=state["arn"])["Tags"])
            if gone := stale(tags, had):
                client.untag_resource(ResourceARN=state["arn"], TagKeys=gone)
            if tags:
                client.tag_resource(ResourceARN=state["arn"], Tags=tag_list(tags))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteAlarms."""
        with ignore_missing():
            aws.client("cloudwatch").delete_alarms(AlarmNames=[identity])


def _put_alarm(aws: Aws, inputs: Props, **more: Any) -> None:
    sent = {word: inputs[name] for name, word in _ALARM.items() if name in inputs}
    dimensions = tag_list(inputs.get("dimensions", {}), "Name", "Value")
    aws.client("cloudwatch").put_metric_alarm(AlarmName=inputs["name"], Dimensions=dimensions, **sent, **more)


class Dashboard(Kind):
    """`aws.cloudwatch.Dashboard`."""

    pulumi_type = "aws:cloudwatch/dashboard:Dashboard"
    resource = cloudwatch.Dashboard
    identified_by = ("dashboardName",)
    props = (
        Prop(name="dashboardBody", same=same_json),
        Prop(name="dashboardName", replaces=True),
        Prop(name="region", computed=True, replaces=True),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """PutDashboard."""
        self.update(aws, inputs["dashboardName"], inputs, frozenset(), {})
        return Created(id=inputs["dashboardName"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetDashboard."""
        live = or_none(aws.client("cloudwatch").get_dashboard, DashboardName=identity)
        if live is None:
            return None
        return {
            "dashboardArn": live["DashboardArn"],
            "dashboardBody": live["DashboardBody"],
            "dashboardName": identity,
            "region": aws.region,
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """PutDashboard again."""
        aws.client("cloudwatch").put_dashboard(DashboardName=identity, DashboardBody=inputs["dashboardBody"])

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteDashboards."""
        with ignore_missing():
            aws.client("cloudwatch").delete_dashboards(DashboardNames=[identity])
