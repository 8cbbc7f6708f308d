"""What AWS itself says is there: asked of the emulator, never of Pulumi's state."""

from __future__ import annotations

from typing import Any

from scripts.aws_access import AwsAccess


def inventory(aws: AwsAccess, part: str) -> set[str]:
    """Every resource whose name holds `part`, as `service name`."""
    iam: Any = aws.client("iam")
    return {
        f"{service} {name}"
        for service, names in {
            "s3": [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]],
            "sqs": aws.client("sqs").list_queues().get("QueueUrls", []),
            "lambda": [item["FunctionName"] for item in aws.client("lambda").list_functions()["Functions"]],
            "mapping": [
                item["FunctionArn"] for item in aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
            ],
            "rule": [item["Name"] for item in aws.client("events").list_rules()["Rules"]],
            "logs": [item["logGroupName"] for item in aws.client("logs").describe_log_groups()["logGroups"]],
            "topic": [item["TopicArn"] for item in aws.client("sns").list_topics()["Topics"]],
            "alarm": [item["AlarmName"] for item in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]],
            "dashboard": [
                item["DashboardName"] for item in aws.client("cloudwatch").list_dashboards()["DashboardEntries"]
            ],
            "secret": [item["Name"] for item in aws.client("secretsmanager").list_secrets()["SecretList"]],
            "alias": [item["AliasName"] for item in aws.client("kms").list_aliases()["Aliases"]],
            "role": [item["RoleName"] for item in iam.list_roles()["Roles"]],
            "user": [item["UserName"] for item in iam.list_users()["Users"]],
            "group": [item["GroupName"] for item in iam.list_groups()["Groups"]],
        }.items()
        for name in names
        if part in name
    }
