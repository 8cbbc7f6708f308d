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
        _deny("DenyPlainHttp", "s3:*", resources, {"Bool": {"aws:SecureTransport": "false"}}),
        _deny("DenyOldTls", "s3:*", resources, {"NumericLessThan": {"s3:TlsVersion": MINIMUM_TLS}}),
    )


def access_log_bucket(log_bucket_arn: str, bucket_arn: str, account: str) -> Policy:
    """Let S3's log delivery write the access logs of one bucket; TLS rules as for the recordings."""
    delivery: Policy = {
        "Sid": "AllowAccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{log_bucket_arn}/*",
        "Condition": {"ArnLike": {"aws:SourceArn": bucket_arn}, "StringEquals": {"aws:SourceAccount": account}},
    }
    return document(delivery, *bucket(log_bucket_arn)["Statement"])


def queue(queue_arn: str) -> Policy:
    """Refuse whatever reaches the queue without TLS."""
    return document(_deny("DenyPlainHttp", "sqs:*", queue_arn, {"Bool": {"aws:SecureTransport": "false"}}))


def arrivals(queue_arn: str, bucket_arn: str, account: str) -> Policy:
    """Let S3 tell the queue of what arrives in one bucket; TLS as for every queue.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    tell: Policy = {
        "Sid": "AllowArrivals",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnLike": {"aws:SourceArn": bucket_arn}, "StringEquals": {"aws:SourceAccount": account}},
    }
    return document(tell, *queue(queue_arn)["Statement"])


def alarm_topic(topic_arn: str, account: str, partition: str, region: str) -> Policy:
    """Let CloudWatch's alarms of this account publish, nobody else by this policy, and nobody without TLS.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    ring: Policy = {
        "Sid": "AllowAlarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:cloudwatch:{region}:{account}:alarm:*"},
            "StringEquals": {"aws:SourceAccount": account},
        },
    }
    return document(ring, _deny("DenyPlainHttp", "sns:Publish", topic_arn, {"Bool": {"aws:SecureTransport": "false"}}))


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


def _deny(sid: str, action: str, resource: str | list[str], condition: Mapping[str, Any]) -> Policy:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": dict(condition),
    }
