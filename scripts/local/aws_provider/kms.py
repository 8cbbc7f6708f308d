"""KMS keys and their aliases."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_aws import kms

from .aws import both_tags, ignore_missing, or_none, stale, tag_list, tags_of
from .equality import same_json, same_tail
from .resource import Created, Kind, Prop
from .schema import Failure
from .values import Unknown

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class Key(Kind):
    """`aws.kms.Key`; a key that waits for its deletion counts as gone."""

    pulumi_type = "aws:kms/key:Key"
    resource = kms.Key
    props = (
        Prop(name="deletionWindowInDays", computed=True, write_only=True),
        Prop(name="description", computed=True),
        Prop(name="enableKeyRotation", default=False),
        Prop(name="isEnabled", default=True),
        Prop(name="policy", computed=True, same=same_json),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="rotationPeriodInDays", computed=True),
        Prop(name="tags"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateKey."""
        arguments: dict[str, Any] = {"Tags": tag_list(inputs.get("tags", {}), "TagKey", "TagValue")}
        arguments |= {sent: inputs[name] for name, sent in _SENT.items() if name in inputs}
        return Created(id=aws.client("kms").create_key(**arguments)["KeyMetadata"]["KeyId"])

    def settle(self, aws: Aws, identity: str, inputs: Props) -> None:
        """Rotation and being switched off cannot be asked for at creation."""
        if inputs["enableKeyRotation"]:
            _rotate(aws, identity, inputs)
        if not inputs["isEnabled"]:
            aws.client("kms").disable_key(KeyId=identity)

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """DescribeKey, its policy, rotation and tags."""
        client = aws.client("kms")
        answer = or_none(client.describe_key, KeyId=identity)
        if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        metadata = answer["KeyMetadata"]
        rotation = client.get_key_rotation_status(KeyId=identity)
        tags = client.list_resource_tags(KeyId=identity)["Tags"]
        return {
            "arn": metadata["Arn"],
            "customerMasterKeySpec": metadata["CustomerMasterKeySpec"],
            "description": metadata["Description"],
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            "isEnabled": metadata["Enabled"],
            "keyId": metadata["KeyId"],
            "keyUsage": metadata["KeyUsage"],
            "multiRegion": metadata["MultiRegion"],
            "policy": client.get_key_policy(KeyId=identity, PolicyName="default")["Policy"],
            "region": aws.region,
            "rotationPeriodInDays": rotation.get("RotationPeriodInDays") if rotation["KeyRotationEnabled"] else None,
            **both_tags(tags_of(tags, "TagKey", "TagValue")),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Switches the key on first: a disabled key refuses the other changes."""
        client = aws.client("kms")
        if "isEnabled" in changed and inputs["isEnabled"]:
            client.enable_key(KeyId=identity)
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            _rotate(aws, identity, inputs)
        if "description" in changed:
            client.update_key_description(KeyId=identity, Description=inputs["description"])
        if "policy" in changed:
            client.put_key_policy(KeyId=identity, PolicyName="default", Policy=inputs["policy"])
        if "tags" in changed:
            _put_tags(aws, identity, inputs.get("tags", {}))
        if "isEnabled" in changed and not inputs["isEnabled"]:
            client.disable_key(KeyId=identity)

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """ScheduleKeyDeletion: AWS keeps a key for 7 to 30 days."""
        days = state.get("deletionWindowInDays")
        with ignore_missing():
            aws.client("kms").schedule_key_deletion(KeyId=identity, **({"PendingWindowInDays": days} if days else {}))


_SENT = {"description": "Description", "policy": "Policy"}


def _rotate(aws: Aws, key: str, inputs: Props) -> None:
    if not inputs["enableKeyRotation"]:
        aws.client("kms").disable_key_rotation(KeyId=key)
        return
    days = inputs.get("rotationPeriodInDays")
    aws.client("kms").enable_key_rotation(KeyId=key, **({"RotationPeriodInDays": days} if days else {}))


def _put_tags(aws: Aws, key: str, tags: dict[str, str]) -> None:
    client = aws.client("kms")
    had = tags_of(client.list_resource_tags(KeyId=key)["Tags"], "TagKey", "TagValue")
    if gone := stale(tags, had):
        client.untag_resource(KeyId=key, TagKeys=gone)
    if tags:
        client.tag_resource(KeyId=key, Tags=tag_list(tags, "TagKey", "TagValue"))


class Alias(Kind):
    """`aws.kms.Alias`; its id is its name, `alias/` included."""

    pulumi_type = "aws:kms/alias:Alias"
    resource = kms.Alias
    autonamed = "name"
    props = (
        Prop(name="name", computed=True, replaces=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="targetKeyId", same=same_tail),
    )

    def physical_name(self, proposed: str, inputs: Props) -> str:
        """Every alias starts with `alias/`."""
        return super().physical_name(f"alias/{proposed}", inputs)

    def check(self, inputs: Props) -> list[Failure]:
        """AWS wants `alias/` in front of an alias."""
        name = inputs["name"]
        if isinstance(name, Unknown) or name.startswith("alias/"):
            return []
        return [Failure("name", f"name must begin with 'alias/', not {name!r}")]

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateAlias."""
        aws.client("kms").create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
        return Created(id=inputs["name"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """Looks through ListAliases, as the real provider does."""
        client = aws.client("kms")
        pages = client.get_paginator("list_aliases").paginate()
        found = next((alias for page in pages for alias in page["Aliases"] if alias["AliasName"] == identity), None)
        if found is None:
            return None
        return {
            "arn": found["AliasArn"],
            "name": identity,
            "region": aws.region,
            "targetKeyArn": client.describe_key(KeyId=found["TargetKeyId"])["KeyMetadata"]["Arn"],
            "targetKeyId": found["TargetKeyId"],
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """The key it points at is all that can change."""
        aws.client("kms").update_alias(AliasName=identity, TargetKeyId=inputs["targetKeyId"])

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteAlias."""
        with ignore_missing():
            aws.client("kms").delete_alias(AliasName=identity)
