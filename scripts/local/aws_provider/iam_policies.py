"""IAM roles and the inline policies of roles and groups."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi_aws import iam

from .aws import both_tags, ignore_missing, or_none, stale, tag_list, tags_of
from .equality import same_json
from .errors import ImportIdError
from .resource import Created, Kind, Prop

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class Role(Kind):
    """`aws.iam.Role`."""

    pulumi_type = "aws:iam/role:Role"
    resource = iam.Role
    autonamed = "name"
    name_length = 64
    props = (
        Prop(name="assumeRolePolicy", same=same_json),
        Prop(name="description", default=""),
        Prop(name="forceDetachPolicies", default=False, write_only=True),
        Prop(name="maxSessionDuration", default=3600),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="path", default="/", replaces=True),
        Prop(name="tags"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateRole."""
        aws.client("iam").create_role(
            RoleName=inputs["name"],
            Path=inputs["path"],
            AssumeRolePolicyDocument=as_text(inputs["assumeRolePolicy"]),
            Description=inputs["description"],
            MaxSessionDuration=inputs["maxSessionDuration"],
            Tags=tag_list(inputs.get("tags", {})),
        )
        return Created(id=inputs["name"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetRole."""
        answer = or_none(aws.client("iam").get_role, RoleName=identity)
        if answer is None:
            return None
        role = answer["Role"]
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": as_text(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description", ""),
            "maxSessionDuration": role["MaxSessionDuration"],
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
            **both_tags(tags_of(role.get("Tags"))),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Trust, description, session length and tags."""
        client = aws.client("iam")
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(RoleName=identity, PolicyDocument=as_text(inputs["assumeRolePolicy"]))
        if changed & {"description", "maxSessionDuration"}:
            client.update_role(
                RoleName=identity, Description=inputs["description"], MaxSessionDuration=inputs["maxSessionDuration"]
            )
        if "tags" in changed:
            tags = inputs.get("tags", {})
            if gone := stale(tags, tags_of(client.list_role_tags(RoleName=identity)["Tags"])):
                client.untag_role(RoleName=identity, TagKeys=gone)
            if tags:
                client.tag_role(RoleName=identity, Tags=tag_list(tags))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteRole; with `forceDetachPolicies` policies made by others go first."""
        if state.get("forceDetachPolicies"):
            _strip(aws, identity)
        with ignore_missing():
            aws.client("iam").delete_role(RoleName=identity)


def _strip(aws: Aws, role: str) -> None:
    """Each step bears that what it takes away has just gone."""
    client = aws.client("iam")
    inline: Any = or_none(client.list_role_policies, RoleName=role)
    for name in inline["PolicyNames"] if inline else ():
        with ignore_missing():
            client.delete_role_policy(RoleName=role, PolicyName=name)
    managed: Any = or_none(client.list_attached_role_policies, RoleName=role)
    for policy in managed["AttachedPolicies"] if managed else ():
        with ignore_missing():
            client.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])


class InlinePolicy(Kind):
    """What the inline policies of roles and groups share; the id is `owner:policy`."""

    owner: ClassVar[str]
    owner_argument: ClassVar[str]
    autonamed = "name"
    name_length = 128

    def _call(self, aws: Aws, verb: str) -> Any:
        return getattr(aws.client("iam"), f"{verb}_{self.owner}_policy")

    def create(self, aws: Aws, inputs: Props) -> Created:
        """Put…Policy."""
        identity = f"{inputs[self.owner]}:{inputs['name']}"
        self.update(aws, identity, inputs, frozenset(), {})
        return Created(id=identity)

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """Get…Policy."""
        owner, name = self._parts(identity)
        answer = or_none(self._call(aws, "get"), **{self.owner_argument: owner, "PolicyName": name})
        if answer is None:
            return None
        return {self.owner: owner, "name": name, "policy": as_text(answer["PolicyDocument"])}

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Put…Policy again."""
        owner, name = self._parts(identity)
        document = as_text(inputs["policy"])
        self._call(aws, "put")(**{self.owner_argument: owner, "PolicyName": name, "PolicyDocument": document})

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Delete…Policy."""
        owner, name = self._parts(identity)
        with ignore_missing():
            self._call(aws, "delete")(**{self.owner_argument: owner, "PolicyName": name})

    def _parts(self, identity: str) -> tuple[str, str]:
        owner, colon, name = identity.partition(":")
        if not colon:
            raise ImportIdError(f"the id of an inline policy is {self.owner}:policy, not {identity!r}")
        return owner, name


class GroupPolicy(InlinePolicy):
    """`aws.iam.GroupPolicy`."""

    pulumi_type = "aws:iam/groupPolicy:GroupPolicy"
    resource = iam.GroupPolicy
    owner = "group"
    owner_argument = "GroupName"
    props = (
        Prop(name="group", replaces=True),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="policy", same=same_json),
    )


class RolePolicy(InlinePolicy):
    """`aws.iam.RolePolicy`."""

    pulumi_type = "aws:iam/rolePolicy:RolePolicy"
    resource = iam.RolePolicy
    owner = "role"
    owner_argument = "RoleName"
    props = (
        Prop(name="name", computed=True, replaces=True),
        Prop(name="policy", same=same_json),
        Prop(name="role", replaces=True),
    )


def as_text(document: Any) -> str:
    """Returns a policy as JSON text, whether the program or AWS gave text or an object."""
    return document if isinstance(document, str) else json.dumps(document)
