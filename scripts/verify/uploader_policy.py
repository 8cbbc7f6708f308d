"""What IAM says the uploader may do, by whatever policy, against what it should."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from infra import identity_policies
from scripts.deployment import Deployment
from scripts.verify.bucket import bucket_arn
from scripts.verify.hop import Failed
from scripts.verify.probe import mend
from scripts.verify.statements import Document, Grant, grants
from scripts.verify.statements import read_document as _read
from scripts.verify.uploader_role import name_of

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


def check(deployment: Deployment) -> str:
    """Compare every policy of the user and of its groups, or of the role, with `infra.identity_policies.uploader`.

    A grant may be without effect today and still be one too many: the key's own attempts would not show it.
    """
    outputs = deployment.outputs
    wanted = grants(identity_policies.uploader(bucket_arn(outputs), outputs.prefix, outputs.key_arn, outputs.region))
    found: dict[Grant, str] = {}
    iam, role = deployment.aws.client("iam"), outputs.uploader_role_arn
    for origin, document in _role_documents(iam, name_of(role)) if role else documents(iam, outputs.uploader_user):
        found |= dict.fromkeys(grants(document), origin)
    extra = [f"too much: {grant} ({found[grant]})" for grant in sorted(set(found) - wanted)]
    missing = [f"missing: {grant}" for grant in sorted(wanted - set(found))]
    if extra or missing:
        cause = "somebody changed the uploader's policies behind Pulumi's back"
        raise Failed("; ".join([*extra, *missing]), cause=cause, mend=_mend(extra, found, wanted, deployment))
    return f"{len(found)} grants, exactly those of the program"


def _mend(extra: list[str], found: dict[Grant, str], wanted: set[Grant], deployment: Deployment) -> str:
    """Pulumi puts its own policies right; one that it did not make it does not see, so that must be named."""
    foreign = sorted({origin for grant, origin in found.items() if grant not in wanted and origin not in OWN})
    if not extra or not foreign:
        return mend(deployment)
    return f"remove from IAM what Pulumi did not make: {', '.join(foreign)}; then {mend(deployment)}"


OWN = ("the group's put-recordings", "the role's put-recordings")


def documents(iam: IAMClient, user: str) -> Generator[tuple[str, Document]]:
    """Every policy that counts for a user, with where it hangs."""
    for name in iam.list_user_policies(UserName=user)["PolicyNames"]:
        yield f"the user's {name}", _read(iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"])
    for policy in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]:
        yield f"attached {policy.get('PolicyName')}", _managed(iam, policy.get("PolicyArn", ""))
    for group in iam.list_groups_for_user(UserName=user)["Groups"]:
        yield from _group_documents(iam, group["GroupName"])


def _group_documents(iam: IAMClient, group: str) -> Generator[tuple[str, Document]]:
    for name in iam.list_group_policies(GroupName=group)["PolicyNames"]:
        yield f"the group's {name}", _read(iam.get_group_policy(GroupName=group, PolicyName=name)["PolicyDocument"])
    for policy in iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]:
        yield f"attached {policy.get('PolicyName')}", _managed(iam, policy.get("PolicyArn", ""))


def _role_documents(iam: IAMClient, role: str) -> Generator[tuple[str, Document]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield f"the role's {name}", _read(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        yield f"attached {policy.get('PolicyName')}", _managed(iam, policy.get("PolicyArn", ""))


def _managed(iam: IAMClient, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"].get("DefaultVersionId", "v1")
    return _read(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"].get("Document", {}))
