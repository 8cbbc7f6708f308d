"""What could be done to the functions, to what sets them off, and to what they leave behind."""

from __future__ import annotations

from tests.pipeline.attempts.actor import Attempt, other

PARTS = ("receive", "deliver", "play", "reconcile")
STREAM = "attempts"
LINE = {"logStreamName": STREAM, "logEvents": [{"timestamp": 1_795_478_447_000, "message": "x"}]}
ALARM = "attempt"

FUNCTIONS: dict[str, Attempt] = {
    **{
        f"lambda:InvokeFunction {part}": other("lambda", "invoke", FunctionName=f"{{{part}_function}}")
        for part in PARTS
    },
    "lambda:GetFunction": other("lambda", "get_function", FunctionName="{play_function}"),
    "lambda:GetFunctionConfiguration": other("lambda", "get_function_configuration", FunctionName="{play_function}"),
    "lambda:ListFunctions": other("lambda", "list_functions"),
    "lambda:UpdateFunctionCode": other(
        "lambda", "update_function_code", FunctionName="{play_function}", ZipFile=b"no zip"
    ),
    "lambda:UpdateFunctionConfiguration": other(
        "lambda", "update_function_configuration", FunctionName="{receive_function}", Timeout=1
    ),
    "lambda:AddPermission": other(
        "lambda",
        "add_permission",
        FunctionName="{deliver_function}",
        StatementId="attempt",
        Action="lambda:InvokeFunction",
        Principal="*",
    ),
    "lambda:CreateFunctionUrlConfig": other(
        "lambda", "create_function_url_config", FunctionName="{deliver_function}", AuthType="NONE"
    ),
    "lambda:DeleteFunction": other("lambda", "delete_function", FunctionName="{receive_function}"),
    # A new function that runs with another's role is how iam:PassRole is misused.
    "lambda:CreateFunction": other(
        "lambda",
        "create_function",
        FunctionName="attempt",
        Runtime="python3.13",
        Handler="a.b",
        Role="{play_role}",
        Code={"ZipFile": b"no zip"},
    ),
    "lambda:ListEventSourceMappings": other("lambda", "list_event_source_mappings"),
    "events:DisableRule": other("events", "disable_rule", Name="{reconcile_function}"),
    "events:PutRule": other("events", "put_rule", Name="{reconcile_function}", ScheduleExpression="rate(1 day)"),
    "events:RemoveTargets": other("events", "remove_targets", Rule="{reconcile_function}", Ids=["reconcile"]),
}

TRACES: dict[str, Attempt] = {
    **{
        f"logs:PutLogEvents {part}": other("logs", "put_log_events", logGroupName=f"{{{part}_log}}", **LINE)
        for part in PARTS
    },
    "logs:CreateLogGroup": other("logs", "create_log_group", logGroupName="attempt"),
    "logs:DescribeLogGroups": other("logs", "describe_log_groups"),
    "logs:PutRetentionPolicy": other("logs", "put_retention_policy", logGroupName="{play_log}", retentionInDays=1),
    "logs:PutSubscriptionFilter": other(
        "logs",
        "put_subscription_filter",
        logGroupName="{play_log}",
        filterName="attempt",
        filterPattern="",
        destinationArn="arn:aws:lambda:us-east-1:{account}:function:attempt",
    ),
    **{
        f"logs:GetLogEvents {part}": other(
            "logs", "get_log_events", logGroupName=f"{{{part}_log}}", logStreamName=STREAM
        )
        for part in PARTS
    },
    **{
        f"logs:FilterLogEvents {part}": other("logs", "filter_log_events", logGroupName=f"{{{part}_log}}")
        for part in PARTS
    },
    **{
        f"logs:DeleteLogStream {part}": other(
            "logs", "delete_log_stream", logGroupName=f"{{{part}_log}}", logStreamName=STREAM
        )
        for part in PARTS
    },
    **{
        f"logs:DeleteLogGroup {part}": other("logs", "delete_log_group", logGroupName=f"{{{part}_log}}")
        for part in PARTS
    },
    "cloudwatch:PutMetricData": other(
        "cloudwatch", "put_metric_data", Namespace="callrec", MetricData=[{"MetricName": "attempt", "Value": 0}]
    ),
    "cloudwatch:DeleteAlarms": other("cloudwatch", "delete_alarms", AlarmNames=[ALARM]),
    "cloudwatch:DisableAlarmActions": other("cloudwatch", "disable_alarm_actions", AlarmNames=[ALARM]),
    "cloudwatch:SetAlarmState": other(
        "cloudwatch", "set_alarm_state", AlarmName=ALARM, StateValue="OK", StateReason="attempt"
    ),
    "cloudwatch:DeleteDashboards": other("cloudwatch", "delete_dashboards", DashboardNames=["attempt"]),
    "sns:Publish": other("sns", "publish", TopicArn="arn:aws:sns:us-east-1:{account}:attempt", Message="x"),
    "sns:Subscribe": other(
        "sns", "subscribe", TopicArn="arn:aws:sns:us-east-1:{account}:attempt", Protocol="email", Endpoint="a@b.example"
    ),
    "sns:DeleteTopic": other("sns", "delete_topic", TopicArn="arn:aws:sns:us-east-1:{account}:attempt"),
    "cloudtrail:StopLogging": other("cloudtrail", "stop_logging", Name="attempt"),
}
