"""Every policy, word for word: a change of any line must be a change of this file too."""

from __future__ import annotations

from typing import Any

import pytest

from infra import identity_policies, resource_policies
from infra.functions import erasures
from infra.policy import Policy, allow

BUCKET = "arn:aws:s3:::recordings"
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:callrec"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:events.fifo"
ARRIVALS = "arn:aws:sqs:us-east-1:123456789012:arrivals"
DEAD = "arn:aws:sqs:us-east-1:123456789012:events-dlq.fifo"
LOG = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
ACCOUNT = "123456789012"

VERSION = "2012-10-17"
READ_SECRET = {
    "Sid": "ReadSecret",
    "Effect": "Allow",
    "Action": ["secretsmanager:GetSecretValue"],
    "Resource": SECRET,
}
WRITE_LOG = {
    "Sid": "WriteLog",
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": f"{LOG}:*",
}
READ_ERASURES = {
    "Sid": "ReadErasures",
    "Effect": "Allow",
    "Action": ["s3:GetObject"],
    "Resource": f"{BUCKET}/erasures/*",
}
THROUGH_S3 = {
    "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
    "StringLike": {"kms:EncryptionContext:aws:s3:arn": [BUCKET, f"{BUCKET}/*"]},
}
TLS_ONLY = [
    {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
    {
        "Sid": "DenyOldTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    },
]

EXPECTED: dict[str, tuple[Policy, Any]] = {
    "bucket": (resource_policies.bucket(BUCKET), TLS_ONLY),
    "access_log_bucket": (
        resource_policies.access_log_bucket(BUCKET, "arn:aws:s3:::watched", ACCOUNT),
        [
            {
                "Sid": "AllowAccessLogs",
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"{BUCKET}/*",
                "Condition": {
                    "ArnLike": {"aws:SourceArn": "arn:aws:s3:::watched"},
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                },
            },
            *TLS_ONLY,
        ],
    ),
    "queue": (
        resource_policies.queue(QUEUE),
        [
            {
                "Sid": "DenyPlainHttp",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": QUEUE,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    ),
    "arrivals": (
        resource_policies.arrivals(ARRIVALS, BUCKET, ACCOUNT),
        [
            {
                "Sid": "AllowArrivals",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": ARRIVALS,
                "Condition": {
                    "ArnLike": {"aws:SourceArn": BUCKET},
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                },
            },
            {
                "Sid": "DenyPlainHttp",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": ARRIVALS,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    ),
    "alarm_topic": (
        resource_policies.alarm_topic(TOPIC, ACCOUNT, "aws", "us-east-1"),
        [
            {
                "Sid": "AllowAlarms",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": TOPIC,
                "Condition": {
                    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:*"},
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                },
            },
            {
                "Sid": "DenyPlainHttp",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": TOPIC,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    ),
    "recordings_key": (
        resource_policies.recordings_key(ACCOUNT, "aws"),
        [
            {
                "Sid": "AccountAdministersByIam",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    ),
    "trust": (
        identity_policies.trust("lambda.amazonaws.com"),
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    ),
    "uploader_trust": (
        identity_policies.uploader_trust("arn:aws:iam::210987654321:role/egress", "said-between-us"),
        [
            {
                "Sid": "AssumeWithExternalId",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::210987654321:role/egress"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "said-between-us"}},
            }
        ],
    ),
    "uploader with a key": (
        identity_policies.uploader(BUCKET, "recordings/", KEY, "us-east-1"),
        [
            {
                "Sid": "PutRecordings",
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": f"{BUCKET}/recordings/*",
            },
            {
                "Sid": "EncryptRecordings",
                "Effect": "Allow",
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": KEY,
                "Condition": THROUGH_S3,
            },
        ],
    ),
    "uploader without a key": (
        identity_policies.uploader(BUCKET, "calls/", None, "us-east-1"),
        [
            {
                "Sid": "PutRecordings",
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": f"{BUCKET}/calls/*",
            }
        ],
    ),
    "receive": (
        identity_policies.receive(SECRET, QUEUE, LOG),
        [
            READ_SECRET,
            {"Sid": "Enqueue", "Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": QUEUE},
            WRITE_LOG,
        ],
    ),
    "deliver": (
        identity_policies.deliver(
            secret_arn=SECRET,
            queue_arn=QUEUE,
            dead_letter_queue_arn=DEAD,
            bucket_arn=BUCKET,
            prefix="recordings/",
            log_group_arn=LOG,
        ),
        [
            READ_SECRET,
            {
                "Sid": "WorkQueue",
                "Effect": "Allow",
                "Action": [
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:GetQueueAttributes",
                ],
                "Resource": QUEUE,
            },
            {"Sid": "Bury", "Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": DEAD},
            {
                "Sid": "SeeVersions",
                "Effect": "Allow",
                "Action": ["s3:ListBucketVersions"],
                "Resource": BUCKET,
                "Condition": {"StringLike": {"s3:prefix": ["recordings/*", "erasures/*"]}},
            },
            WRITE_LOG,
        ],
    ),
    "reconcile": (
        identity_policies.reconcile(
            secret_arn=SECRET,
            queue_arn=QUEUE,
            arrivals_queue_arn=ARRIVALS,
            bucket_arn=BUCKET,
            prefix="recordings/",
            log_group_arn=LOG,
        ),
        [
            READ_SECRET,
            {"Sid": "Enqueue", "Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": QUEUE},
            {
                "Sid": "WorkArrivals",
                "Effect": "Allow",
                "Action": [
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:GetQueueAttributes",
                ],
                "Resource": ARRIVALS,
            },
            {
                "Sid": "SeeVersions",
                "Effect": "Allow",
                "Action": ["s3:ListBucketVersions"],
                "Resource": BUCKET,
                "Condition": {"StringLike": {"s3:prefix": ["recordings/*", "erasures/*"]}},
            },
            WRITE_LOG,
        ],
    ),
    "play with a key": (
        identity_policies.play(
            secret_arn=SECRET,
            bucket_arn=BUCKET,
            prefix="recordings/",
            key_arn=KEY,
            region="us-east-1",
            log_group_arn=LOG,
        ),
        [
            READ_SECRET,
            {
                "Sid": "ReadRecordings",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
                "Resource": f"{BUCKET}/recordings/*",
            },
            READ_ERASURES,
            WRITE_LOG,
            {
                "Sid": "DecryptRecordings",
                "Effect": "Allow",
                "Action": ["kms:Decrypt"],
                "Resource": KEY,
                "Condition": THROUGH_S3,
            },
        ],
    ),
    "play for some networks": (
        identity_policies.play(
            secret_arn=SECRET,
            bucket_arn=BUCKET,
            prefix="recordings/",
            key_arn=None,
            region="us-east-1",
            log_group_arn=LOG,
            networks=["203.0.113.0/24", "198.51.100.7"],
        ),
        [
            READ_SECRET,
            {
                "Sid": "ReadRecordings",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
                "Resource": f"{BUCKET}/recordings/*",
            },
            READ_ERASURES,
            WRITE_LOG,
            {
                "Sid": "ListenFromNetworks",
                "Effect": "Deny",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": f"{BUCKET}/recordings/*",
                "Condition": {
                    "NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.7"]},
                    "StringEquals": {"s3:authType": "REST-QUERY-STRING"},
                },
            },
        ],
    ),
    "play without a key": (
        identity_policies.play(
            secret_arn=SECRET,
            bucket_arn=BUCKET,
            prefix="recordings/",
            key_arn=None,
            region="us-east-1",
            log_group_arn=LOG,
        ),
        [
            READ_SECRET,
            {
                "Sid": "ReadRecordings",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
                "Resource": f"{BUCKET}/recordings/*",
            },
            READ_ERASURES,
            WRITE_LOG,
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_policy_is_word_for_word(name: str) -> None:
    written, statements = EXPECTED[name]
    assert written == {"Version": VERSION, "Statement": statements}


def test_dead_letters_come_from_one_queue() -> None:
    assert resource_policies.redrive_allow(QUEUE) == {"redrivePermission": "byQueue", "sourceQueueArns": [QUEUE]}


@pytest.mark.parametrize("name", EXPECTED)
def test_nothing_is_allowed_by_wildcard(name: str) -> None:
    for statement in EXPECTED[name][0]["Statement"]:
        if statement["Effect"] == "Allow" and name != "recordings_key":
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [action for action in actions if "*" in action]
            assert statement.get("Resource") != "*"


def test_a_condition_is_left_out_when_there_is_none() -> None:
    assert "Condition" not in allow("S", ["s3:GetObject"], BUCKET)


def test_the_records_of_erasures_are_where_the_functions_look() -> None:
    assert identity_policies.ERASURES == erasures.PREFIX
