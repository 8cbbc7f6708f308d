"""What guards a thing, whoever comes: the policies of the buckets, the queues, the topic and the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.policy import Policy, document

# AWS's predefined cipher policies before TLS 1.2 are what `s3:TlsVersion` shuts out.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
MINIMUM_TLS = "1.2"


def bucket(bucket_arn: str) -> Policy:
    """Refuse whatever reaches the bucket without TLS, or with TLS below 1.2, whoever sends it."""
    resources = [bucket_arn, f"{bucket_arn}/*"]
    return document(
        _deny_plain_http("s3:*", resources),
        _deny("DenyOldTls", "s3:*", resources, {"NumericLessThan": {"s3:TlsVersion": MINIMUM_TLS}}),
    )


def access_log_bucket(log_bucket_arn: str, bucket_arn: str, account: str) -> Policy:
    """Let S3's log delivery write the access logs of one bucket; TLS rules as for the recordings."""
    written = f"{log_bucket_arn}/*"
    delivery = _let("AllowAccessLogs", "logging.s3", "s3:PutObject", written, source=bucket_arn, account=account)
    return document(delivery, *bucket(log_bucket_arn)["Statement"])


def queue(queue_arn: str) -> Policy:
    """Refuse whatever reaches the queue without TLS."""
    return document(_deny_plain_http("sqs:*", queue_arn))


def arrivals(queue_arn: str, bucket_arn: str, account: str) -> Policy:
    """Let S3 tell the queue of what arrives in one bucket; TLS as for every queue.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    tell = _let("AllowArrivals", "s3", "sqs:SendMessage", queue_arn, source=bucket_arn, account=account)
    return document(tell, *queue(queue_arn)["Statement"])


def alarm_topic(topic_arn: str, account: str, partition: str, region: str) -> Policy:
    """Let CloudWatch's alarms of this account publish, nobody else by this policy, and nobody without TLS.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    alarms = f"arn:{partition}:cloudwatch:{region}:{account}:alarm:*"
    ring = _let("AllowAlarms", "cloudwatch", "sns:Publish", topic_arn, source=alarms, account=account)
    return document(ring, _deny_plain_http("sns:Publish", topic_arn))


def recordings_key(account: str, partition: str) -> Policy:
    """Leave the key to the account's own IAM policies: without this statement nobody could ever manage it.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    return document(
        {
            "Sid": "AccountAdministersByIam",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )


def redrive_allow(queue_arn: str) -> Policy:
    """Accept dead letters of one queue only."""
    return {"redrivePermission": "byQueue", "sourceQueueArns": [queue_arn]}


def _let(sid: str, service: str, action: str, resource: str, *, source: str, account: str) -> Policy:
    """Let a service of AWS's do one thing, and only for `source` (an ARN) of this account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnLike": {"aws:SourceArn": source}, "StringEquals": {"aws:SourceAccount": account}},
    }


def _deny_plain_http(action: str, resource: str | list[str]) -> Policy:
    return _deny("DenyPlainHttp", action, resource, {"Bool": {"aws:SecureTransport": "false"}})


def _deny(sid: str, action: str, resource: str | list[str], condition: Mapping[str, Any]) -> Policy:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": dict(condition),
    }
