"""Secrets Manager: secrets and their versions."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pulumi_aws import secretsmanager

from .aws import both_tags, code_of, ignore_missing, is_missing, or_none, stale, tag_list, tags_of
from .equality import same_tail
from .errors import ImportIdError
from .resource import Created, Kind, Prop, ReplacedKind
from .schema import Failure

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

_CURRENT = "AWSCURRENT"


class Secret(Kind):
    """`aws.secretsmanager.Secret`; a secret that waits for its deletion counts as gone."""

    pulumi_type = "aws:secretsmanager/secret:Secret"
    resource = secretsmanager.Secret
    autonamed = "name"
    props = (
        Prop(name="description", default=""),
        Prop(name="kmsKeyId", same=same_tail),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="recoveryWindowInDays", default=30, write_only=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="tags"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateSecret, without a value: that is a `SecretVersion`."""
        arguments: dict[str, Any] = {"Name": inputs["name"], "Description": inputs["description"]}
        if key := inputs.get("kmsKeyId"):
            arguments["KmsKeyId"] = key
        arguments["Tags"] = tag_list(inputs.get("tags", {}))
        return Created(id=aws.client("secretsmanager").create_secret(**arguments)["ARN"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """DescribeSecret."""
        secret = or_none(aws.client("secretsmanager").describe_secret, SecretId=identity)
        if secret is None or secret.get("DeletedDate"):
            return None
        return {
            "arn": secret["ARN"],
            "description": secret.get("Description", ""),
            "kmsKeyId": secret.get("KmsKeyId"),
            "name": secret["Name"],
            "region": aws.region,
            **both_tags(tags_of(secret.get("Tags"))),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """UpdateSecret and tags."""
        client = aws.client("secretsmanager")
        if changed & {"description", "kmsKeyId"}:
            key = inputs.get("kmsKeyId", "")
            client.update_secret(SecretId=identity, Description=inputs["description"], KmsKeyId=key)
        if "tags" in changed:
            tags = inputs.get("tags", {})
            if gone := stale(tags, tags_of(client.describe_secret(SecretId=identity).get("Tags"))):
                client.untag_resource(SecretId=identity, TagKeys=gone)
            if tags:
                client.tag_resource(SecretId=identity, Tags=tag_list(tags))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteSecret: at once with a recovery window of 0, else AWS keeps it that many days."""
        days = state.get("recoveryWindowInDays", 30)
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        with ignore_missing():
            aws.client("secretsmanager").delete_secret(SecretId=identity, **how)


class SecretVersion(ReplacedKind):
    """`aws.secretsmanager.SecretVersion`; its id is `secret ARN|version id`, a new value is a new version."""

    pulumi_type = "aws:secretsmanager/secretVersion:SecretVersion"
    resource = secretsmanager.SecretVersion
    secrets = frozenset({"secretString"})
    props = (
        Prop(name="region", computed=True, replaces=True),
        Prop(name="secretId", replaces=True),
        Prop(name="secretString", replaces=True),
    )

    def check(self, inputs: Props) -> list[Failure]:
        """A version holds something."""
        return [] if "secretString" in inputs else [Failure("secretString", "missing required property: secretString")]

    def create(self, aws: Aws, inputs: Props) -> Created:
        """PutSecretValue."""
        client = aws.client("secretsmanager")
        answer = client.put_secret_value(
            SecretId=inputs["secretId"], SecretString=inputs["secretString"], ClientRequestToken=str(uuid.uuid4())
        )
        return Created(id=f"{answer['ARN']}|{answer['VersionId']}")

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetSecretValue of that version."""
        secret, version = _parts(identity)
        answer = _value(aws, secret, version)
        if answer is None:
            return None
        return {
            "arn": answer["ARN"],
            "region": aws.region,
            "secretArn": answer["ARN"],
            "secretId": state.get("secretId", answer["ARN"]),
            "secretString": answer["SecretString"],
            "versionId": version,
            "versionStages": answer["VersionStages"],
        }

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Takes the stages away, after which AWS forgets the version; the current one goes with its secret."""
        secret, version = _parts(identity)
        client = aws.client("secretsmanager")
        with ignore_missing():
            stages = client.describe_secret(SecretId=secret).get("VersionIdsToStages", {}).get(version, [])
            for stage in sorted(set(stages) - {_CURRENT}):
                client.update_secret_version_stage(SecretId=secret, VersionStage=stage, RemoveFromVersionId=version)


def _parts(identity: str) -> tuple[str, str]:
    secret, bar, version = identity.partition("|")
    if not bar:
        raise ImportIdError(f"the id of a secret's version is ARN|version, not {identity!r}")
    return secret, version


def _value(aws: Aws, secret: str, version: str) -> Any:
    try:
        return aws.client("secretsmanager").get_secret_value(SecretId=secret, VersionId=version)
    except ClientError as error:
        if is_missing(error) or code_of(error) == "InvalidRequestException":
            return None  # the secret waits for its deletion
        raise
