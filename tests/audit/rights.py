"""That the attempts of tests/pipeline/attempts are refused for want of rights, and for nothing else.

An administrator makes every one of them, in a stack that is thrown away: a refusal then has another reason, and shows
nothing about the role that was refused.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from scripts.aws_access import Key
from scripts.deployment import Deployment
from tests.pipeline.attempts import ATTEMPTS, STREAM, Actor, Target

REFUSALS = {"AccessDenied", "AccessDeniedException", "AccessDenied.403", "AuthorizationError", "403"}
# A role's trust policy names who may become it: no right of the caller's own is enough.
BY_TRUST = "sts:AssumeRole"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def refused_to_an_administrator(deployment: Deployment) -> list[str]:
    """The attempts that are refused even so. The stack is of no use afterwards."""
    aws: Any = deployment.aws
    outputs = deployment.outputs
    for group in outputs.log_groups.values():
        aws.client("logs").create_log_stream(logGroupName=group, logStreamName=STREAM)
    key = f"{outputs.prefix}attempted.mp4"
    stored = aws.client("s3").put_object(Bucket=outputs.bucket, Key=key, Body=b"a recording")
    encrypted = aws.client("kms").encrypt(KeyId=outputs.key_arn, Plaintext=b"x")
    target = Target(outputs=outputs, key=key, version=stored["VersionId"], ciphertext=encrypted["CiphertextBlob"])
    iam = aws.client("iam")
    iam.create_user(UserName="administrator")
    iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    made = iam.create_access_key(UserName="administrator")["AccessKey"]
    actor = Actor(
        aws=deployment.aws, key=Key(access_key_id=made["AccessKeyId"], secret_access_key=made["SecretAccessKey"])
    )
    return [
        name for name, attempt in ATTEMPTS.items() if not name.startswith(BY_TRUST) and _refused(attempt, actor, target)
    ]


def _refused(attempt: Any, actor: Actor, target: Target) -> bool:
    try:
        attempt(actor, target)
    except ClientError as error:
        return error.response["Error"]["Code"] in REFUSALS
    return False
