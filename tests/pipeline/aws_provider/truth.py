"""What AWS itself says, asked by boto3 and never through the stand-in or its state."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from .bench import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.local.aws_provider import AwsTarget

BUCKET = "standin-recordings"
LOGS = "standin-logs"


def inventory(target: AwsTarget) -> dict[str, set[str]]:
    """Returns the names of everything there is; keys and secrets that wait for their deletion are gone."""
    client = partial(client_of, target)
    keys = client("kms").list_keys()["Keys"]
    metadata = [client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in keys]
    iam = client("iam")
    return {
        "buckets": {bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]},
        "keys": {key["KeyId"] for key in metadata if key["KeyState"] != "PendingDeletion"},
        "aliases": {alias["AliasName"] for alias in client("kms").list_aliases()["Aliases"]},
        "users": {user["UserName"] for user in iam.list_users()["Users"]},
        "groups": {group["GroupName"] for group in iam.list_groups()["Groups"]},
        "roles": {role["RoleName"] for role in iam.list_roles()["Roles"]},
        "secrets": {secret["Name"] for secret in client("secretsmanager").list_secrets()["SecretList"]},
        "queues": {url.rsplit("/", 1)[-1] for url in client("sqs").list_queues().get("QueueUrls", [])},
        "functions": {function["FunctionName"] for function in client("lambda").list_functions()["Functions"]},
        "mappings": {found["UUID"] for found in client("lambda").list_event_source_mappings()["EventSourceMappings"]},
        "rules": {rule["Name"] for rule in client("events").list_rules()["Rules"]},
        "log groups": {group["logGroupName"] for group in client("logs").describe_log_groups()["logGroups"]},
        "alarms": {alarm["AlarmName"] for alarm in client("cloudwatch").describe_alarms()["MetricAlarms"]},
        "topics": {topic["TopicArn"].rsplit(":", 1)[-1] for topic in client("sns").list_topics()["Topics"]},
        "dashboards": {found["DashboardName"] for found in client("cloudwatch").list_dashboards()["DashboardEntries"]},
    }


def settings(target: AwsTarget, queue_url: str) -> dict[str, Any]:
    """Returns what AWS has of each setting that the program makes, by resource."""
    return {name: ask(target, queue_url) for name, ask in _QUESTIONS.items()}


def _storage(target: AwsTarget, method: str, *path: str) -> Any:
    answer = getattr(client_of(target, "s3"), method)(Bucket=BUCKET)
    for name in path:
        answer = answer[name]
    return answer


def _key(target: AwsTarget) -> dict[str, Any]:
    kms = client_of(target, "kms")
    key = kms.describe_key(KeyId="alias/standin")["KeyMetadata"]
    rotation = kms.get_key_rotation_status(KeyId=key["KeyId"])
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
    return {
        "description": key["Description"],
        "enabled": key["Enabled"],
        "rotation": rotation["RotationPeriodInDays"] if rotation["KeyRotationEnabled"] else None,
        "sid": policy["Statement"][0]["Sid"],
        "tags": {tag["TagKey"]: tag["TagValue"] for tag in tags},
    }


def _function(target: AwsTarget) -> dict[str, Any]:
    client = client_of(target, "lambda")
    answer = client.get_function(FunctionName="standin-function")
    live = answer["Configuration"]
    concurrency = client.get_function_concurrency(FunctionName="standin-function")
    return {
        "code": live["CodeSha256"],
        "description": live["Description"],
        "environment": live["Environment"]["Variables"],
        "format": live["LoggingConfig"]["LogFormat"],
        "reserved": concurrency.get("ReservedConcurrentExecutions"),
        "tags": answer["Tags"],
        "timeout": live["Timeout"],
    }


def _mapping(target: AwsTarget) -> dict[str, Any]:
    client = client_of(target, "lambda")
    live = client.list_event_source_mappings(FunctionName="standin-function")["EventSourceMappings"][0]
    return {
        "batch": live["BatchSize"],
        "concurrency": live["ScalingConfig"]["MaximumConcurrency"],
        "responses": live["FunctionResponseTypes"],
        "state": live["State"],
        "tags": client.list_tags(Resource=live["EventSourceMappingArn"])["Tags"],
    }


def _url(target: AwsTarget) -> dict[str, Any]:
    live = client_of(target, "lambda").get_function_url_config(FunctionName="standin-function")
    return {"auth": live["AuthType"], "origins": live.get("Cors", {}).get("AllowOrigins")}


def _statements(target: AwsTarget) -> set[str]:
    policy = json.loads(client_of(target, "lambda").get_policy(FunctionName="standin-function")["Policy"])
    return {statement["Action"] for statement in policy["Statement"]}


def _secret(target: AwsTarget) -> dict[str, Any]:
    client = client_of(target, "secretsmanager")
    live = client.describe_secret(SecretId="standin-secret")
    value = json.loads(client.get_secret_value(SecretId="standin-secret")["SecretString"])
    return {"description": live["Description"], "word": value["word"], "tags": _pairs(live["Tags"])}


def _queue(target: AwsTarget, url: str) -> dict[str, Any]:
    client = client_of(target, "sqs")
    live = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {
        "fifo": live["FifoQueue"],
        "limit": live["FifoThroughputLimit"],
        "policy": json.loads(live["Policy"])["Statement"][0]["Action"],
        "receives": json.loads(live["RedrivePolicy"])["maxReceiveCount"],
        "retention": live["MessageRetentionPeriod"],
        "tags": client.list_queue_tags(QueueUrl=url)["Tags"],
        "visibility": live["VisibilityTimeout"],
    }


def _queue_attribute(target: AwsTarget, name: str, attribute: str) -> Any:
    client = client_of(target, "sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    return json.loads(client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][attribute])


def _action(target: AwsTarget, method: str, **names: str) -> str:
    document = getattr(client_of(target, "iam"), method)(**names)["PolicyDocument"]
    return document["Statement"][0]["Action"][1]


def _notification(target: AwsTarget) -> list[dict[str, Any]]:
    found = _storage(target, "get_bucket_notification_configuration").get("QueueConfigurations", [])
    return [
        {
            "queue": queue["QueueArn"].rsplit(":", 1)[-1],
            "events": queue["Events"],
            "rules": [(rule["Name"], rule["Value"]) for rule in queue["Filter"]["Key"]["FilterRules"]],
        }
        for queue in found
    ]


def _rule(target: AwsTarget) -> dict[str, Any]:
    client = client_of(target, "events")
    live = client.describe_rule(Name="standin-rule")
    tags = client.list_tags_for_resource(ResourceARN=live["Arn"])["Tags"]
    return {
        "description": live["Description"],
        "schedule": live["ScheduleExpression"],
        "state": live["State"],
        "tags": _pairs(tags),
    }


def _targets(target: AwsTarget) -> list[dict[str, Any]]:
    return client_of(target, "events").list_targets_by_rule(Rule="standin-rule")["Targets"]


def _invoke_config(target: AwsTarget) -> tuple[int, int]:
    live = client_of(target, "lambda").get_function_event_invoke_config(FunctionName="standin-function")
    return live["MaximumRetryAttempts"], live["MaximumEventAgeInSeconds"]


def _log_group(target: AwsTarget) -> dict[str, Any]:
    client = client_of(target, "logs")
    live = client.describe_log_groups(logGroupNamePrefix="/standin/function")["logGroups"][0]
    arn = live["arn"].removesuffix(":*")
    return {"days": live.get("retentionInDays"), "tags": client.list_tags_for_resource(resourceArn=arn)["tags"]}


def _alarm(target: AwsTarget) -> dict[str, Any]:
    client = client_of(target, "cloudwatch")
    live = client.describe_alarms(AlarmNames=["standin-alarm"])["MetricAlarms"][0]
    tags = client.list_tags_for_resource(ResourceARN=live["AlarmArn"])["Tags"]
    return {"threshold": live["Threshold"], "dimensions": live["Dimensions"], "tags": _pairs(tags)}


def _topic(target: AwsTarget) -> dict[str, Any]:
    client, arn = client_of(target, "sns"), topic_of(target)
    attributes = client.get_topic_attributes(TopicArn=arn)["Attributes"]
    return {
        "name": attributes["DisplayName"],
        "policy": json.loads(attributes["Policy"])["Statement"][0]["Sid"],
        "told": [found["Endpoint"] for found in client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]],
        "tags": _pairs(client.list_tags_for_resource(ResourceArn=arn)["Tags"]),
    }


def topic_of(target: AwsTarget) -> str:
    """Returns the ARN of the program's topic."""
    [found] = [topic["TopicArn"] for topic in client_of(target, "sns").list_topics()["Topics"]]
    return found


def _rules(target: AwsTarget) -> dict[str, Any]:
    rules = {rule["ID"]: rule for rule in _storage(target, "get_bucket_lifecycle_configuration", "Rules")}
    return {"days": rules["keep"]["Transitions"][0]["Days"], "names": set(rules)}


def _encryption(target: AwsTarget) -> str:
    rules = _storage(target, "get_bucket_encryption", "ServerSideEncryptionConfiguration", "Rules")
    return rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


def _iam_tags(target: AwsTarget, method: str, **names: str) -> dict[str, str]:
    return _pairs(getattr(client_of(target, "iam"), method)(**names)["Tags"])


def _pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _members(target: AwsTarget) -> list[str]:
    groups = client_of(target, "iam").list_groups_for_user(UserName="standin-uploader")["Groups"]
    return [group["GroupName"] for group in groups]


def _access_keys(target: AwsTarget) -> list[str]:
    keys = client_of(target, "iam").list_access_keys(UserName="standin-uploader")["AccessKeyMetadata"]
    return [key["Status"] for key in keys]


def _role(target: AwsTarget) -> str:
    return client_of(target, "iam").get_role(RoleName="standin-role")["Role"]["Description"]


_QUESTIONS: dict[str, Callable[[AwsTarget, str], Any]] = {
    "access keys": lambda target, _: _access_keys(target),
    "alarm": lambda target, _: _alarm(target),
    "bucket policy": lambda target, _: json.loads(_storage(target, "get_bucket_policy", "Policy"))["Statement"][0],
    "bucket tags": lambda target, _: _pairs(_storage(target, "get_bucket_tagging", "TagSet")),
    "encryption": lambda target, _: _encryption(target),
    "function": lambda target, _: _function(target),
    "group policy": lambda target, _: _action(
        target, "get_group_policy", GroupName="standin-writers", PolicyName="write"
    ),
    "invoke config": lambda target, _: _invoke_config(target),
    "key": lambda target, _: _key(target),
    "lifecycle": lambda target, _: _rules(target),
    "log group": lambda target, _: _log_group(target),
    "lock": lambda target, _: (
        client_of(target, "s3").get_object_lock_configuration(Bucket=LOGS)["ObjectLockConfiguration"].get("Rule")
    ),
    "logging": lambda target, _: _storage(target, "get_bucket_logging", "LoggingEnabled", "TargetBucket"),
    "mapping": lambda target, _: _mapping(target),
    "members": lambda target, _: _members(target),
    "notification": lambda target, _: _notification(target),
    "ownership": lambda target, _: _storage(target, "get_bucket_ownership_controls", "OwnershipControls", "Rules"),
    "permissions": lambda target, _: _statements(target),
    "public access": lambda target, _: _storage(target, "get_public_access_block", "PublicAccessBlockConfiguration"),
    "queue": _queue,
    "redrive": lambda target, _: _queue_attribute(target, "standin-plain", "RedrivePolicy")["maxReceiveCount"],
    "redrive allow": lambda target, _: _queue_attribute(target, "standin-dead.fifo", "RedriveAllowPolicy"),
    "role": lambda target, _: _role(target),
    "role policy": lambda target, _: _action(target, "get_role_policy", RoleName="standin-role", PolicyName="queue"),
    "role tags": lambda target, _: _iam_tags(target, "list_role_tags", RoleName="standin-role"),
    "rule": lambda target, _: _rule(target),
    "secret": lambda target, _: _secret(target),
    "targets": lambda target, _: _targets(target),
    "topic": lambda target, _: _topic(target),
    "url": lambda target, _: _url(target),
    "user tags": lambda target, _: _iam_tags(target, "list_user_tags", UserName="standin-uploader"),
    "versioning": lambda target, _: _storage(target, "get_bucket_versioning", "Status"),
}
