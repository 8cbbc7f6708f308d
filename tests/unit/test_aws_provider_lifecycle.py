"""The AWS stand-in where AWS fails: half-made resources, functions that never get ready, things gone in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from scripts.local.aws_provider import functions, lifecycle
from scripts.local.aws_provider.errors import NotSettledError, ProviderError, sentence_of, sentence_without_values
from scripts.local.aws_provider.registry import KINDS
from scripts.local.aws_provider.settings import check_settings, settings_of
from scripts.local.aws_provider.target import AwsTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION = "us-east-1"
LOG_GROUP = KINDS["aws:cloudwatch/logGroup:LogGroup"]
SECRET = KINDS["aws:secretsmanager/secret:Secret"]


def refusal(code: str, operation: str = "Do") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "because"}}, operation)


class FakeAws:
    """Answers each method of any client from `answers`; records every call."""

    region = REGION

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def client(self, _service: str) -> Any:
        return self

    def __getattr__(self, method: str) -> Any:
        def answer(**arguments: Any) -> Any:
            self.calls.append((method, arguments))
            found = self.answers.get(method, {})
            found = found.pop(0) if isinstance(found, list) else found
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    def called(self, method: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == method]


def fake(**answers: Any) -> Any:
    return FakeAws(answers)


def test_a_resource_that_exists_but_failed_to_settle_is_remembered() -> None:
    aws = fake(put_retention_policy=refusal("InvalidParameterException", "PutRetentionPolicy"))
    with pytest.raises(lifecycle.HalfCreatedError) as caught:
        lifecycle.create(LOG_GROUP, aws, {"name": "/calls", "retentionInDays": 8, "__defaults": []})
    assert caught.value.identity == "/calls"
    assert caught.value.outputs == {"name": "/calls", "retentionInDays": 8, "skipDestroy": False}


def test_a_resource_that_could_not_be_made_is_not() -> None:
    with pytest.raises(ClientError):
        lifecycle.create(LOG_GROUP, fake(create_log_group=refusal("LimitExceeded")), {"name": "/calls"})


def test_a_resource_gone_right_after_its_update_is_an_error() -> None:
    gone = fake(describe_secret=refusal("ResourceNotFoundException"))
    with pytest.raises(ProviderError, match="gone right after it was written"):
        lifecycle.update(SECRET, gone, "arn", {"name": "s", "description": "new"}, state={"name": "s"})


def test_what_aws_refuses_for_another_reason_is_no_absence() -> None:
    for kind, method in (
        (SECRET, "describe_secret"),
        (KINDS["aws:s3/bucket:Bucket"], "get_bucket_tagging"),
        (KINDS["aws:s3/bucketPolicy:BucketPolicy"], "get_bucket_policy"),
    ):
        with pytest.raises(ClientError):
            lifecycle.read(kind, fake(**{method: refusal("AccessDenied")}), "x", {}, {})
    with pytest.raises(ClientError):
        lifecycle.read(
            KINDS["aws:secretsmanager/secretVersion:SecretVersion"],
            fake(get_secret_value=refusal("AccessDenied")),
            "arn|version",
            {},
            {},
        )


def test_a_version_of_a_secret_that_waits_for_its_deletion_is_gone() -> None:
    aws = fake(get_secret_value=refusal("InvalidRequestException"))
    kind = KINDS["aws:secretsmanager/secretVersion:SecretVersion"]
    assert lifecycle.read(kind, aws, "arn|version", {}, {}) is None


def test_a_user_goes_although_its_groups_and_keys_went_first() -> None:
    aws = fake(
        list_access_keys={"AccessKeyMetadata": [{"AccessKeyId": "AKIA1"}]},
        list_groups_for_user={"Groups": [{"GroupName": "g"}]},
        delete_access_key=refusal("NoSuchEntity"),
        remove_user_from_group=refusal("NoSuchEntity"),
    )
    lifecycle.delete(KINDS["aws:iam/user:User"], aws, "u", {"forceDestroy": True})
    assert aws.called("delete_user") == [{"UserName": "u"}]


def test_a_role_goes_although_its_policies_went_first() -> None:
    aws = fake(
        list_role_policies={"PolicyNames": ["p"]},
        list_attached_role_policies={"AttachedPolicies": [{"PolicyArn": "arn"}]},
        delete_role_policy=refusal("NoSuchEntity"),
        detach_role_policy=refusal("NoSuchEntity"),
    )
    lifecycle.delete(KINDS["aws:iam/role:Role"], aws, "r", {"forceDetachPolicies": True})
    assert aws.called("delete_role") == [{"RoleName": "r"}]


@pytest.mark.parametrize("kind", ["aws:iam/user:User", "aws:iam/role:Role"])
def test_a_forced_owner_that_is_gone_is_no_failure(kind: str) -> None:
    gone = refusal("NoSuchEntity")
    names = ("list_access_keys", "list_groups_for_user", "list_role_policies", "list_attached_role_policies")
    aws = fake(**dict.fromkeys((*names, "delete_user", "delete_role"), gone))
    lifecycle.delete(KINDS[kind], aws, "x", {"forceDestroy": True, "forceDetachPolicies": True})
    assert aws.calls


@pytest.mark.parametrize("region", [REGION, "eu-central-1"])
def test_the_classic_region_is_not_sent_as_a_constraint(region: str) -> None:
    aws = fake()
    aws.region = region
    KINDS["aws:s3/bucket:Bucket"].create(aws, {"bucket": "b", "objectLockEnabled": False})
    sent = aws.called("create_bucket")[0].get("CreateBucketConfiguration")
    assert sent == (None if region == REGION else {"LocationConstraint": region})


PENDING = {"State": "Pending", "LastUpdateStatus": "InProgress"}
READY = {"State": "Active", "LastUpdateStatus": "Successful"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "SETTLE_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
def test_a_function_is_waited_for() -> None:
    aws = fake(get_function_configuration=[PENDING, READY])
    KINDS["aws:lambda/function:Function"].settle(aws, "f", {"reservedConcurrentExecutions": -1})
    assert len(aws.called("get_function_configuration")) == 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (PENDING, "function f was not ready within 0 s"),
        ({"State": "Failed", "StateReason": "no such layer"}, "function f failed: no such layer"),
        ({"State": "Active", "LastUpdateStatus": "Failed"}, "function f failed: AWS gives no reason"),
    ],
)
def test_a_function_that_never_gets_ready_is_an_error(answer: dict[str, Any], sentence: str) -> None:
    aws = fake(get_function_configuration=answer)
    with pytest.raises(NotSettledError, match=sentence):
        KINDS["aws:lambda/function:Function"].settle(aws, "f", {"reservedConcurrentExecutions": -1})


def test_code_somebody_else_uploaded_is_no_longer_ours() -> None:
    kind = KINDS["aws:lambda/function:Function"]
    live = dict.fromkeys(("Runtime", "Role", "Handler", "Description", "MemorySize", "Timeout")) | {
        "Architectures": [],
        "CodeSha256": "theirs",
        "CodeSize": 1,
        "FunctionArn": "arn",
        "FunctionName": "f",
        "LastModified": "now",
        "LoggingConfig": {},
        "PackageType": "Zip",
        "Version": "$LATEST",
    }
    answers = {"get_function": {"Configuration": live}, "get_function_concurrency": {}}
    ours = {"code": "archive", "sourceCodeHash": "ours", "codeSha256": "ours"}
    theirs = lifecycle.read(kind, fake(**answers), "f", ours, {})
    assert theirs is not None
    assert "code" not in theirs[0]
    assert theirs[0]["sourceCodeHash"] == "theirs"
    same = lifecycle.read(kind, fake(**answers), "f", ours | {"codeSha256": "theirs"}, {})
    assert same is not None
    assert (same[0]["code"], same[0]["sourceCodeHash"]) == ("archive", "ours")


def test_errors_name_the_operation_and_never_a_value() -> None:
    assert sentence_of(refusal("NoSuchBucket", "HeadBucket")) == "HeadBucket: NoSuchBucket: because"
    refused = ParamValidationError(report="Invalid type for parameter SecretString, value: hush-hush, type: <int>")
    assert "SecretString" in sentence_without_values(refused)
    assert "hush-hush" not in sentence_without_values(refused)


def test_the_secret_key_of_the_target_is_not_shown() -> None:
    target = AwsTarget(endpoint_url="e", region=REGION, access_key_id="a", secret_access_key="hush-hush")
    assert "hush-hush" not in repr(target)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"region": REGION, "version": "7.51.1", "skipCredentialsValidation": "true"},
        {"defaultTags": '{"tags": {"app": "callrec"}}'},
        {"defaultTags": {"tags": {"app": "callrec"}}},
    ],
)
def test_configuration_the_stand_in_understands(config: dict[str, Any]) -> None:
    assert check_settings(config, REGION) == []
    expected = {"app": "callrec"} if "defaultTags" in config else {}
    assert settings_of(config).default_tags == expected


@pytest.mark.parametrize(
    ("config", "path", "reason"),
    [
        ({"region": "eu-west-1"}, "region", "must be us-east-1, where the local AWS was started, not eu-west-1"),
        ({"colour": "red"}, "colour", "pulumi-aws has no configuration colour"),
        ({"accessKey": "AKIA"}, "accessKey", "does not support configuration accessKey"),
        ({"defaultTags": "{tags"}, "defaultTags", "must be a JSON object"),
        ({"defaultTags": '{"labels": {}}'}, "defaultTags.labels", "no such property"),
        ({"defaultTags": '["tags"]'}, "defaultTags", "must be an object, not a list"),
    ],
)
def test_configuration_the_stand_in_cannot_be_is_named(config: dict[str, Any], path: str, reason: str) -> None:
    failures = {failure.path: failure.reason for failure in check_settings(config, REGION)}
    assert reason in failures[path]
