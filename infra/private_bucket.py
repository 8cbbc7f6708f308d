"""A bucket that nobody reads by accident."""

from __future__ import annotations

import json
from collections.abc import Callable

import pulumi
import pulumi_aws as aws

from infra.policy import Policy


class PrivateBucket(pulumi.ComponentResource):
    """A bucket without public access, without ACLs, encrypted, and closed to whatever comes without TLS.

    `policy` makes the bucket's policy from its ARN; `key_arn` is the KMS key, or None for S3's own encryption.
    `opts` of the component hold for every part of it, so that protection covers the settings along with the bucket.
    """

    def __init__(
        self,
        name: str,
        *,
        bucket: str,
        policy: Callable[[str], Policy],
        key_arn: pulumi.Input[str] | None,
        disposable: bool,
        tags: dict[str, str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("callrec:PrivateBucket", name, None, opts)
        part = pulumi.ResourceOptions(parent=self, protect=not disposable, retain_on_delete=not disposable)
        made = aws.s3.Bucket(name, bucket=bucket, force_destroy=disposable, tags=tags, opts=part)
        closed = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=made.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=part,
        )
        owned = aws.s3.BucketOwnershipControls(
            name, bucket=made.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=part
        )
        encrypted = aws.s3.BucketServerSideEncryptionConfiguration(
            name, bucket=made.bucket, rules=[encryption_rule(key_arn)], opts=part
        )
        guarded = aws.s3.BucketPolicy(
            name,
            bucket=made.bucket,
            policy=made.arn.apply(lambda arn: json.dumps(policy(arn))),
            opts=pulumi.ResourceOptions.merge(part, pulumi.ResourceOptions(depends_on=[closed])),
        )
        self.bucket = made
        self.settings: list[pulumi.Resource] = [closed, owned, encrypted, guarded]
        self.register_outputs({"bucket": made.bucket, "arn": made.arn})


def encryption_rule(
    key_arn: pulumi.Input[str] | None,
) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgs:
    """Default encryption: with a KMS key a bucket key saves most of the calls to KMS."""
    by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256" if key_arn is None else "aws:kms", kms_master_key_id=key_arn
    )
    return aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=by_default, bucket_key_enabled=key_arn is not None
    )
