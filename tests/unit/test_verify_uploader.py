"""The write-only key: what works, what must be refused, and its policies as IAM has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra import identity_policies
from infra.policy import allow, document
from scripts.verify import uploader
from scripts.verify.hop import Outcome, Result
from scripts.verify.probe import Probe
from tests.unit.verify_support import (
    BUCKET,
    KEY_ARN,
    PREFIX,
    REGION,
    FakeAws,
    FakeClient,
    assert_failed,
    deployment,
    refusal,
    tried,
)

DENIED = refusal("AccessDenied")
PUT = {
    "put_object": {"ServerSideEncryption": "aws:kms"},
    "create_multipart_upload": {"UploadId": "U1"},
    "upload_part": {"ETag": "e"},
    "complete_multipart_upload": {},
    "abort_multipart_upload": {},
}
READS = ("get_object", "head_object", "get_object_tagging", "get_object_acl")
LISTS = ("list_objects_v2", "list_object_versions", "list_multipart_uploads", "list_buckets")
CHANGES = (
    "put_object_tagging",
    "put_bucket_policy",
    "put_bucket_versioning",
    "put_bucket_acl",
    "put_bucket_lifecycle_configuration",
    "put_object_lock_configuration",
    "put_public_access_block",
    "put_bucket_encryption",
    "put_bucket_ownership_controls",
)
REFUSED = dict.fromkeys([*READS, *LISTS, *CHANGES, "delete_object"], DENIED)
SETTINGS: dict[str, Any] = {
    "list_object_versions": {"Versions": [{"VersionId": "v1"}]},
    "list_multipart_uploads": {},
    "get_bucket_policy": {"Policy": "{}"},
    "get_bucket_versioning": {"Status": "Enabled"},
    "get_bucket_acl": {"Grants": [], "Owner": {"ID": "o"}},
    "get_bucket_lifecycle_configuration": {"Rules": [{"ID": "r"}]},
    "get_public_access_block": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
    "get_object_lock_configuration": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
    "get_bucket_encryption": {"ServerSideEncryptionConfiguration": {"Rules": []}},
    "get_bucket_ownership_controls": {"OwnershipControls": {"Rules": []}},
    **{call: {} for call in CHANGES},
}


def put_inside(**arguments: Any) -> Any:
    """Allows puts under the prefix only, as the policy does."""
    if not arguments["Key"].startswith(PREFIX):
        raise DENIED
    return {"ServerSideEncryption": "aws:kms", "UploadId": "U1"}


INSIDE_ONLY = {"put_object": put_inside, "create_multipart_upload": put_inside}


def row(name: str, operator: Any = None, **answers: Any) -> tuple[Result, FakeAws]:
    aws = FakeAws(
        clients={"s3": FakeClient(**(SETTINGS | (operator or {})))},
        uploader=FakeClient(**(PUT | REFUSED | INSIDE_ONLY | answers)),
    )
    return tried(uploader.hops(deployment(aws), Probe.new(PREFIX)), f"uploader.{name}"), aws


@pytest.mark.parametrize("name", ["put", "multipart", "abort", "outside", "read", "list", "delete", "change"])
def test_a_write_only_key_passes(name: str) -> None:
    result, _ = row(name)
    assert result.outcome is Outcome.OK, result


def test_the_parts_are_large_enough_for_s3() -> None:
    _, aws = row("multipart")
    first, second = aws.uploader.called("upload_part")
    assert len(first["Body"]) == 5 * 1024 * 1024
    assert 0 < len(second["Body"]) < len(first["Body"])


@pytest.mark.parametrize(
    ("name", "call"),
    [("put", "put_object"), ("multipart", "complete_multipart_upload"), ("abort", "abort_multipart_upload")],
)
@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "SignatureDoesNotMatch", "SlowDown"])
def test_a_key_that_cannot_do_its_work_is_named(name: str, call: str, code: str) -> None:
    result, _ = row(name, **{call: refusal(code, "PutObject")})
    assert_failed(result, f"PutObject: {code}")


def test_a_new_key_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([refusal("InvalidAccessKeyId"), {}])
    pauses: list[float] = []
    monkeypatch.setattr(uploader.time, "sleep", pauses.append)

    def put(**_: Any) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    result, _ = row("put", put_object=put)
    assert result.outcome is Outcome.OK
    assert pauses == [1.0]


def test_a_deleted_key_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploader, "FRESH_KEY_SECONDS", -1.0)
    result, _ = row("put", put_object=refusal("InvalidAccessKeyId", "PutObject"))
    assert_failed(result, "InvalidAccessKeyId")


def test_an_upload_that_survives_its_abort_is_found() -> None:
    result, _ = row("abort", operator={"list_multipart_uploads": {"Uploads": [{"UploadId": "U1"}]}})
    assert_failed(result, "still there")


@pytest.mark.parametrize(
    ("name", "call", "words"),
    [
        ("outside", "put_object", "PutObject"),
        ("outside", "create_multipart_upload", "CreateMultipartUpload"),
        ("read", "get_object", "GetObject, GetObject of a version"),
        ("read", "head_object", "HeadObject"),
        ("read", "get_object_tagging", "GetObjectTagging"),
        ("read", "get_object_acl", "GetObjectAcl"),
        ("list", "list_objects_v2", "ListObjects"),
        ("list", "list_object_versions", "ListObjectVersions"),
        ("list", "list_multipart_uploads", "ListMultipartUploads"),
        ("list", "list_buckets", "ListBuckets"),
        ("delete", "delete_object", "DeleteObject, DeleteObject of a version"),
        *(("change", call, "it can: Put") for call in CHANGES),
    ],
)
def test_a_key_that_can_too_much_is_found(name: str, call: str, words: str) -> None:
    result, _ = row(name, **{call: {}})
    assert_failed(result, words)
    assert result.seen.startswith("it can: ")


@pytest.mark.parametrize("code", ["NoSuchKey", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidArgument"])
def test_another_answer_than_a_refusal_proves_nothing(code: str) -> None:
    result, _ = row("read", get_object=refusal(code))
    assert_failed(result, f"GetObject: {code}")
    assert "proves nothing" in result.cause


def test_a_refused_head_has_only_a_number() -> None:
    result, _ = row("read", head_object=refusal("403"))
    assert result.outcome is Outcome.OK


def test_what_a_key_changed_is_put_back() -> None:
    result, aws = row(
        "change", put_bucket_policy={}, operator={"put_bucket_acl": refusal("AccessControlListNotSupported")}
    )
    assert_failed(result, "PutBucketPolicy")
    assert aws.clients["s3"].called("put_bucket_policy") == [{"Bucket": BUCKET, "Policy": "{}"}]
    assert aws.uploader.called("put_bucket_policy") == [{"Bucket": BUCKET, "Policy": "{}"}]


def test_a_setting_that_cannot_be_put_back_is_said() -> None:
    result, _ = row(
        "change", put_bucket_policy={}, operator={"put_bucket_policy": refusal("AccessDenied", "PutBucketPolicy")}
    )
    assert_failed(result, "PutBucketPolicy: AccessDenied")


def test_settings_that_are_not_there_are_not_tried() -> None:
    absent = {
        "get_bucket_lifecycle_configuration": refusal("NoSuchLifecycleConfiguration"),
        "get_bucket_versioning": {},
    }
    result, aws = row("change", operator=absent)
    assert result.outcome is Outcome.OK
    assert not aws.uploader.called("put_bucket_lifecycle_configuration")
    assert not aws.uploader.called("put_bucket_versioning")


def test_an_object_without_versions_is_asked_for_by_null() -> None:
    _, aws = row("read", operator={"list_object_versions": {}})
    assert {"null"} == {call["VersionId"] for call in aws.uploader.called("get_object") if "VersionId" in call}


def test_refusals_mean_nothing_before_a_put_worked() -> None:
    hops = uploader.hops(deployment(FakeAws()), Probe.new(PREFIX))
    assert all(hop.needs == ("uploader.put",) for hop in hops[2:])


OWN = identity_policies.uploader(f"arn:aws:s3:::{BUCKET}", PREFIX, KEY_ARN, REGION)
READING = document(allow("More", ["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/*"))


def iam(**changes: Any) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "list_user_policies": {"PolicyNames": []},
        "list_attached_user_policies": {"AttachedPolicies": []},
        "list_groups_for_user": {"Groups": [{"GroupName": "uploaders"}]},
        "list_group_policies": {"PolicyNames": ["put-recordings"]},
        "get_group_policy": {"PolicyDocument": OWN},
        "list_attached_group_policies": {"AttachedPolicies": []},
        "get_user_policy": {"PolicyDocument": READING},
        "get_policy": {"Policy": {"DefaultVersionId": "v2"}},
        "get_policy_version": {"PolicyVersion": {"Document": READING}},
    }
    return answers | changes


def grants_row(**changes: Any) -> Result:
    aws = FakeAws(clients={"iam": FakeClient(**iam(**changes))})
    return tried(uploader.hops(deployment(aws), Probe.new(PREFIX)), "uploader.policy")


def test_the_programs_policy_is_exactly_right() -> None:
    assert grants_row().outcome is Outcome.OK
    assert grants_row(get_group_policy={"PolicyDocument": json.dumps(OWN)}).outcome is Outcome.OK


ATTACHED = {"AttachedPolicies": [{"PolicyName": "More", "PolicyArn": "arn:aws:iam::aws:policy/More"}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"list_user_policies": {"PolicyNames": ["More"]}},
        {"list_attached_user_policies": ATTACHED},
        {"list_attached_group_policies": ATTACHED},
    ],
)
def test_a_grant_too_many_is_found_wherever_it_hangs(changes: dict[str, Any]) -> None:
    result = grants_row(**changes)
    assert_failed(result, "too much: Allow s3:GetObject")
    assert "More" in result.mend


def test_a_widened_own_policy_is_mended_by_pulumi() -> None:
    widened = {**OWN, "Statement": [*OWN["Statement"], *READING["Statement"]]}
    result = grants_row(get_group_policy={"PolicyDocument": widened})
    assert_failed(result, "too much: Allow s3:GetObject")
    assert result.mend == "pulumi up --refresh --stack unit"


def test_a_lost_group_is_found() -> None:
    result = grants_row(list_groups_for_user={"Groups": []})
    assert_failed(result, "missing: Allow s3:PutObject")
    assert result.mend == "pulumi up --refresh --stack unit"
