"""The lifecycle rules of a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_aws import s3

from .aws import or_none
from .resource import Prop, nested
from .s3_settings import BUCKET, REGION, BucketSetting

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

_NAMES = {
    "id": "ID",
    "status": "Status",
    "filter": "Filter",
    "prefix": "Prefix",
    "transitions": "Transitions",
    "days": "Days",
    "storageClass": "StorageClass",
    "expiration": "Expiration",
    "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    "noncurrentVersionExpiration": "NoncurrentVersionExpiration",
    "noncurrentDays": "NoncurrentDays",
    "newerNoncurrentVersions": "NewerNoncurrentVersions",
    "abortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
    "daysAfterInitiation": "DaysAfterInitiation",
}
_BACK = {sent: name for name, sent in _NAMES.items()}


class BucketLifecycleConfiguration(BucketSetting):
    """`aws.s3.BucketLifecycleConfiguration`, with the parts of a rule that say how long things are kept."""

    pulumi_type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    resource = s3.BucketLifecycleConfiguration
    props = (
        BUCKET,
        REGION,
        Prop(
            name="rules",
            nested=nested(
                "id",
                "status",
                "filter.prefix",
                "transitions.days",
                "transitions.storageClass",
                "expiration.days",
                "expiration.expiredObjectDeleteMarker",
                "noncurrentVersionExpiration.noncurrentDays",
                "noncurrentVersionExpiration.newerNoncurrentVersions",
                "abortIncompleteMultipartUpload.daysAfterInitiation",
            ),
        ),
        Prop(name="transitionDefaultMinimumObjectSize", computed=True),
    )

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutBucketLifecycleConfiguration; a rule must have a filter, an empty one is for everything."""
        rules = [{"Filter": {}} | _renamed(rule, _NAMES) for rule in inputs.get("rules", [])]
        arguments: dict[str, Any] = {"Bucket": bucket, "LifecycleConfiguration": {"Rules": rules}}
        if size := inputs.get("transitionDefaultMinimumObjectSize"):
            arguments["TransitionDefaultMinimumObjectSize"] = size
        aws.client("s3").put_bucket_lifecycle_configuration(**arguments)

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetBucketLifecycleConfiguration; what the stand-in cannot write shows under AWS's own name."""
        answer = or_none(aws.client("s3").get_bucket_lifecycle_configuration, Bucket=bucket)
        if answer is None:
            return None
        return {
            "rules": [_renamed(rule, _BACK) for rule in answer["Rules"]],
            "transitionDefaultMinimumObjectSize": answer.get("TransitionDefaultMinimumObjectSize"),
        }

    def remove(self, aws: Aws, bucket: str) -> None:
        """DeleteBucketLifecycle."""
        aws.client("s3").delete_bucket_lifecycle(Bucket=bucket)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
