"""Each role may do its own step and nothing else: every attempt with every role's deployed policy, on the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from scripts.aws_access import Key
from tests.audit.rights import REFUSALS
from tests.pipeline.attempts import ATTEMPTS, STREAM, Actor, Target
from tests.pipeline.calls import drained, upload, wait_for
from tests.pipeline.conftest import Local

pytestmark = pytest.mark.pipeline

MAY = {
    "uploader": {"s3:PutObject"},
    "receive": {"secretsmanager:GetSecretValue", "sqs:SendMessage"},
    "deliver": {
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage dlq",
        "sqs:ReceiveMessage",
        "sqs:GetQueueAttributes",
        "sqs:DeleteMessageBatch",
        "sqs:ChangeMessageVisibilityBatch",
        "s3:ListBucketVersions",
        "s3:ListBucketVersions erasures",
    },
    "reconcile": {
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
        "sqs:ReceiveMessage arrivals",
        "sqs:GetQueueAttributes arrivals",
        "sqs:DeleteMessageBatch arrivals",
        "sqs:ChangeMessageVisibilityBatch arrivals",
        "s3:ListBucketVersions",
        "s3:ListBucketVersions erasures",
    },
    "play": {
        "secretsmanager:GetSecretValue",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:GetObject erasure",
    },
}
# ministack judges PutLogEvents by the group's ARN, AWS by the stream's ("…:*"): here only what is refused can be shown.
OWN_LOG = {(part, f"logs:PutLogEvents {part}") for part in ("receive", "deliver", "play", "reconcile")}
CASES = [(role, attempt) for role in MAY for attempt in ATTEMPTS if (role, attempt) not in OWN_LOG]


@pytest.fixture(scope="module")
def target(local: Local) -> Iterator[Target]:
    for group in local.deployment.outputs.log_groups.values():
        local.deployment.aws.client("logs").create_log_stream(logGroupName=group, logStreamName=STREAM)
    version = upload(local, "calls/attempted.mp4", b"a recording")
    outputs = local.deployment.outputs
    assert outputs.key_arn is not None
    encrypted = local.deployment.aws.client("kms").encrypt(KeyId=outputs.key_arn, Plaintext=b"x")
    s3, erasure = local.deployment.aws.client("s3"), "erasures/EG_attempted.json"
    written = s3.put_object(Bucket=outputs.bucket, Key=erasure, Body=b"{}")["VersionId"]
    yield Target(outputs=outputs, key="calls/attempted.mp4", version=version, ciphertext=encrypted["CiphertextBlob"])
    s3.delete_object(Bucket=outputs.bucket, Key=erasure, VersionId=written)


@pytest.fixture(scope="module")
def actors(local: Local) -> Iterator[dict[str, Actor]]:
    """The uploader's own key, and for each function a user that carries its role's policy as deployed.

    A role's own credentials exist only inside its function; the emulator judges a user by the same document.
    """
    aws, outputs = local.deployment.aws, local.deployment.outputs
    iam = aws.client("iam")
    uploader = Key(access_key_id=outputs.uploader_access_key_id, secret_access_key=outputs.uploader_secret_access_key)
    made = {"uploader": Actor(aws=aws, key=uploader)}
    for part, name in outputs.functions.items():
        [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        user = f"probe-{part}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="same", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        made[part] = Actor(aws=aws, key=Key(access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]))
    yield made
    # What was sent by those who may: others count on empty queues.
    wait_for(lambda: drained(local), "an empty queue")
    aws.client("sqs").purge_queue(QueueUrl=outputs.dead_letter_queue_url)
    for part in outputs.functions:
        user = f"probe-{part}"
        for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=user, PolicyName="same")
        iam.delete_user(UserName=user)


@pytest.mark.parametrize(("role", "attempt"), CASES)
def test_a_role_does_its_own_step_only(role: str, attempt: str, actors: dict[str, Actor], target: Target) -> None:
    if attempt in MAY[role]:
        ATTEMPTS[attempt](actors[role], target)
        return
    with pytest.raises(ClientError) as refused:
        ATTEMPTS[attempt](actors[role], target)
    assert refused.value.response["Error"]["Code"] in REFUSALS


def test_a_function_has_no_other_policy(local: Local) -> None:
    iam = local.deployment.aws.client("iam")
    for name in local.deployment.outputs.functions.values():
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["own-step-only"]
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []


def test_every_role_of_the_stack_is_tried(local: Local) -> None:
    roles = {role["RoleName"] for role in local.deployment.aws.client("iam").list_roles()["Roles"]}
    assert {name for name in roles if name.startswith("callrec-")} == set(local.deployment.outputs.functions.values())
    assert set(MAY) == {"uploader", *local.deployment.outputs.functions}


def test_every_allowed_attempt_is_one_of_the_attempts() -> None:
    assert {attempt for allowed in MAY.values() for attempt in allowed} <= set(ATTEMPTS)
