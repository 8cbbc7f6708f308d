"""Who may do what: every policy of the program as a plain dict, without Pulumi.

Each function takes ARNs and returns one policy document; nothing here is looked up, so a test can read the very
document that is deployed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Policy = dict[str, Any]

# AWS's predefined cipher policies before TLS 1.2 are what `s3:TlsVersion` shuts out.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
MINIMUM_TLS = "1.2"
# Where the records of erasures are, as the functions know it (functions/erasures.py): it must be the same.
ERASURES = "erasures/"
# What it takes to work on a queue's messages.
CONSUME = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]


def document(*statements: Mapping[str, Any]) -> Policy:
    """Wrap statements in a policy of the current language version."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def allow(
    sid: str, actions: list[str], resource: str | list[str], condition: Mapping[str, Any] | None = None
) -> Policy:
    """One Allow statement of an identity policy."""
    statement: Policy = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return statement | ({"Condition": dict(condition)} if condition else {})


def trust(service: str) -> Policy:
    """Let an AWS service assume a role; Lambda does so only for functions of the role's own account.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


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


def uploader(bucket_arn: str, prefix: str, key_arn: str | None, region: str) -> Policy:
    """What LiveKit's egress may do: put recordings, abort an upload of its own, and no more.

    It reads, lists and deletes nothing. A multipart upload under a KMS key needs `kms:Decrypt` besides
    `kms:GenerateDataKey`; both only through S3 of this region and for this bucket.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    """
    put = allow("PutRecordings", ["s3:PutObject", "s3:AbortMultipartUpload"], f"{bucket_arn}/{prefix}*")
    if key_arn is None:
        return document(put)
    actions = ["kms:GenerateDataKey", "kms:Decrypt"]
    return document(put, allow("EncryptRecordings", actions, key_arn, _through_s3(bucket_arn, region)))


def uploader_trust(principal_arn: str, external_id: str) -> Policy:
    """Let the principal that LiveKit's egress runs as assume the uploader's role, when it says the external id.

    On a LiveKit that serves others too the id is what keeps those from having it write here: it is kept as a secret.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    """
    return document(
        {
            "Sid": "AssumeWithExternalId",
            "Effect": "Allow",
            "Principal": {"AWS": principal_arn},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    )


def receive(secret_arn: str, queue_arn: str, log_group_arn: str) -> Policy:
    """What `receive` may do: read the secret, enqueue, log."""
    return document(
        _read_secret(secret_arn),
        allow("Enqueue", ["sqs:SendMessage"], queue_arn),
        _write_log(log_group_arn),
    )


def deliver(
    *, secret_arn: str, queue_arn: str, dead_letter_queue_arn: str, bucket_arn: str, prefix: str, log_group_arn: str
) -> Policy:
    """What `deliver` may do: work the queue, bury what can never succeed, see which versions exist; never read one."""
    return document(
        _read_secret(secret_arn),
        allow("WorkQueue", CONSUME, queue_arn),
        allow("Bury", ["sqs:SendMessage"], dead_letter_queue_arn),
        _see_versions(bucket_arn, prefix),
        _write_log(log_group_arn),
    )


def play(
    *,
    secret_arn: str,
    bucket_arn: str,
    prefix: str,
    key_arn: str | None,
    region: str,
    log_group_arn: str,
    networks: Sequence[str] = (),
) -> Policy:
    """What `play` may do: read recordings and their revocation tags, so that the links it signs may too.

    And erasure records, to say of a recording that is not there whether it was erased. With `networks` the S3 links
    that it signs open from there only; its own requests bear their signature in a header.
    https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
    """
    read = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"]
    statements = [
        _read_secret(secret_arn),
        allow("ReadRecordings", read, f"{bucket_arn}/{prefix}*"),
        allow("ReadErasures", ["s3:GetObject"], f"{bucket_arn}/{ERASURES}*"),
        _write_log(log_group_arn),
    ]
    if key_arn is not None:
        statements.append(allow("DecryptRecordings", ["kms:Decrypt"], key_arn, _through_s3(bucket_arn, region)))
    if networks:
        elsewhere = {
            "NotIpAddress": {"aws:SourceIp": list(networks)},
            "StringEquals": {"s3:authType": "REST-QUERY-STRING"},
        }
        signed = allow("ListenFromNetworks", read[:2], f"{bucket_arn}/{prefix}*", elsewhere)
        statements.append(signed | {"Effect": "Deny"})
    return document(*statements)


def reconcile(
    *, secret_arn: str, queue_arn: str, arrivals_queue_arn: str, bucket_arn: str, prefix: str, log_group_arn: str
) -> Policy:
    """What `reconcile` may do: learn what arrived, see whether it is still there, and give events to `deliver`."""
    return document(
        _read_secret(secret_arn),
        allow("Enqueue", ["sqs:SendMessage"], queue_arn),
        allow("WorkArrivals", CONSUME, arrivals_queue_arn),
        _see_versions(bucket_arn, prefix),
        _write_log(log_group_arn),
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


def _read_secret(secret_arn: str) -> Policy:
    return allow("ReadSecret", ["secretsmanager:GetSecretValue"], secret_arn)


def _see_versions(bucket_arn: str, prefix: str) -> Policy:
    """See which versions exist: of recordings, and of the records of erasures.

    Who may not list is told 403 of what is not there, too: listing alone tells that something was not erased.
    """
    folders = [f"{prefix}*", f"{ERASURES}*"]
    return allow("SeeVersions", ["s3:ListBucketVersions"], bucket_arn, {"StringLike": {"s3:prefix": folders}})


def _write_log(log_group_arn: str) -> Policy:
    return allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group_arn}:*")


def _through_s3(bucket_arn: str, region: str) -> dict[str, Any]:
    """Limit a KMS action to S3 of this region acting for this bucket.

    With a bucket key the encryption context is the bucket's ARN, without one the object's: both are named.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    """
    return {
        "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket_arn, f"{bucket_arn}/*"]},
    }
