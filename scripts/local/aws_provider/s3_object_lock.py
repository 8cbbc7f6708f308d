"""How long a bucket's new objects are locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_aws import s3

from .aws import or_none
from .resource import Prop, nested
from .s3_settings import BUCKET, REGION, BucketSetting

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class BucketObjectLockConfiguration(BucketSetting):
    """`aws.s3.BucketObjectLockConfiguration`; taken away, new objects are not locked, though they still could be."""

    pulumi_type = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    resource = s3.BucketObjectLockConfiguration
    props = (
        BUCKET,
        REGION,
        Prop(name="objectLockEnabled", default="Enabled", replaces=True),
        Prop(name="rule", nested=nested("defaultRetention.mode", "defaultRetention.days")),
    )

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutObjectLockConfiguration."""
        configuration: dict[str, Any] = {"ObjectLockEnabled": inputs["objectLockEnabled"]}
        if rule := inputs.get("rule"):
            default = rule["defaultRetention"]
            configuration["Rule"] = {"DefaultRetention": {"Mode": default["mode"], "Days": int(default["days"])}}
        aws.client("s3").put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetObjectLockConfiguration; without a rule it is what `remove` leaves."""
        answer = or_none(aws.client("s3").get_object_lock_configuration, Bucket=bucket)
        found = answer and answer["ObjectLockConfiguration"]
        if not found or "Rule" not in found:
            return None
        default = found["Rule"]["DefaultRetention"]
        told = {"mode": default["Mode"], "days": default.get("Days"), "years": default.get("Years")}
        retention = {name: value for name, value in told.items() if value is not None}
        return {"objectLockEnabled": found["ObjectLockEnabled"], "rule": {"defaultRetention": retention}}

    def remove(self, aws: Aws, bucket: str) -> None:
        """As the real provider does: Object Lock itself cannot be taken from a bucket again."""
        aws.client("s3").put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )
