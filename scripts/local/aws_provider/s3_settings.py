"""What a bucket does with objects: versioning, encryption, access logs. The id of each is the bucket's name."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from pulumi_aws import s3

from .aws import ignore_missing, or_none
from .resource import Created, Kind, Prop, nested

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

BUCKET = Prop(name="bucket", replaces=True)
REGION = Prop(name="region", computed=True, replaces=True)


class BucketSetting(Kind):
    """What all settings share: writing one is the same call for creation and update."""

    identified_by = ("bucket",)

    @abstractmethod
    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """Writes the setting."""

    @abstractmethod
    def get(self, aws: Aws, bucket: str) -> Props | None:
        """Returns the setting, None when there is none or the bucket is gone."""

    @abstractmethod
    def remove(self, aws: Aws, bucket: str) -> None:
        """Takes the setting away."""

    def create(self, aws: Aws, inputs: Props) -> Created:
        """Writes the setting."""
        self.put(aws, inputs["bucket"], inputs)
        return Created(id=inputs["bucket"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """Reads the setting."""
        setting = self.get(aws, identity)
        return None if setting is None else {"bucket": identity, "region": aws.region, **setting}

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Writes the whole setting again."""
        self.put(aws, identity, inputs)

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Takes the setting away."""
        with ignore_missing():
            self.remove(aws, identity)


class BucketVersioning(BucketSetting):
    """`aws.s3.BucketVersioning`; taking it away suspends versioning, as nothing can undo it."""

    pulumi_type = "aws:s3/bucketVersioning:BucketVersioning"
    resource = s3.BucketVersioning
    props = (BUCKET, REGION, Prop(name="versioningConfiguration", nested=nested("status")))

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutBucketVersioning, except that `Disabled` means never having asked."""
        status = inputs["versioningConfiguration"]["status"]
        if status != "Disabled":
            _put_versioning(aws, bucket, status)

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetBucketVersioning."""
        answer = or_none(aws.client("s3").get_bucket_versioning, Bucket=bucket)
        return None if answer is None else {"versioningConfiguration": {"status": answer.get("Status", "Disabled")}}

    def remove(self, aws: Aws, bucket: str) -> None:
        """Suspends."""
        if aws.client("s3").get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
            _put_versioning(aws, bucket, "Suspended")


def _put_versioning(aws: Aws, bucket: str, status: str) -> None:
    aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


class BucketEncryption(BucketSetting):
    """`aws.s3.BucketServerSideEncryptionConfiguration`; AWS falls back to AES256 when it is taken away."""

    pulumi_type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    resource = s3.BucketServerSideEncryptionConfiguration
    props = (
        BUCKET,
        REGION,
        Prop(
            name="rules",
            nested=nested(
                "bucketKeyEnabled",
                "applyServerSideEncryptionByDefault.sseAlgorithm",
                "applyServerSideEncryptionByDefault.kmsMasterKeyId",
            ),
        ),
    )

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutBucketEncryption."""
        rules = [_encryption_rule(rule) for rule in inputs["rules"]]
        aws.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetBucketEncryption."""
        answer = or_none(aws.client("s3").get_bucket_encryption, Bucket=bucket)
        if answer is None:
            return None
        return {"rules": [_encryption_of(rule) for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]]}

    def remove(self, aws: Aws, bucket: str) -> None:
        """DeleteBucketEncryption."""
        aws.client("s3").delete_bucket_encryption(Bucket=bucket)


def _encryption_rule(rule: Props) -> dict[str, Any]:
    default = rule.get("applyServerSideEncryptionByDefault", {})
    sent: dict[str, Any] = {"BucketKeyEnabled": rule.get("bucketKeyEnabled", False)}
    if default:
        sent["ApplyServerSideEncryptionByDefault"] = {"SSEAlgorithm": default["sseAlgorithm"]}
        if key := default.get("kmsMasterKeyId"):
            sent["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] = key
    return sent


def _encryption_of(rule: dict[str, Any]) -> Props:
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    told = {"sseAlgorithm": default.get("SSEAlgorithm"), "kmsMasterKeyId": default.get("KMSMasterKeyID")}
    return {
        "applyServerSideEncryptionByDefault": {name: value for name, value in told.items() if value},
        "bucketKeyEnabled": rule.get("BucketKeyEnabled", False),
    }


class BucketLogging(BucketSetting):
    """`aws.s3.BucketLogging`."""

    pulumi_type = "aws:s3/bucketLogging:BucketLogging"
    resource = s3.BucketLogging
    props = (BUCKET, REGION, Prop(name="targetBucket"), Prop(name="targetPrefix", default=""))

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutBucketLogging."""
        enabled = {"TargetBucket": inputs["targetBucket"], "TargetPrefix": inputs["targetPrefix"]}
        aws.client("s3").put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetBucketLogging."""
        answer: Any = or_none(aws.client("s3").get_bucket_logging, Bucket=bucket)
        enabled = answer.get("LoggingEnabled") if answer else None
        if enabled is None:
            return None
        return {"targetBucket": enabled["TargetBucket"], "targetPrefix": enabled.get("TargetPrefix", "")}

    def remove(self, aws: Aws, bucket: str) -> None:
        """Logging is taken away by writing none."""
        aws.client("s3").put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
