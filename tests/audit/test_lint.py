"""parliament and cloudsplaining have nothing to say of the program's policies; of bad ones they do."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest

from infra import identity_policies, resource_policies
from tests.audit.finding import Finding
from tests.audit.lint import ACCOUNT, lint
from tests.audit.muted import POLICIES, idle, unmuted
from tests.unit.test_infra_policies import BUCKET, EXPECTED, QUEUE

# What is a document of another kind.
NO_POLICY = {"redrive_allow"}


def all_findings() -> set[Finding]:
    return {finding for name, (document, _) in EXPECTED.items() for finding in lint(name, document)}


@pytest.mark.parametrize("module", [identity_policies, resource_policies], ids=lambda module: module.__name__)
def test_every_policy_is_linted(module: ModuleType) -> None:
    public = {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_") and name not in NO_POLICY
    }
    assert public
    assert not [name for name in public if not any(written.split()[0] == name for written in EXPECTED)]


@pytest.mark.parametrize("name", EXPECTED)
def test_nothing_is_found_in_a_policy(name: str) -> None:
    assert unmuted(lint(name, EXPECTED[name][0]), POLICIES) == []


def test_every_muted_check_is_still_found() -> None:
    assert idle(all_findings(), POLICIES) == []


def statement(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def planted(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


BAD = {
    ("parliament", "UNKNOWN_ACTION"): planted(statement(["s3:GetObjekt"], f"{BUCKET}/*")),
    ("parliament", "UNKNOWN_PREFIX"): planted(statement(["s4:GetObject"], f"{BUCKET}/*")),
    ("parliament", "RESOURCE_MISMATCH"): planted(statement(["s3:GetObject"], BUCKET)),
    ("parliament", "RESOURCE_STAR"): planted(statement(["s3:GetObject"], "*")),
    ("parliament", "INVALID_ARN"): planted(statement(["s3:GetObject"], "recordings/*")),
    ("parliament", "UNKNOWN_OPERATOR"): planted(
        statement(["s3:GetObject"], f"{BUCKET}/*", Condition={"StringIs": {"aws:SourceArn": "x"}})
    ),
    ("parliament", "UNKNOWN_CONDITION_FOR_ACTION"): planted(
        statement(["s3:GetObject"], f"{BUCKET}/*", Condition={"StringEquals": {"s3:prefix": "x"}})
    ),
    ("parliament", "RESOURCE_POLICY_PRIVILEGE_ESCALATION"): planted(statement(["s3:PutBucketPolicy"], BUCKET)),
    ("parliament", "PERMISSIONS_MANAGEMENT_ACTIONS"): planted(statement(["s3:PutBucketPolicy"], BUCKET)),
    ("parliament", "CREDENTIALS_EXPOSURE"): planted(
        statement(["iam:CreateAccessKey"], f"arn:aws:iam::{ACCOUNT}:user/u")
    ),
    ("parliament", "DUPLICATE_SID"): planted(
        statement(["s3:GetObject"], f"{BUCKET}/*", Sid="Twice"), statement(["s3:PutObject"], f"{BUCKET}/*", Sid="Twice")
    ),
    ("cloudsplaining", "PrivilegeEscalation"): planted(statement(["iam:PassRole", "lambda:*"], "*")),
    ("cloudsplaining", "DataExfiltration"): planted(statement(["s3:GetObject"], "*")),
    ("cloudsplaining", "CredentialsExposure"): planted(statement(["iam:CreateAccessKey"], "*")),
    ("cloudsplaining", "ServiceWildcard"): planted(statement(["sqs:*"], QUEUE)),
    ("cloudsplaining", "ResourceExposure"): planted(statement(["s3:PutBucketPolicy"], "*")),
    ("cloudsplaining", "InfrastructureModification"): planted(statement(["sqs:DeleteQueue"], "*")),
    ("cloudsplaining", "UnconstrainedWrite"): planted(statement(["sqs:SendMessage"], "*")),
    ("cloudsplaining", "UnconstrainedTagging"): planted(statement(["sqs:TagQueue"], "*")),
    ("cloudsplaining", "NotAction"): planted({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}),
    ("cloudsplaining", "InternetAccessible"): planted(statement(["sqs:SendMessage"], QUEUE, Principal="*")),
    ("cloudsplaining", "AssumableByAnybody"): planted(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    ),
    ("cloudsplaining", "AssumableByAnybodyOnCondition"): planted(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "x"}},
        }
    ),
    ("cloudsplaining", "AssumableByOthers"): planted(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"}, "Action": "sts:AssumeRole"}
    ),
}


@pytest.mark.parametrize(("tool", "check"), BAD)
def test_what_is_wrong_is_found(tool: str, check: str) -> None:
    found = lint("bad", BAD[tool, check])
    assert (tool, check) in {(finding.tool, finding.check) for finding in found}
    assert unmuted(found, POLICIES)


def test_a_mute_covers_only_the_place_it_names() -> None:
    [entry] = [m for m in POLICIES if m.check == "RESOURCE_STAR"]
    assert entry.covers(Finding(tool="parliament", check="RESOURCE_STAR", where="recordings_key", detail=""))
    assert not entry.covers(Finding(tool="parliament", check="RESOURCE_STAR", where="play", detail=""))
    assert not entry.covers(Finding(tool="parliament", check="RESOURCE_MISMATCH", where="recordings_key", detail=""))
