"""CloudWatch alarms and dashboards."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_aws import cloudwatch

from .aws import both_tags, ignore_missing, or_none, retag, tag_list, tags_of
from .equality import same_json, same_set
from .resource import Created, Kind, Prop

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

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
            retag(aws.client("cloudwatch"), state["arn"], inputs.get("tags", {}))

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
