"""Who may do what: the policies of LiveKit's uploader and of each function, and who may act as them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.policy import Policy, allow, document

# Where the records of erasures are, as the functions know it (functions/erasures.py): it must be the same.
ERASURES = "erasures/"
# What it takes to work on a queue's messages.
CONSUME = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]


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


def trust(service: str) -> Policy:
    """Let an AWS service assume a role; Lambda does so only for functions of the role's own account.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


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

    And erasure records, which bar from playing: without that right what is being erased would play. With `networks`
    the S3 links that it signs open from there only; its own requests bear their signature in a header.
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
