"""What could be done to get other rights, other keys, or somebody else's secrets."""

from __future__ import annotations

import json

from tests.pipeline.attempts.actor import Attempt, decrypt, other

ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
EVERYTHING = ANYTHING.replace("{", "{{").replace("}", "}}")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

KEYS: dict[str, Attempt] = {
    "kms:Decrypt": decrypt,
    "kms:Encrypt": other("kms", "encrypt", KeyId="{kms_key}", Plaintext=b"x"),
    "kms:GenerateDataKey": other("kms", "generate_data_key", KeyId="{kms_key}", KeySpec="AES_256"),
    "kms:GenerateDataKeyWithoutPlaintext": other(
        "kms", "generate_data_key_without_plaintext", KeyId="{kms_key}", KeySpec="AES_256"
    ),
    "kms:DescribeKey": other("kms", "describe_key", KeyId="{kms_key}"),
    "kms:CreateGrant": other(
        "kms", "create_grant", KeyId="{kms_key}", GranteePrincipal="{play_role}", Operations=["Decrypt"]
    ),
    "kms:GetKeyPolicy": other("kms", "get_key_policy", KeyId="{kms_key}"),
    "kms:DisableKey": other("kms", "disable_key", KeyId="{kms_key}"),
    "kms:DisableKeyRotation": other("kms", "disable_key_rotation", KeyId="{kms_key}"),
    "kms:ScheduleKeyDeletion": other("kms", "schedule_key_deletion", KeyId="{kms_key}"),
    "kms:PutKeyPolicy": other("kms", "put_key_policy", KeyId="{kms_key}", PolicyName="default", Policy=EVERYTHING),
}

IDENTITIES: dict[str, Attempt] = {
    "iam:CreateUser": other("iam", "create_user", UserName="attempt"),
    "iam:CreateRole": other("iam", "create_role", RoleName="attempt", AssumeRolePolicyDocument=EVERYTHING),
    "iam:CreateAccessKey": other("iam", "create_access_key", UserName="{uploader}"),
    "iam:UpdateAccessKey": other(
        "iam", "update_access_key", UserName="{uploader}", AccessKeyId="{access_key}", Status="Inactive"
    ),
    "iam:DeleteAccessKey": other("iam", "delete_access_key", UserName="{uploader}", AccessKeyId="{access_key}"),
    "iam:ListAccessKeys": other("iam", "list_access_keys", UserName="{uploader}"),
    "iam:CreateLoginProfile": other("iam", "create_login_profile", UserName="{uploader}", Password="Attempt-1-Attempt"),
    "iam:AttachUserPolicy": other("iam", "attach_user_policy", UserName="{uploader}", PolicyArn=ADMINISTRATOR),
    "iam:PutUserPolicy": other(
        "iam", "put_user_policy", UserName="{uploader}", PolicyName="p", PolicyDocument=EVERYTHING
    ),
    "iam:AddUserToGroup": other("iam", "add_user_to_group", UserName="{uploader}", GroupName="attempt"),
    "iam:AttachRolePolicy": other("iam", "attach_role_policy", RoleName="{play_function}", PolicyArn=ADMINISTRATOR),
    "iam:PutRolePolicy": other(
        "iam", "put_role_policy", RoleName="{play_function}", PolicyName="own-step-only", PolicyDocument=EVERYTHING
    ),
    "iam:DeleteRolePolicy": other("iam", "delete_role_policy", RoleName="{play_function}", PolicyName="own-step-only"),
    "iam:UpdateAssumeRolePolicy": other(
        "iam", "update_assume_role_policy", RoleName="{play_function}", PolicyDocument=EVERYTHING
    ),
    "iam:GetRolePolicy": other("iam", "get_role_policy", RoleName="{play_function}", PolicyName="own-step-only"),
    "iam:ListUsers": other("iam", "list_users"),
    "iam:ListRoles": other("iam", "list_roles"),
    **{
        f"sts:AssumeRole {part}": other("sts", "assume_role", RoleArn=f"{{{part}_role}}", RoleSessionName="attempt")
        for part in ("receive", "deliver", "play", "reconcile")
    },
}

SECRETS: dict[str, Attempt] = {
    "secretsmanager:GetSecretValue": other("secretsmanager", "get_secret_value", SecretId="{secret}"),
    "secretsmanager:GetSecretValue uploader": other(
        "secretsmanager", "get_secret_value", SecretId="callrec-local-uploader"
    ),
    "secretsmanager:DescribeSecret": other("secretsmanager", "describe_secret", SecretId="{secret}"),
    "secretsmanager:ListSecrets": other("secretsmanager", "list_secrets"),
    "secretsmanager:PutSecretValue": other(
        "secretsmanager", "put_secret_value", SecretId="{secret}", SecretString="{{}}"
    ),
    "secretsmanager:UpdateSecret": other("secretsmanager", "update_secret", SecretId="{secret}", SecretString="{{}}"),
    "secretsmanager:PutResourcePolicy": other(
        "secretsmanager", "put_resource_policy", SecretId="{secret}", ResourcePolicy=EVERYTHING
    ),
    "secretsmanager:DeleteSecret": other("secretsmanager", "delete_secret", SecretId="{secret}"),
    "secretsmanager:DeleteSecret uploader": other("secretsmanager", "delete_secret", SecretId="callrec-local-uploader"),
}
