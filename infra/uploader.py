"""The key that LiveKit's egress uploads with."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra import policies
from infra.config import StackConfig
from infra.kept_secret import KeptSecret
from infra.storage import RecordingBucket


class EgressUploader(pulumi.ComponentResource):
    """An IAM user that can put recordings and do nothing else; its group carries the policy.

    The secret is a Pulumi secret, and stands in Secrets Manager as JSON
    `{"access_key_id", "secret_access_key", "bucket", "region"}`, readable by none of the functions. Where `deliver`
    starts recordings the key stands in the functions' secret too.
    """

    def __init__(self, name: str, config: StackConfig, storage: RecordingBucket) -> None:
        super().__init__("callrec:EgressUploader", name)
        own = pulumi.ResourceOptions(parent=self)
        group = aws.iam.Group(name, name=config.name("uploaders"), opts=own)
        permission = aws.iam.GroupPolicy(
            name,
            name="put-recordings",
            group=group.name,
            policy=pulumi.Output.all(storage.arn, storage.key_arn).apply(
                lambda arns: json.dumps(policies.uploader(arns[0], storage.prefix, arns[1], config.region))
            ),
            opts=own,
        )
        user = aws.iam.User(name, name=config.name("uploader"), tags=config.tags, opts=own)
        member = aws.iam.UserGroupMembership(name, user=user.name, groups=[group.name], opts=own)
        # No key before the bucket is closed, encrypted and versioned: a recording must never land in a half-made one.
        key = aws.iam.AccessKey(
            name,
            user=user.name,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, member, *storage.settings]),
        )
        KeptSecret(
            name,
            config,
            part="uploader",
            description="The write-only key of LiveKit's egress",
            contents=pulumi.Output.all(key.id, key.secret).apply(
                lambda pair: {
                    "access_key_id": pair[0],
                    "secret_access_key": pair[1],
                    "bucket": storage.name,
                    "region": config.region,
                }
            ),
            parent=self,
        )
        self.user = user.name
        self.access_key_id = key.id
        self.secret_access_key = pulumi.Output.secret(key.secret)
        self.register_outputs({"user": user.name, "accessKeyId": key.id})
