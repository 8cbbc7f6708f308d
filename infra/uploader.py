"""What LiveKit's egress uploads with: a user's access key, or a role that it assumes."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra import identity_policies
from infra.config import StackConfig
from infra.kept_secret import KeptSecret
from infra.storage import RecordingBucket

# What a start of a recording takes, by its name in the functions' secret: of the first two, or of the last two.
HANDED_OUT = ("access_key_id", "secret_access_key", "role_arn", "external_id")
STATUS = {"active": "Active", "inactive": "Inactive"}


class EgressUploader(pulumi.ComponentResource):
    """Somebody who can put recordings and do nothing else.

    `uploader: user`: an IAM user whose group carries the policy, with a key of the configured generation, and the one
    before while that is asked for. The secret is a Pulumi secret, and stands in Secrets Manager as JSON
    `{"access_key_id", "secret_access_key", "bucket", "region"}`, readable by none of the functions. Where `deliver`
    starts recordings the key stands in the functions' secret too.
    `uploader: role`: an IAM role that LiveKit's own principal assumes; no key exists, but for that of a user before,
    while `uploaderPreviousKey` keeps it for the recordings that were begun with it.
    """

    def __init__(self, name: str, config: StackConfig, storage: RecordingBucket) -> None:
        super().__init__("callrec:EgressUploader", name)
        policy = pulumi.Output.all(storage.arn, storage.key_arn).apply(
            lambda arns: json.dumps(identity_policies.uploader(arns[0], storage.prefix, arns[1], config.region))
        )
        self.user: pulumi.Input[str] = ""
        self.access_key_id: pulumi.Input[str] = ""
        self.secret_access_key: pulumi.Input[str] = ""
        self.role_arn: pulumi.Input[str] = ""
        generations = _generations(config)
        keys = self._keys(name, config, storage, policy, generations) if generations else {}
        if config.text("uploader") == "role":
            external_id = config.secrets["uploaderExternalId"]
            self.role_arn = self._role(name, config, storage, policy, external_id)
            self.handed_out = {"role_arn": self.role_arn, "external_id": external_id}
        else:
            key = keys[config.number("uploaderKeyGeneration")]
            self._keep(name, config, storage, key)
            self.access_key_id, self.secret_access_key = key.id, pulumi.Output.secret(key.secret)
            self.handed_out = {"access_key_id": key.id, "secret_access_key": self.secret_access_key}
        self.register_outputs({"user": self.user, "accessKeyId": self.access_key_id, "roleArn": self.role_arn})

    def _keys(
        self,
        name: str,
        config: StackConfig,
        storage: RecordingBucket,
        policy: pulumi.Output[str],
        generations: dict[int, str],
    ) -> dict[int, aws.iam.AccessKey]:
        """The user, and its keys by generation; the first bears the name that it always had."""
        own = pulumi.ResourceOptions(parent=self)
        group = aws.iam.Group(name, name=config.name("uploaders"), opts=own)
        permission = aws.iam.GroupPolicy(name, name="put-recordings", group=group.name, policy=policy, opts=own)
        user = aws.iam.User(name, name=config.name("uploader"), tags=config.tags, opts=own)
        member = aws.iam.UserGroupMembership(name, user=user.name, groups=[group.name], opts=own)
        self.user = user.name
        return {
            generation: aws.iam.AccessKey(
                name if generation == 1 else f"{name}-{generation}",
                user=user.name,
                status=status,
                # No key before the bucket is closed, encrypted and versioned: a recording must never land in a
                # half-made one.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, member, *storage.settings]),
            )
            for generation, status in generations.items()
        }

    def _keep(self, name: str, config: StackConfig, storage: RecordingBucket, key: aws.iam.AccessKey) -> None:
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

    def _role(
        self,
        name: str,
        config: StackConfig,
        storage: RecordingBucket,
        policy: pulumi.Output[str],
        external_id: pulumi.Output[str],
    ) -> pulumi.Output[str]:
        principal = config.text("uploaderPrincipal")
        role = aws.iam.Role(
            name,
            name=config.name("uploader"),
            assume_role_policy=external_id.apply(
                lambda said: json.dumps(identity_policies.uploader_trust(principal, said))
            ),
            tags=config.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=storage.settings),
        )
        aws.iam.RolePolicy(
            name, name="put-recordings", role=role.name, policy=policy, opts=pulumi.ResourceOptions(parent=self)
        )
        return role.arn


def _generations(config: StackConfig) -> dict[int, str]:
    """Generation -> status, of the keys that there are; of a role's stack just that of the user before."""
    newest, previous = config.number("uploaderKeyGeneration"), config.text("uploaderPreviousKey")
    kept = STATUS.get(previous)
    if config.text("uploader") == "role":
        return {newest: kept} if kept else {}
    return {newest: "Active", **({newest - 1: kept} if kept else {})}
