"""The role that LiveKit uploads with: who may assume it, and what it may do where one's own credentials may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infra import identity_policies
from scripts.aws_access import Key
from scripts.deployment import Deployment
from scripts.verify.hop import Failed, Skipped, code_of
from scripts.verify.probe import mend
from scripts.verify.statements import read_document

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SESSION = "callrec-verify"


def name_of(role_arn: str) -> str:
    """The role's name."""
    return role_arn.rpartition("/")[2]


def client(deployment: Deployment) -> S3Client:
    """S3 as the role sees it. Raises Skipped where one may not assume it, as it should be."""
    try:
        made = deployment.aws.client("sts").assume_role(
            RoleArn=deployment.outputs.uploader_role_arn,
            RoleSessionName=SESSION,
            ExternalId=deployment.config.get("uploaderExternalId", ""),
        )["Credentials"]
    except ClientError as error:
        if code_of(error) != "AccessDenied":
            raise
        principal = deployment.config.get("uploaderPrincipal", "LiveKit's principal")
        raise Skipped(f"only {principal} may assume the role, not you") from None
    key = Key(
        access_key_id=made["AccessKeyId"],
        secret_access_key=made["SecretAccessKey"],
        session_token=made["SessionToken"],
    )
    return deployment.aws.client("s3", key)


def trusted(deployment: Deployment) -> str:
    """Compare who may assume the role with `infra.identity_policies.uploader_trust`."""
    config = deployment.config
    name = name_of(deployment.outputs.uploader_role_arn)
    found = read_document(
        deployment.aws.client("iam").get_role(RoleName=name)["Role"].get("AssumeRolePolicyDocument", {})
    )
    wanted = identity_policies.uploader_trust(config.get("uploaderPrincipal", ""), config.get("uploaderExternalId", ""))
    if found != wanted:
        cause = "somebody changed the role's trust policy behind Pulumi's back"
        raise Failed("somebody else may assume the role, or LiveKit may not", cause=cause, mend=mend(deployment))
    return f"{config.get('uploaderPrincipal')}, with the external id"
