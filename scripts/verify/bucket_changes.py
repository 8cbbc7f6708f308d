"""Changes of the bucket that would change nothing: what is there now, put once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Name of the call, the call that reads the setting, and the arguments that put an answer of it back.
# The answers of S3 hold what the puts take, under these names.
Arguments = Callable[[Any], Mapping[str, Any]]
SETTINGS: tuple[tuple[str, str, str, Arguments], ...] = (
    ("PutBucketPolicy", "get_bucket_policy", "put_bucket_policy", lambda a: {"Policy": a["Policy"]}),
    (
        "PutBucketVersioning",
        "get_bucket_versioning",
        "put_bucket_versioning",
        lambda a: {"VersioningConfiguration": {"Status": a["Status"]}},
    ),
    (
        "PutBucketAcl",
        "get_bucket_acl",
        "put_bucket_acl",
        lambda a: {"AccessControlPolicy": {"Grants": a["Grants"], "Owner": a["Owner"]}},
    ),
    (
        "PutLifecycleConfiguration",
        "get_bucket_lifecycle_configuration",
        "put_bucket_lifecycle_configuration",
        lambda a: {"LifecycleConfiguration": {"Rules": a["Rules"]}},
    ),
    (
        "PutBucketObjectLockConfiguration",
        "get_object_lock_configuration",
        "put_object_lock_configuration",
        lambda a: {"ObjectLockConfiguration": a["ObjectLockConfiguration"]},
    ),
    (
        "PutPublicAccessBlock",
        "get_public_access_block",
        "put_public_access_block",
        lambda a: {"PublicAccessBlockConfiguration": a["PublicAccessBlockConfiguration"]},
    ),
    (
        "PutBucketEncryption",
        "get_bucket_encryption",
        "put_bucket_encryption",
        lambda a: {"ServerSideEncryptionConfiguration": a["ServerSideEncryptionConfiguration"]},
    ),
    (
        "PutBucketOwnershipControls",
        "get_bucket_ownership_controls",
        "put_bucket_ownership_controls",
        lambda a: {"OwnershipControls": {"Rules": a["OwnershipControls"]["Rules"]}},
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One setting, ready to be put as it was found."""

    name: str
    method: str
    arguments: Mapping[str, Any]

    def put(self, s3: S3Client) -> None:
        """Put the setting with whoever's client this is."""
        getattr(s3, self.method)(**self.arguments)

    def restore(self, operator: S3Client) -> None:
        """Put the setting once more with the operator's rights; ACLs may be refused, as they are out of use."""
        try:
            self.put(operator)
        except ClientError:
            if self.method != "put_bucket_acl":
                raise


def changes(operator: S3Client, bucket: str, key: str) -> list[Change]:
    """Every setting that is there now, and the tags of an object of ours: tags withdraw links."""
    tags = Change(
        name="PutObjectTagging",
        method="put_object_tagging",
        arguments={"Bucket": bucket, "Key": key, "Tagging": {"TagSet": []}},
    )
    found = [tags]
    for name, reading, putting, arguments in SETTINGS:
        answer = _answer(operator, reading, bucket)
        if answer is not None:
            found.append(Change(name=name, method=putting, arguments={"Bucket": bucket, **arguments(answer)}))
    return found


def _answer(operator: S3Client, method: str, bucket: str) -> Mapping[str, Any] | None:
    """The setting as it is; None when it is not there, so that nothing could be put back."""
    try:
        answer = getattr(operator, method)(Bucket=bucket)
    except ClientError:
        return None
    return None if method == "get_bucket_versioning" and "Status" not in answer else answer
