"""One call of every action that some role could misuse; each is tried with the credentials of each role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from scripts.aws_access import AwsAccess, Key
from scripts.outputs import Outputs


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is there to be attacked: a recording with its version, a log group of somebody else, the outputs."""

    outputs: Outputs
    key: str
    version: str


@cache
def _client(aws: AwsAccess, service: Any, key: Key) -> Any:
    return aws.client(service, key)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A role's credentials, and the AWS they are tried on."""

    aws: AwsAccess
    key: Key

    def client(self, service: Any) -> Any:
        """A client that acts with these credentials; making one takes longer than using it."""
        return _client(self.aws, service, self.key)


Attempt = Callable[[Actor, Target], Any]


def s3(call: str, **arguments: Any) -> Attempt:
    """Call S3 on the recordings' bucket; `{key}` and `{version}` in arguments are the recording's."""

    def attempt(actor: Actor, target: Target) -> Any:
        filled = {
            name: value.format(key=target.key, version=target.version) if isinstance(value, str) else value
            for name, value in arguments.items()
        }
        return getattr(actor.client("s3"), call)(Bucket=target.outputs.bucket, **filled)

    return attempt


def sqs(call: str, queue: str, **arguments: Any) -> Attempt:
    """Call SQS on the queue, the DLQ or the queue of arrivals."""

    def attempt(actor: Actor, target: Target) -> Any:
        urls = {
            "queue": target.outputs.queue_url,
            "dlq": target.outputs.dead_letter_queue_url,
            "arrivals": target.outputs.arrivals_queue_url,
        }
        return getattr(actor.client("sqs"), call)(QueueUrl=urls[queue], **arguments)

    return attempt


def other(service: str, call: str, **arguments: Any) -> Attempt:
    """Call another service; `{name}` in arguments is an attribute of the outputs."""

    def attempt(actor: Actor, target: Target) -> Any:
        known = {
            "secret": target.outputs.secret_arn,
            "key": target.outputs.key_arn,
            "user": target.outputs.uploader_user,
            "receive": target.outputs.functions["receive"],
            "receive_log": target.outputs.log_groups["receive"],
            "deliver_log": target.outputs.log_groups["deliver"],
            "play_log": target.outputs.log_groups["play"],
            "reconcile": target.outputs.functions["reconcile"],
            "reconcile_log": target.outputs.log_groups["reconcile"],
        }
        filled = {name: value.format(**known) if isinstance(value, str) else value for name, value in arguments.items()}
        return getattr(actor.client(service), call)(**filled)

    return attempt


MESSAGE = {"MessageBody": "{}", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
# No message has these handles: who may, is told so for each, and nothing is changed.
NO_MESSAGE = [{"Id": "0", "ReceiptHandle": "none"}]
HIDE_NO_MESSAGE = [{"Id": "0", "ReceiptHandle": "none", "VisibilityTimeout": 0}]
STREAM = "attempts"
LINE = {"logStreamName": STREAM, "logEvents": [{"timestamp": 1_795_478_447_000, "message": "x"}]}
CLOSED = {
    "BlockPublicAcls": False,
    "IgnorePublicAcls": False,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": False,
}

ATTEMPTS: dict[str, Attempt] = {
    "s3:GetObject": s3("get_object", Key="{key}"),
    "s3:GetObjectVersion": s3("get_object", Key="{key}", VersionId="{version}"),
    "s3:GetObjectVersionTagging": s3("get_object_tagging", Key="{key}", VersionId="{version}"),
    "s3:GetObject outside": s3("get_object", Key="elsewhere/x"),
    "s3:PutObject": s3("put_object", Key="calls/attempt", Body=b"x"),
    "s3:PutObject outside": s3("put_object", Key="elsewhere/attempt", Body=b"x"),
    "s3:PutObjectTagging": s3("put_object_tagging", Key="{key}", Tagging={"TagSet": []}),
    "s3:PutObjectAcl": s3("put_object_acl", Key="{key}", ACL="public-read"),
    "s3:DeleteObject": s3("delete_object", Key="{key}"),
    "s3:DeleteObjectVersion": s3("delete_object", Key="{key}", VersionId="{version}"),
    "s3:ListBucket": s3("list_objects_v2"),
    "s3:ListBucketVersions": s3("list_object_versions", Prefix="calls/"),
    "s3:ListBucketVersions outside": s3("list_object_versions", Prefix="elsewhere/"),
    "s3:ListBucketVersions whole": s3("list_object_versions"),
    "s3:GetBucketPolicy": s3("get_bucket_policy"),
    "s3:PutBucketPolicy": s3("put_bucket_policy", Policy="{{}}"),
    "s3:DeleteBucketPolicy": s3("delete_bucket_policy"),
    "s3:PutBucketVersioning": s3("put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"}),
    "s3:PutBucketPublicAccessBlock": s3("put_public_access_block", PublicAccessBlockConfiguration=CLOSED),
    "s3:PutEncryptionConfiguration": s3("delete_bucket_encryption"),
    "s3:PutLifecycleConfiguration": s3("delete_bucket_lifecycle"),
    "s3:PutBucketNotification": s3("put_bucket_notification_configuration", NotificationConfiguration={}),
    "s3:DeleteBucket": s3("delete_bucket"),
    "sqs:SendMessage": sqs("send_message", "queue", **MESSAGE),
    "sqs:SendMessage dlq": sqs("send_message", "dlq", **MESSAGE),
    "sqs:ReceiveMessage": sqs("receive_message", "queue"),
    "sqs:SendMessage arrivals": sqs("send_message", "arrivals", MessageBody="{}"),
    "sqs:ReceiveMessage arrivals": sqs("receive_message", "arrivals", VisibilityTimeout=0),
    "sqs:DeleteMessageBatch": sqs("delete_message_batch", "queue", Entries=NO_MESSAGE),
    "sqs:DeleteMessageBatch arrivals": sqs("delete_message_batch", "arrivals", Entries=NO_MESSAGE),
    "sqs:ChangeMessageVisibilityBatch": sqs("change_message_visibility_batch", "queue", Entries=HIDE_NO_MESSAGE),
    "sqs:ChangeMessageVisibilityBatch arrivals": sqs(
        "change_message_visibility_batch", "arrivals", Entries=HIDE_NO_MESSAGE
    ),
    "sqs:GetQueueAttributes arrivals": sqs("get_queue_attributes", "arrivals", AttributeNames=["QueueArn"]),
    "sqs:SetQueueAttributes arrivals": sqs("set_queue_attributes", "arrivals", Attributes={"VisibilityTimeout": "0"}),
    "sqs:PurgeQueue arrivals": sqs("purge_queue", "arrivals"),
    "sqs:ReceiveMessage dlq": sqs("receive_message", "dlq"),
    "sqs:GetQueueAttributes": sqs("get_queue_attributes", "queue", AttributeNames=["QueueArn"]),
    "sqs:SetQueueAttributes": sqs("set_queue_attributes", "queue", Attributes={"VisibilityTimeout": "0"}),
    "sqs:PurgeQueue": sqs("purge_queue", "queue"),
    "sqs:DeleteQueue": sqs("delete_queue", "queue"),
    "secretsmanager:GetSecretValue": other("secretsmanager", "get_secret_value", SecretId="{secret}"),
    "secretsmanager:GetSecretValue uploader": other(
        "secretsmanager", "get_secret_value", SecretId="callrec-local-uploader"
    ),
    "secretsmanager:PutSecretValue": other(
        "secretsmanager", "put_secret_value", SecretId="{secret}", SecretString="{{}}"
    ),
    "secretsmanager:DeleteSecret": other("secretsmanager", "delete_secret", SecretId="{secret}"),
    "kms:Encrypt": other("kms", "encrypt", KeyId="{key}", Plaintext=b"x"),
    "kms:GenerateDataKey": other("kms", "generate_data_key", KeyId="{key}", KeySpec="AES_256"),
    "kms:ScheduleKeyDeletion": other("kms", "schedule_key_deletion", KeyId="{key}"),
    "kms:PutKeyPolicy": other("kms", "put_key_policy", KeyId="{key}", PolicyName="default", Policy="{{}}"),
    "iam:CreateAccessKey": other("iam", "create_access_key", UserName="{user}"),
    "iam:PutUserPolicy": other("iam", "put_user_policy", UserName="{user}", PolicyName="p", PolicyDocument="{{}}"),
    "iam:ListUsers": other("iam", "list_users"),
    "lambda:InvokeFunction": other("lambda", "invoke", FunctionName="{receive}"),
    "lambda:InvokeFunction reconcile": other("lambda", "invoke", FunctionName="{reconcile}"),
    "events:DisableRule": other("events", "disable_rule", Name="{reconcile}"),
    "lambda:UpdateFunctionConfiguration": other(
        "lambda", "update_function_configuration", FunctionName="{receive}", Timeout=1
    ),
    "logs:PutLogEvents receive": other("logs", "put_log_events", logGroupName="{receive_log}", **LINE),
    "logs:PutLogEvents deliver": other("logs", "put_log_events", logGroupName="{deliver_log}", **LINE),
    "logs:PutLogEvents play": other("logs", "put_log_events", logGroupName="{play_log}", **LINE),
    "logs:PutLogEvents reconcile": other("logs", "put_log_events", logGroupName="{reconcile_log}", **LINE),
    "logs:FilterLogEvents": other("logs", "filter_log_events", logGroupName="{receive_log}"),
    "logs:DeleteLogGroup": other("logs", "delete_log_group", logGroupName="{receive_log}"),
}  # fmt: skip
