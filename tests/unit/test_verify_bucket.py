"""Each setting of the bucket: green as the program makes it, red when somebody changed it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra import resource_policies
from scripts.verify import bucket
from scripts.verify.hop import Outcome, Result
from tests.unit.test_verify_lifecycle import AGING, MARKERS
from tests.unit.verify_support import BUCKET, KEY_ARN, FakeAws, FakeClient, assert_failed, deployment, refusal, tried

ARN = f"arn:aws:s3:::{BUCKET}"
BLOCKS = dict.fromkeys(bucket.BLOCKS, True)


def encryption(algorithm: str = "aws:kms", key: str | None = KEY_ARN, *, bucket_key: bool = True) -> dict[str, Any]:
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


def policy(*without: str, extra: dict[str, Any] | None = None) -> dict[str, str]:
    document = resource_policies.bucket(ARN)
    kept = [statement for statement in document["Statement"] if statement["Sid"] not in without]
    return {"Policy": json.dumps({**document, "Statement": kept + ([extra] if extra else [])})}


def blocks(**changes: bool) -> dict[str, Any]:
    return {"PublicAccessBlockConfiguration": BLOCKS | changes}


def ownership(value: str) -> dict[str, Any]:
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": value}]}}


def lock(mode: str, **retention: int) -> dict[str, Any]:
    rule = {"DefaultRetention": {"Mode": mode, **retention}}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}


GOOD: dict[str, Any] = {
    "get_bucket_versioning": {"Status": "Enabled"},
    "get_bucket_encryption": encryption(),
    "get_public_access_block": blocks(),
    "get_bucket_ownership_controls": ownership("BucketOwnerEnforced"),
    "get_bucket_policy": policy(),
    "get_bucket_lifecycle_configuration": {"Rules": [AGING, MARKERS]},
    "get_bucket_logging": {},
    "get_object_lock_configuration": refusal("ObjectLockConfigurationNotFoundError"),
}
GOOD_KEY: dict[str, Any] = {
    "describe_key": {"KeyMetadata": {"KeyState": "Enabled"}},
    "get_key_rotation_status": {"KeyRotationEnabled": True},
}


def row(name: str, kms: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None, **s3: Any) -> Result:
    aws = FakeAws(clients={"s3": FakeClient(**(GOOD | s3)), "kms": FakeClient(**(GOOD_KEY | (kms or {})))})
    return tried(bucket.hops(deployment(aws, **(outputs or {}))), f"bucket.{name}")


ROWS = [
    "versioning",
    "encryption",
    "key",
    *bucket.BLOCKS,
    "ownership",
    "tls",
    "tls_version",
    "no_strangers",
    "lifecycle",
    "object_lock",
]


@pytest.mark.parametrize("name", ROWS)
def test_as_the_program_makes_it_all_hold(name: str) -> None:
    result = row(name)
    assert result.outcome is Outcome.OK, result
    assert result.seen


LET_IN = {"Sid": "LetIn", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{ARN}/*"}
CHANGED: list[tuple[str, str, Any, str]] = [
    ("versioning", "get_bucket_versioning", {}, "never enabled"),
    ("versioning", "get_bucket_versioning", {"Status": "Suspended"}, "Suspended"),
    ("encryption", "get_bucket_encryption", encryption("AES256", None), "AES256"),
    ("encryption", "get_bucket_encryption", encryption(key="arn:aws:kms:x:1:key/other"), "another key"),
    ("encryption", "get_bucket_encryption", encryption(bucket_key=False), "no bucket key"),
    (
        "encryption",
        "get_bucket_encryption",
        refusal("ServerSideEncryptionConfigurationNotFoundError"),
        "no default",
    ),
    *((name, "get_public_access_block", blocks(**{name: False}), f"{name} is off") for name in bucket.BLOCKS),
    (
        "BlockPublicAcls",
        "get_public_access_block",
        refusal("NoSuchPublicAccessBlockConfiguration"),
        "BlockPublicAcls is off",
    ),
    ("ownership", "get_bucket_ownership_controls", ownership("ObjectWriter"), "ObjectWriter"),
    ("ownership", "get_bucket_ownership_controls", refusal("OwnershipControlsNotFoundError"), "no rule"),
    ("tls", "get_bucket_policy", policy("DenyPlainHttp"), "no statement"),
    ("tls_version", "get_bucket_policy", policy("DenyOldTls"), "no statement"),
    ("tls", "get_bucket_policy", refusal("NoSuchBucketPolicy"), "no statement"),
    ("no_strangers", "get_bucket_policy", policy(extra=LET_IN), "LetIn"),
    ("lifecycle", "get_bucket_lifecycle_configuration", {"Rules": [AGING]}, "missing: delete markers"),
    ("object_lock", "get_object_lock_configuration", lock("COMPLIANCE", Days=1), "compliance, 1 d"),
    (
        "lifecycle",
        "get_bucket_lifecycle_configuration",
        {"Rules": [AGING | {"Expiration": {"Days": 1}}, MARKERS]},
        "not asked for: hidden after 1 d",
    ),
    (
        "lifecycle",
        "get_bucket_lifecycle_configuration",
        refusal("NoSuchLifecycleConfiguration"),
        "missing: to GLACIER_IR",
    ),
]


@pytest.mark.parametrize(("name", "call", "answer", "words"), CHANGED)
def test_a_changed_setting_is_found(name: str, call: str, answer: Any, words: str) -> None:
    result = row(name, **{call: answer})
    assert_failed(result, words)
    assert result.mend == "pulumi up --refresh --stack unit"


def test_only_the_changed_row_is_red() -> None:
    broken = {"get_public_access_block": blocks(RestrictPublicBuckets=False)}
    red = {name for name in ROWS if row(name, **broken).outcome is not Outcome.OK}
    assert red == {"RestrictPublicBuckets"}


def test_a_key_that_does_not_rotate_or_dies_is_found() -> None:
    assert_failed(row("key", kms={"get_key_rotation_status": {"KeyRotationEnabled": False}}), "does not rotate")
    assert_failed(row("key", kms={"describe_key": {"KeyMetadata": {"KeyState": "Disabled"}}}), "Disabled")
    dying = row("key", kms={"describe_key": {"KeyMetadata": {"KeyState": "PendingDeletion"}}})
    assert_failed(dying, "PendingDeletion")
    assert "cancel-key-deletion" in dying.mend


def test_encryption_by_s3_itself() -> None:
    own = {"key_arn": None}
    assert row("encryption", outputs=own, get_bucket_encryption=encryption("AES256", None)).outcome is Outcome.OK
    assert_failed(row("encryption", outputs=own), "aws:kms")
    assert row("key", outputs=own).outcome is Outcome.SKIPPED


def test_access_logs() -> None:
    assert row("access_logs").outcome is Outcome.SKIPPED
    asked = {"bucket_settings": {"accessLogs": f"{BUCKET}-access-logs"}}
    logged = {"LoggingEnabled": {"TargetBucket": f"{BUCKET}-access-logs"}}
    assert row("access_logs", outputs=asked, get_bucket_logging=logged).outcome is Outcome.OK
    assert_failed(row("access_logs", outputs=asked), "nowhere")


def test_a_bucket_that_is_gone_is_named() -> None:
    assert_failed(row("tls", get_bucket_policy=refusal("NoSuchBucket")), "no such bucket")


def test_a_refusal_of_the_operators_own_credentials_is_named() -> None:
    result = row("tls", get_bucket_policy=refusal("AccessDenied", "GetBucketPolicy"))
    assert_failed(result, "GetBucketPolicy: AccessDenied")
    assert "your own credentials" in result.cause


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        (lock("GOVERNANCE", Days=2190), "governance, 2190 d"),
        (lock("GOVERNANCE", Days=30), "governance, 30 d"),
        (lock("COMPLIANCE", Years=6), "compliance, 6 years"),
        ({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}, "not locked"),
        (refusal("ObjectLockConfigurationNotFoundError"), "not locked"),
    ],
)
def test_the_lock_is_the_one_asked_for(found: Any, seen: str) -> None:
    asked = {"bucket_settings": {"objectLock": "governance", "objectLockDays": 2190.0}}
    result = row("object_lock", outputs=asked, get_object_lock_configuration=found)
    assert (result.outcome is Outcome.OK) == (seen == "governance, 2190 d")
    assert result.seen == seen
