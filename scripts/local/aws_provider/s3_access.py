"""Who may do what with a bucket: public access, ownership, policy. The id of each is the bucket's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_aws import s3

from .aws import or_none
from .equality import same_json
from .resource import Prop
from .s3_settings import BUCKET, REGION, BucketSetting

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

_BLOCKS = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


class BucketPublicAccessBlock(BucketSetting):
    """`aws.s3.BucketPublicAccessBlock`."""

    pulumi_type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    resource = s3.BucketPublicAccessBlock
    props = (BUCKET, REGION, *(Prop(name=name, default=False) for name in _BLOCKS))

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutPublicAccessBlock."""
        blocks = {sent: inputs[name] for name, sent in _BLOCKS.items()}
        aws.client("s3").put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocks)

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetPublicAccessBlock."""
        answer = or_none(aws.client("s3").get_public_access_block, Bucket=bucket)
        if answer is None:
            return None
        return {name: answer["PublicAccessBlockConfiguration"].get(sent, False) for name, sent in _BLOCKS.items()}

    def remove(self, aws: Aws, bucket: str) -> None:
        """DeletePublicAccessBlock."""
        aws.client("s3").delete_public_access_block(Bucket=bucket)


class BucketOwnershipControls(BucketSetting):
    """`aws.s3.BucketOwnershipControls`."""

    pulumi_type = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    resource = s3.BucketOwnershipControls
    props = (BUCKET, REGION, Prop(name="rule"))

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutBucketOwnershipControls."""
        rules = [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]
        aws.client("s3").put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": rules})

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetBucketOwnershipControls."""
        answer = or_none(aws.client("s3").get_bucket_ownership_controls, Bucket=bucket)
        if answer is None:
            return None
        return {"rule": {"objectOwnership": answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}}

    def remove(self, aws: Aws, bucket: str) -> None:
        """DeleteBucketOwnershipControls."""
        aws.client("s3").delete_bucket_ownership_controls(Bucket=bucket)


class BucketPolicy(BucketSetting):
    """`aws.s3.BucketPolicy`."""

    pulumi_type = "aws:s3/bucketPolicy:BucketPolicy"
    resource = s3.BucketPolicy
    props = (BUCKET, REGION, Prop(name="policy", same=same_json))

    def put(self, aws: Aws, bucket: str, inputs: Props) -> None:
        """PutBucketPolicy."""
        aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def get(self, aws: Aws, bucket: str) -> Props | None:
        """GetBucketPolicy."""
        answer = or_none(aws.client("s3").get_bucket_policy, Bucket=bucket)
        return None if answer is None else {"policy": answer["Policy"]}

    def remove(self, aws: Aws, bucket: str) -> None:
        """DeleteBucketPolicy."""
        aws.client("s3").delete_bucket_policy(Bucket=bucket)
