"""The bad twin's people and roles: too many rights, old keys, no second factor, trust in anybody."""

from __future__ import annotations

import json
from typing import Any

MANAGED = "arn:aws:iam::aws:policy"
STRANGER = "arn:aws:iam::210987654321:root"
EVERYTHING = {"Action": "*", "Resource": "*"}
# Policies of the account's own, each too wide in its way.
TOO_WIDE: dict[str, dict[str, Any]] = {
    "twin-everything": EVERYTHING,
    "twin-keys": {"Action": "kms:*", "Resource": "*"},
    "twin-trails": {"Action": "cloudtrail:*", "Resource": "*"},
    "twin-any-role": {"Action": "sts:AssumeRole", "Resource": "*"},
    "twin-escalation": {"Action": ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*"},
    "twin-market": {"Action": "aws-marketplace:Subscribe", "Resource": "*"},
    "twin-agents": {"Action": "bedrock-agentcore:GetWorkloadAccessToken", "Resource": "*"},
}
POOR_PASSWORDS = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
}


def policy(*statements: dict[str, Any]) -> str:
    """Allow statements as a policy in JSON."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    )


def make_identities(iam: Any) -> None:
    """Make all of them."""
    iam.update_account_password_policy(**POOR_PASSWORDS)
    for name, statement in TOO_WIDE.items():
        iam.create_policy(PolicyName=name, PolicyDocument=policy(statement))
    account = iam.get_user()["User"]["Arn"].split(":")[4]
    own = [f"arn:aws:iam::{account}:policy/{name}" for name in TOO_WIDE]
    iam.create_policy(PolicyName="twin-unattached", PolicyDocument=policy(EVERYTHING))
    _people(iam, own)
    _roles(iam, own)


def _people(iam: Any, own: list[str]) -> None:
    user, group = "twin-uploader", "twin-admins"
    iam.create_user(UserName=user)
    iam.create_login_profile(UserName=user, Password="Twin-1-Twin-2-Twin")
    for _ in range(2):
        iam.create_access_key(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=policy(*TOO_WIDE.values()))
    for arn in (*own[:1], f"{MANAGED}/AdministratorAccess", f"{MANAGED}/AWSCloudShellFullAccess"):
        iam.attach_user_policy(UserName=user, PolicyArn=arn)
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn=f"{MANAGED}/AdministratorAccess")
    iam.put_group_policy(GroupName=group, PolicyName="inline", PolicyDocument=policy(*TOO_WIDE.values()))
    iam.add_user_to_group(UserName=user, GroupName=group)


def _roles(iam: Any, own: list[str]) -> None:
    trusts: dict[str, Any] = {
        "twin-admin": {"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
        "twin-stranger": {"Principal": {"AWS": STRANGER}, "Action": "sts:AssumeRole"},
        "twin-service": {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
    for name, trusted in trusts.items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trusted))
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*TOO_WIDE.values()))
        for arn in (*own, f"{MANAGED}/AdministratorAccess"):
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    iam.attach_role_policy(RoleName="twin-stranger", PolicyArn=f"{MANAGED}/ReadOnlyAccess")
