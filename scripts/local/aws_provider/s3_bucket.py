"""The bucket itself."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pulumi_aws import s3

from .aws import both_tags, code_of, ignore_missing, or_none, tag_list, tags_of
from .resource import Created, Kind, Prop

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

_CLASSIC_REGION = "us-east-1"  # the one region that is not sent as a location constraint


class Bucket(Kind):
    """`aws.s3.Bucket`; its settings are resources of their own (see `s3_settings`)."""

    pulumi_type = "aws:s3/bucket:Bucket"
    resource = s3.Bucket
    autonamed = "bucket"
    name_length = 63
    props = (
        Prop(name="bucket", computed=True, replaces=True),
        Prop(name="forceDestroy", default=False, write_only=True),
        Prop(name="objectLockEnabled", computed=True, replaces=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="tags"),
    )

    def physical_name(self, proposed: str, inputs: Props) -> str:
        """Bucket names are lower case."""
        return super().physical_name(proposed, inputs).lower()

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateBucket."""
        name = inputs["bucket"]
        arguments: dict[str, Any] = {
            "Bucket": name,
            "ObjectLockEnabledForBucket": inputs.get("objectLockEnabled", False),
        }
        if aws.region != _CLASSIC_REGION:
            arguments["CreateBucketConfiguration"] = {"LocationConstraint": aws.region}
        aws.client("s3").create_bucket(**arguments)
        return Created(id=name)

    def settle(self, aws: Aws, identity: str, inputs: Props) -> None:
        """Tags the bucket."""
        _put_tags(aws, identity, inputs.get("tags", {}))

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """HeadBucket, tags and object lock."""
        client = aws.client("s3")
        if or_none(client.head_bucket, Bucket=identity) is None:
            return None
        tags = _unless(client.get_bucket_tagging, "NoSuchTagSet", identity)
        lock = _unless(client.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError", identity)
        return {
            "arn": f"arn:aws:s3:::{identity}",
            "bucket": identity,
            "bucketDomainName": f"{identity}.s3.amazonaws.com",
            "bucketRegion": aws.region,
            "bucketRegionalDomainName": f"{identity}.s3.{aws.region}.amazonaws.com",
            "objectLockEnabled": lock is not None,
            "region": aws.region,
            **both_tags(tags_of(tags["TagSet"] if tags else [])),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Tags are all that can change."""
        if "tags" in changed:
            _put_tags(aws, identity, inputs.get("tags", {}))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Empties the bucket first when `forceDestroy` says so; else AWS refuses a bucket that holds something."""
        with ignore_missing():
            if state.get("forceDestroy"):
                _empty(aws, identity)
            aws.client("s3").delete_bucket(Bucket=identity)


def _put_tags(aws: Aws, bucket: str, tags: dict[str, str]) -> None:
    client = aws.client("s3")
    if tags:
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list(tags)})
    else:
        client.delete_bucket_tagging(Bucket=bucket)


def _unless(call: Any, code: str, bucket: str) -> Any:
    try:
        return call(Bucket=bucket)
    except ClientError as error:
        if code_of(error) == code:
            return None
        raise


def _empty(aws: Aws, bucket: str) -> None:
    client = aws.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        gone = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        if gone:
            # As the real provider does where the bucket has Object Lock.
            client.delete_objects(
                Bucket=bucket, Delete={"Objects": gone, "Quiet": True}, BypassGovernanceRetention=True
            )
