"""IAM users, groups, who is in which, and access keys."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pulumi_aws import iam

from .aws import both_tags, ignore_missing, or_none, stale, tag_list, tags_of
from .equality import same_set
from .errors import ImportIdError
from .resource import Created, Kind, Prop, ReplacedKind

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class User(Kind):
    """`aws.iam.User`. Unlike on AWS a new name or path makes a new user: the emulator has no UpdateUser."""

    pulumi_type = "aws:iam/user:User"
    resource = iam.User
    autonamed = "name"
    name_length = 64
    props = (
        Prop(name="forceDestroy", default=False, write_only=True),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="path", default="/", replaces=True),
        Prop(name="tags"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateUser."""
        tags = tag_list(inputs.get("tags", {}))
        aws.client("iam").create_user(UserName=inputs["name"], Path=inputs["path"], Tags=tags)
        return Created(id=inputs["name"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetUser."""
        answer = or_none(aws.client("iam").get_user, UserName=identity)
        if answer is None:
            return None
        user = answer["User"]
        return {
            "arn": user["Arn"],
            "name": user["UserName"],
            "path": user["Path"],
            "uniqueId": user["UserId"],
            **both_tags(tags_of(user.get("Tags"))),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Tags are all that can change."""
        if "tags" not in changed:
            return
        client, tags = aws.client("iam"), inputs.get("tags", {})
        if gone := stale(tags, tags_of(client.list_user_tags(UserName=identity)["Tags"])):
            client.untag_user(UserName=identity, TagKeys=gone)
        if tags:
            client.tag_user(UserName=identity, Tags=tag_list(tags))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteUser; with `forceDestroy` its keys and memberships made by others go first."""
        if state.get("forceDestroy"):
            _strip(aws, identity)
        with ignore_missing():
            aws.client("iam").delete_user(UserName=identity)


def _strip(aws: Aws, user: str) -> None:
    """Each step bears that what it takes away has just gone: groups are destroyed beside their users."""
    client = aws.client("iam")
    keys: Any = or_none(client.list_access_keys, UserName=user)
    for key in keys["AccessKeyMetadata"] if keys else ():
        with ignore_missing():
            client.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    groups: Any = or_none(client.list_groups_for_user, UserName=user)
    for group in groups["Groups"] if groups else ():
        _leave(aws, user, group["GroupName"])


class Group(ReplacedKind):
    """`aws.iam.Group`. Unlike on AWS a new name or path makes a new group, as with `User`."""

    pulumi_type = "aws:iam/group:Group"
    resource = iam.Group
    autonamed = "name"
    name_length = 128
    props = (Prop(name="name", computed=True, replaces=True), Prop(name="path", default="/", replaces=True))

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateGroup."""
        aws.client("iam").create_group(GroupName=inputs["name"], Path=inputs["path"])
        return Created(id=inputs["name"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetGroup."""
        answer = or_none(aws.client("iam").get_group, GroupName=identity)
        if answer is None:
            return None
        group = answer["Group"]
        return {"arn": group["Arn"], "name": group["GroupName"], "path": group["Path"], "uniqueId": group["GroupId"]}

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteGroup."""
        with ignore_missing():
            aws.client("iam").delete_group(GroupName=identity)


class UserGroupMembership(Kind):
    """`aws.iam.UserGroupMembership`; memberships it did not make are none of its business."""

    pulumi_type = "aws:iam/userGroupMembership:UserGroupMembership"
    resource = iam.UserGroupMembership
    props = (Prop(name="groups", same=same_set), Prop(name="user", replaces=True))

    def create(self, aws: Aws, inputs: Props) -> Created:
        """Draws an id of the real provider's form: AWS has none for this."""
        return Created(id=f"terraform-{datetime.now(UTC):%Y%m%d%H%M%S%f}{secrets.token_hex(4)}")

    def settle(self, aws: Aws, identity: str, inputs: Props) -> None:
        """AddUserToGroup for each."""
        for group in inputs["groups"]:
            aws.client("iam").add_user_to_group(UserName=inputs["user"], GroupName=group)

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """ListGroupsForUser, of which only the groups in the state count (`user/group/…` for an import)."""
        user, *groups = [state["user"], *state["groups"]] if state else identity.split("/")
        if not groups:
            raise ImportIdError(f"a membership is imported as user/group/…, not {identity!r}")
        client = aws.client("iam")
        if or_none(client.get_user, UserName=user) is None:
            return None
        pages = client.get_paginator("list_groups_for_user").paginate(UserName=user)
        member_of = {group["GroupName"] for page in pages for group in page["Groups"]}
        kept = [group for group in groups if group in member_of]
        return {"user": user, "groups": kept} if kept else None

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Joins what is new, leaves what is no longer wanted."""
        self.settle(aws, identity, inputs)
        for group in sorted(set(state["groups"]) - set(inputs["groups"])):
            _leave(aws, state["user"], group)

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Leaves every group."""
        for group in state["groups"]:
            _leave(aws, state["user"], group)


def _leave(aws: Aws, user: str, group: str) -> None:
    with ignore_missing():
        aws.client("iam").remove_user_from_group(UserName=user, GroupName=group)


class AccessKey(Kind):
    """`aws.iam.AccessKey`; AWS tells its secret once, after that the state holds it, as a Pulumi secret."""

    pulumi_type = "aws:iam/accessKey:AccessKey"
    resource = iam.AccessKey
    secrets = frozenset({"secret"})
    props = (Prop(name="status", default="Active"), Prop(name="user", replaces=True))

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateAccessKey."""
        key = aws.client("iam").create_access_key(UserName=inputs["user"])["AccessKey"]
        return Created(id=key["AccessKeyId"], extra={"secret": key["SecretAccessKey"]})

    def settle(self, aws: Aws, identity: str, inputs: Props) -> None:
        """A new key is active."""
        if inputs["status"] != "Active":
            self.update(aws, identity, inputs, frozenset({"status"}), {})

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """ListAccessKeys of the user; whose an imported key is, AWS tells."""
        client = aws.client("iam")
        user: Any = state.get("user") or _owner(aws, identity)
        listed: Any = or_none(client.list_access_keys, UserName=user) if user else None
        keys: list[Any] = listed["AccessKeyMetadata"] if listed else []
        found = next((key for key in keys if key["AccessKeyId"] == identity), None)
        if found is None:
            return None
        return {
            "createDate": found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "secret": state.get("secret"),
            "status": found["Status"],
            "user": user,
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """The status is all that can change."""
        client = aws.client("iam")
        client.update_access_key(UserName=inputs["user"], AccessKeyId=identity, Status=inputs["status"])

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteAccessKey."""
        with ignore_missing():
            aws.client("iam").delete_access_key(UserName=state["user"], AccessKeyId=identity)


def _owner(aws: Aws, key: str) -> Any:
    answer: Any = or_none(aws.client("iam").get_access_key_last_used, AccessKeyId=key)
    return answer["UserName"] if answer else None
